"""Triggers: signatures, filters, bindings, templates; and the same through the server's port."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from pilothouse.delivery.pipelines import Catalog, DocumentError, read_text
from pilothouse.delivery.pipelines.scheduled import Clock
from pilothouse.delivery.pipelines.triggers.event import TriggerError, read
from pilothouse.delivery.pipelines.triggers.listening import Heard, hear
from tests.running import start_server

OBJECTS = """
apiVersion: v1
kind: Secret
metadata: {name: hook}
stringData: {token: s3cr3t-token}
---
apiVersion: triggers.tekton.dev/v1beta1
kind: TriggerBinding
metadata: {name: push}
spec:
  params:
  - {name: revision, value: $(body.head_commit.id)}
  - {name: first, value: "$(body.commits[0].message)"}
  - {name: who, value: "$(body.repository.owner\\\\.name) via $(header.X-GitHub-Event)"}
  - {name: short, value: $(extensions.short)}
  - {name: files, value: '$(body.commits[0].added)'}
---
apiVersion: triggers.tekton.dev/v1beta1
kind: TriggerTemplate
metadata: {name: build}
spec:
  params: [{name: revision}, {name: first}, {name: who}, {name: short}, {name: files}, {name: extra, default: d}]
  resourcetemplates:
  - apiVersion: tekton.dev/v1
    kind: TaskRun
    metadata: {generateName: hook-}
    spec:
      params: [{name: m, value: $(tt.params.first)}, {name: f, value: $(tt.params.files)}]
      taskSpec:
        params: [{name: m}, {name: f, type: array}]
        steps: [{image: bash, env: [{name: M, value: $(params.m)}], args: ["$(params.f[*])"], script: 'echo "$M $1 $(context.taskRun.name)"; echo $(tt.params.short)-$(tt.params.extra)'}]
---
apiVersion: triggers.tekton.dev/v1beta1
kind: EventListener
metadata: {name: hub}
spec:
  triggers:
  - name: push
    interceptors:
    - ref: {name: github}
      params: [{name: secretRef, value: {secretName: hook, secretKey: token}}, {name: eventTypes, value: [push]}]
    - ref: {name: cel}
      params:
      - {name: filter, value: "body.ref.startsWith('refs/heads/') && header.match('X-GitHub-Event', 'push')"}
      - name: overlays
        value: [{key: short, expression: "body.head_commit.id.truncate(4)"}, {key: branch, expression: "body.ref.split('/')[2]"}]
    bindings: [{ref: push}]
    template: {ref: build}
"""
BODY = {
    "ref": "refs/heads/main",
    "head_commit": {"id": "abcdef123"},
    "commits": [{"message": '"; rm -rf / #\nkind: Evil', "added": ["a.py", "b.py"]}],
    "repository": {"owner.name": "ada"},
}


def request(body: Any = BODY, secret: str = "s3cr3t-token", kind: str = "push") -> tuple[bytes, dict[str, str]]:
    raw = json.dumps(body).encode()
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return raw, {"X-GitHub-Event": kind, "X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


def heard(*arguments: Any, **named: Any) -> Heard:
    return asyncio.run(
        hear("hub", read(*request(*arguments, **named), "http://x/triggers/hub"), Catalog(read_text(OBJECTS)))
    )


def test_an_event_becomes_a_run_whose_form_its_text_cannot_change() -> None:
    found = heard()
    assert found.declined == {}
    [run] = found.objects
    assert run.kind == "TaskRun"
    assert run.body["spec"]["params"] == [
        {"name": "m", "value": BODY["commits"][0]["message"]},
        {"name": "f", "value": ["a.py", "b.py"]},
    ]  # type: ignore[index]
    assert "abcd-d" in run.body["spec"]["taskSpec"]["steps"][0]["script"]
    assert run.body["metadata"]["labels"]["triggers.tekton.dev/eventlistener"] == "hub"


@pytest.mark.parametrize(
    ("named", "words", "refused"),
    [
        ({"secret": "wrong"}, "signature", True),
        ({"kind": "issues"}, "event type issues is not allowed", False),
        ({"body": {**BODY, "ref": "refs/tags/v1"}}, "did not return true", False),
        ({"body": {"ref": "refs/heads/x"}}, "head_commit", False),
    ],
)
def test_events_that_are_not_wanted(named: dict[str, Any], words: str, refused: bool) -> None:
    found = heard(**named)
    assert found.objects == []
    assert words in found.declined["push"]
    assert found.refused == refused


def test_a_missing_signature_is_refused() -> None:
    raw, headers = request()
    del headers["X-Hub-Signature-256"]
    found = asyncio.run(hear("hub", read(raw, headers), Catalog(read_text(OBJECTS))))
    assert found.refused


@pytest.mark.parametrize(
    ("kind", "headers", "good"),
    [
        ("gitlab", {"X-GitLab-Token": "s3cr3t-token", "X-GitLab-Event": "Push Hook"}, True),
        ("gitlab", {"X-GitLab-Token": "s3cr3t-tokem", "X-GitLab-Event": "Push Hook"}, False),
        ("bitbucket", {"X-Hub-Signature": "sha256=" + hmac.new(b"s3cr3t-token", b"{}", "sha256").hexdigest()}, True),
        ("bitbucket", {"X-Hub-Signature": "sha256=00"}, False),
        (
            "slack",
            {
                "X-Slack-Request-Timestamp": "1",
                "X-Slack-Signature": "v0=" + hmac.new(b"s3cr3t-token", b"v0:1:{}", "sha256").hexdigest(),
            },
            True,
        ),
        ("slack", {}, False),
    ],
)
def test_other_forges(kind: str, headers: dict[str, str], good: bool) -> None:
    from pilothouse.delivery.pipelines.triggers.interceptors import INTERCEPTORS

    params = {"secretRef": {"secretName": "hook", "secretKey": "token"}}
    with nullcontext() if good else pytest.raises(TriggerError, match=r"signature|secret|header") as caught:
        INTERCEPTORS[kind](params, read(b"{}", headers), Catalog(read_text(OBJECTS)))
    assert good or caught.value.status == 403


def test_what_is_due() -> None:
    [document] = read_text(
        "apiVersion: tekton.dev/v1\nkind: TaskRun\nmetadata: {name: nightly, annotations: {pilothouse.dev/cron: '30 3 * * *', pilothouse.dev/timezone: Europe/Berlin}}\nspec: {taskRef: {name: t}}"
    )
    clock = Clock()
    assert clock.due([document], datetime(2026, 7, 1, 0, 0, tzinfo=UTC)) == []
    assert clock.due(None, datetime(2026, 7, 1, 1, 29, tzinfo=UTC)) == []
    assert clock.due(None, datetime(2026, 7, 1, 1, 30, tzinfo=UTC)) == [document]
    assert clock.due(None, datetime(2026, 7, 1, 1, 31, tzinfo=UTC)) == []
    document.body["metadata"]["annotations"]["pilothouse.dev/cron"] = "every night"
    with pytest.raises(DocumentError, match="every night"):
        clock.due([document])


def test_the_server_hears_runs_and_tells(tmp_path: Path) -> None:
    directory = tmp_path / "tekton"
    directory.mkdir()
    (directory / "all.yaml").write_text(OBJECTS)
    server = start_server(tmp_path, PILOTHOUSE_PIPELINES=str(directory))
    try:
        raw, headers = request()
        answer = httpx.post(f"{server.http}/triggers/hub", content=raw, headers=headers, timeout=60)
        assert answer.status_code == 202, answer.text
        assert answer.json()["eventID"]
        assert httpx.post(f"{server.http}/triggers/hub", content=raw + b" ", headers=headers).status_code == 403
        assert httpx.post(f"{server.http}/triggers/none", content=raw, headers=headers).status_code == 404
        assert httpx.post(f"{server.http}/triggers/hub", content=b"{", headers=headers).status_code == 400
        deadline = time.monotonic() + 60
        while not (runs := server.get("/api/pipelines/runs")["runs"]) or runs[0]["status"] == "Unknown":
            assert time.monotonic() < deadline, runs
            time.sleep(0.05)
        assert runs[0]["reason"] == "Succeeded"
        log = httpx.get(f"{server.http}/api/pipelines/runs/{runs[0]['name']}/logs").text
        assert '"; rm -rf / #\n' in log
        assert "a.py hook-" in log
        # The run is telemetry of the same server: its lines and its trace.
        lines = server.wait_for("/api/logs", "logs", 1, selector='service_name=~"pipeline/.*"')
        assert any("a.py hook-" in json.dumps(line) for line in lines["logs"])
        # Spans are stored with another segment than lines: they may come a moment later.
        trace, deadline = f"{server.http}/api/traces/{runs[0]['trace_id']}", time.monotonic() + 60
        while "step unnamed-0" not in (spans := httpx.get(trace, timeout=60).text):
            assert time.monotonic() < deadline, spans
            time.sleep(0.1)
    finally:
        assert server.stop() == 0
