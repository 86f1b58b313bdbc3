"""Pipelines-as-Code's annotations: what is wanted when, and why not. Source: its guide "Matching a PipelineRun"."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pilothouse.delivery.chat import Event, Policy, PullRequest, decide
from pilothouse.delivery.chat.effects import Run
from pilothouse.delivery.triggering import Config, Files, Occasion, read
from pilothouse.delivery.triggering.globbing import branch_matches, matches

PULL = Occasion(
    "pull_request", "acme/shop", revision="m" * 40, head="h" * 40, target_branch="main", source_branch="feat/cart",
    title="[URGENT] Faster cart", number=7, sender="eve", labels=frozenset({"bug"}),
    files=Files(added=("src/cart.go",), modified=("docs/cart/how.md",)), body={"action": "opened"},
    headers={"X-GitHub-Event": "pull_request"},
)  # fmt: skip
PUSH = replace(PULL, event="push", number=0, files=Files(modified=("src/cart.go",)))


def run_of(**annotations: str) -> Config:
    """The configuration of one run with these annotations (underscores are dashes)."""
    lines = "".join(
        f"    pipelinesascode.tekton.dev/{name.replace('_', '-')}: {value!r}\n" for name, value in annotations.items()
    )
    return read({".tekton/run.yaml": f"""
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata:
  name: unit
  annotations:
{lines}spec:
  pipelineSpec:
    tasks:
    - name: test
      taskSpec: {{steps: [{{name: s, image: busybox, script: make test}}]}}
"""})  # fmt: skip


BASE = {"on_event": "[pull_request]", "on_target_branch": "[main]"}


@pytest.mark.parametrize(
    ("annotations", "occasion", "reason"),
    [
        (BASE, PULL, ""),
        ({"on_event": "pull_request", "on_target_branch": "main"}, PULL, ""),
        ({"on_event": "[pull_request, push]", "on_target_branch": "[release-*, main]"}, PUSH, ""),
        (BASE, replace(PULL, target_branch="release-1"), "on-target-branch [main] does not match release-1"),
        ({**BASE, "on_target_branch": "[refs/heads/*]"}, PULL, ""),
        ({**BASE, "on_target_branch": "[refs/heads/main]"}, PULL, ""),
        (
            {"on_event": "[push]", "on_target_branch": "[refs/tags/v1.*]"},
            replace(PUSH, target_branch="refs/tags/v1.2"),
            "",
        ),
        ({"on_event": "[push]", "on_target_branch": "[refs/tags/v1.*]"}, PUSH, "on-target-branch"),
        ({**BASE, "on_path_change": "[docs/**.md]"}, PULL, ""),
        ({**BASE, "on_path_change": "[docs/***]"}, PULL, ""),
        ({**BASE, "on_path_change": "[manual/**.rst]"}, PULL, "no changed file matches [manual/**.rst]"),
        (
            {**BASE, "on_path_change_ignore": "[***.md]"},
            PULL,
            "on-path-change-ignore [***.md] matches docs/cart/how.md",
        ),
        ({**BASE, "on_path_change": "[***.go]", "on_path_change_ignore": "[***.md]"}, PULL, "on-path-change-ignore"),
        ({**BASE, "on_path_change": "[a&#44;b.txt]"}, replace(PULL, files=Files(added=("a,b.txt",))), ""),
        ({**BASE, "on_label": "[bug, defect]"}, PULL, ""),
        ({**BASE, "on_label": "[feature]"}, PULL, "none of the labels [feature]"),
        ({"on_cel_expression": 'event == "pull_request" && target_branch == "main"'}, PULL, ""),
        ({"on_cel_expression": 'target_branch == "other"'}, PULL, "is not true"),
        ({**BASE, "on_cel_expression": 'event == "push"'}, PULL, "is not true"),
        ({"on_cel_expression": 'source_branch.matches(".*feat/.*")'}, PULL, ""),
        ({"on_cel_expression": '"docs/*.md".pathChanged()'}, PULL, ""),
        ({"on_cel_expression": '"ui/**".pathChanged()'}, PULL, "is not true"),
        ({"on_cel_expression": 'files.added.exists(x, x.matches("src/"))'}, PULL, ""),
        ({"on_cel_expression": 'files.deleted.exists(x, x.matches("src/"))'}, PULL, "is not true"),
        ({"on_cel_expression": 'event_title.startsWith("[URGENT]")'}, PULL, ""),
        ({"on_cel_expression": 'body.action == "opened"'}, PULL, ""),
        ({"on_cel_expression": "headers['X-GitHub-Event'] == 'pull_request'"}, PULL, ""),
        ({"on_comment": "^/merge-pr"}, PULL, "it runs when a comment matches ^/merge-pr"),
    ],
)
def test_when_a_run_is_wanted(annotations: dict[str, str], occasion: Occasion, reason: str) -> None:
    found = run_of(**annotations)
    assert not found.broken
    said = found.definitions[0].why_not(occasion)
    assert (reason in said) if reason else said == ""


def test_what_it_can_be_for() -> None:
    both = run_of(on_event="[pull_request, push]", on_target_branch="[main]")
    assert [one.kind for one in both.definitions] == ["presubmit", "postsubmit"]
    assert [one.kind for one in run_of(on_comment="^/x").definitions] == ["presubmit"]
    assert run_of(max_keep_runs="3", cancel_in_progress="true", **BASE).definitions[0].keep == 3


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        ({}, "started by nothing"),
        ({"on_event": "[pul_request]", "on_target_branch": "[main]"}, "must be pull_request, push or incoming"),
        ({"on_cel_expression": "target_branch =="}, "target_branch =="),
        ({"on_comment": "["}, "is not an expression"),
        ({**BASE, "max_keep_runs": "many"}, "must be a whole number"),
    ],
)
def test_what_is_wrong_is_said_and_left_out(annotations: dict[str, str], words: str) -> None:
    found = run_of(**annotations)
    assert not found.definitions
    assert words in found.broken[0]
    assert ".tekton/run.yaml" in found.broken[0]


def test_a_broken_file_takes_no_other_along() -> None:
    good = run_of(**BASE).definitions[0]
    texts = {".tekton/bad.yaml": "a: [", ".tekton/run.yaml": "", ".prow.yaml": "presubmits: [{name: '?'}]"}
    assert len(read(texts).broken) == 2
    assert good.name == "unit"


def test_a_comment_asks_for_a_run_of_its_own_expression_and_by_name() -> None:
    found = run_of(on_comment="^/bench( .*)?$")
    pull = PullRequest(7, "ann", head="h" * 40)
    policy = Policy(collaborators=frozenset({"ann"}), jobs=(found.definitions[0].job_for(PULL),))
    for text, runs in (("/bench all", 1), ("/test unit", 1), ("bench", 0), ("  /bench\n", 1), ("/bench", 1)):
        assert len(decide(pull, policy, Event("comment", "ann", text)).of(Run)) == runs, text


@pytest.mark.parametrize(
    ("pattern", "text", "yes"),
    [
        ("*.go", "src/a.go", True), ("*.go", "a.gob", False), ("a?c", "abc", True), ("{a,b}.md", "b.md", True),
        ("{a,b}.md", "c.md", False), ("[!a]x", "bx", True), ("[!a]x", "ax", False), ("[a-c]", "b", True),
        ("a.b", "axb", False), (r"\*", "*", True), (r"\*", "x", False), ("(a|b)", "a", False), ("", "", True),
    ],
)  # fmt: skip
def test_globs(pattern: str, text: str, yes: bool) -> None:
    assert matches(pattern, text) is yes


def test_branches_with_and_without_their_whole_name() -> None:
    assert branch_matches("refs/heads/main", "main")
    assert branch_matches("main", "refs/heads/main")
    assert not branch_matches("refs/tags/*", "main")
    assert not branch_matches("main", "refs/tags/main")
