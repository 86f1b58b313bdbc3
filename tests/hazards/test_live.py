"""A live cluster: checked once, and watched by the running server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from pilothouse.cli.program import program
from pilothouse.hazards.examples import build, workload
from pilothouse.hazards.loading import own_rules
from pilothouse.hazards.model import Finding, Rule, State, Subject
from pilothouse.hazards.narrating import Narrator, identity
from pilothouse.hazards.store import FindingStore
from pilothouse.hazards.watching import Watcher
from pilothouse.kube import KubeObject
from tests.hazards.recorded import Recorded
from tests.kube.apiserver import ApiServer
from tests.running import RunningServer, start_server


def put(api: ApiServer, example: dict[str, Any]) -> None:
    for one in build(example).objects:
        api.put(one.content)


def event(reason: str, name: str = "web-6d4b75cb6d-x2x4z", count: int = 1, kind: str = "Warning") -> dict[str, Any]:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    return {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": f"{name}.{reason.lower()}", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": name, "uid": "u-1"}, "reason": reason,
        "message": "Back-off pulling image", "type": kind, "count": count, "lastTimestamp": moment,
        "source": {"component": "kubelet"},
    }  # fmt: skip


def check(api: ApiServer, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> dict[str, Any]:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))
    result = CliRunner().invoke(program("check"), ["check", "--cluster", "-o", "json", "--show", "info", *arguments])
    assert result.exit_code in (0, 1, 2), result.output
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def test_a_cluster_is_read_gently_and_its_state_counts(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    put(api, {"kind": "StatefulSet", "pod": {"topologySpreadConstraints": None}})
    for number in range(2):
        pod = build({"kind": "Pod"}).objects[0].content
        owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "1", "controller": True}
        pod["metadata"] = {
            "name": f"web-{number}",
            "namespace": "shop",
            "labels": {"app": "web"},
            "ownerReferences": [owner],
        }
        pod["spec"]["nodeName"] = "only"
        api.put(pod | {"status": {"phase": "Running"}})
    api.api.seen.clear()
    found = check(api, monkeypatch)
    assert found["live"]
    (spread,) = (one for one in found["findings"] if one["rule"] == "SCH-002")
    assert spread["state"] == "active"
    assert spread["severity"] == "medium"
    # Pods of a controller are its own matter; only reads, from the cache, in pages, no secrets.
    assert all(one["subject"]["kind"] != "Pod" for one in found["findings"])
    assert {method for method, _, _ in api.api.seen} == {"GET"}
    lists = [(path, query) for _, path, query in api.api.seen if "limit" in query]
    assert all(query.get("resourceVersion") == "0" for _, query in lists)
    assert not any("secrets" in path for path, _ in lists)


def test_what_may_not_be_read_is_said_and_the_rest_checked(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    api.api.refused["/apis/apps/v1/daemonsets"] = 403
    put(api, {"spec": {"replicas": 1}})
    found = check(api, monkeypatch)
    assert any("daemonsets" in one["file"] for one in found["problems"])
    assert "POD-009" in {one["rule"] for one in found["findings"]}


def test_real_kubectl_fills_the_cluster_that_is_checked(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    api.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    content = workload({"container": {"image": "nginx"}})
    applied = api.kubectl("apply", "-f", "-", stdin=json.dumps(content))
    assert applied.returncode == 0, applied.stderr
    assert {"IMG-001", "IMG-003"} <= {one["rule"] for one in check(api, monkeypatch)["findings"]}


def test_kubelets_are_asked_when_wanted(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
        api.api.answers[f"/api/v1/nodes/{name}/proxy/configz"] = {"kubeletconfig": {"podPidsLimit": -1}}
    assert "ISO-005" not in {one["rule"] for one in check(api, monkeypatch)["findings"]}
    (pids,) = (one for one in check(api, monkeypatch, "--kubelets")["findings"] if one["rule"] == "ISO-005")
    assert pids["subject"]["name"] == "a"
    api.api.refused["/api/v1/nodes/a/proxy/configz"] = 403
    assert any("nodes/proxy" in one["message"] for one in check(api, monkeypatch, "--kubelets")["problems"])


def finding(state: State = State.LATENT, name: str = "web") -> Finding:
    rule: Rule = own_rules()[0]
    return Finding(rule, Subject("Deployment", "shop", name), state, "said", evidence=["x"])


def test_findings_are_kept_with_their_lives(tmp_path: Path) -> None:
    store = FindingStore(f"sqlite:///{tmp_path / 'c.db'}")
    store.keep("c", [finding(), finding(name="other")], at=10)
    store.keep("c", [finding(State.HURTING)], at=20)
    (one,) = store.findings()
    assert (one.first_seen, one.last_seen, one.state) == (10, 20, "hurting")
    assert one.history == [(10, "latent"), (20, "hurting")]
    assert [gone.resolved for gone in store.findings(resolved=True) if gone.resolved] == [20]
    store.keep("c", [finding(), finding(name="other")], at=30)
    back = next(one for one in store.findings() if one.subject["name"] == "other")
    assert back.history == [(10, "latent"), (20, "resolved"), (30, "latent")]
    assert sum(store.counts().values()) == 2
    store.close()


def wait_for(met: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := met()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_a_change_in_the_cluster_changes_the_findings(api: ApiServer, tmp_path: Path) -> None:
    store = FindingStore(f"sqlite:///{tmp_path / 'c.db'}")
    telemetry = Recorded(
        ['node_nf_conntrack_entries{instance="n"} 9x3', 'node_nf_conntrack_entries_limit{instance="n"} 10x3']
    )
    watcher = Watcher(api.cluster, own_rules(), store, telemetry, settle_seconds=0.05)
    put(api, {"spec": {"replicas": 1}})
    watcher.start()
    wait_for(lambda: any(one.rule == "POD-009" for one in store.findings()))
    assert any(one.rule == "ISO-007" and one.state == "hurting" for one in store.findings())
    put(api, {"spec": {"replicas": 3}})
    wait_for(lambda: not any(one.rule == "POD-009" for one in store.findings()))
    assert watcher.state()["synced"]
    watcher.close()
    store.close()


def test_events_and_conditions_become_lines_once() -> None:
    sent: list[bytes] = []
    narrator = Narrator(sent.append)
    narrator.event(KubeObject(event("BackOff")), 0)
    narrator.event(KubeObject(event("BackOff")), 0)
    narrator.event(KubeObject(event("BackOff", count=2)), 0)
    narrator.event(KubeObject(event("Old")), 2**62)
    assert len(sent) == 2
    for status in ("False", "False", "True"):
        row = {"type": "DiskPressure", "status": status, "message": "full"}
        narrator.node(KubeObject({"kind": "Node", "metadata": {"name": "n1"}, "status": {"conditions": [row]}}))
    assert len(sent) == 3
    assert identity("Pod", "shop", "web-6d4b75cb6d-x2x4z", "u")["service.name"] == "web"
    assert identity("Deployment", "shop", "web", "u")["k8s.deployment.name"] == "web"


@pytest.fixture
def watching(api: ApiServer, tmp_path: Path) -> Iterator[RunningServer]:
    put(api, {"spec": {"replicas": 1}})
    running = start_server(tmp_path, "--kube", KUBECONFIG=str(api.kubeconfig))
    yield running
    running.stop()


def test_the_server_watches_tells_and_measures(watching: RunningServer, api: ApiServer) -> None:
    def found() -> Any:
        answer = watching.get("/api/hazards")
        return answer if any(one["rule"] == "POD-009" for one in answer["findings"]) else None

    answer = wait_for(found)
    assert answer["watching"]
    assert answer["synced"]
    assert answer["cluster"] == "stand-in"
    (one,) = (one for one in answer["findings"] if one["rule"] == "POD-009")
    assert one["subject"] == "Deployment shop/web"
    assert watching.get("/api/hazards", rule="POD-009", severity="critical")["findings"] == []
    assert httpx.get(f"{watching.http}/api/hazards", params={"state": "x"}).status_code == 400
    assert len(watching.get("/api/hazards/rules")["rules"]) >= 100
    assert "pilothouse_hazards{" in httpx.get(f"{watching.http}/metrics").text
    api.put(event("BackOff"))
    logs = wait_for(lambda: watching.get("/api/logs", selector='service_name="web"', contains="Back-off")["logs"])
    assert logs[0]["attributes"]["k8s.event.reason"] == "BackOff"
    listed = CliRunner().invoke(program("hazards"), ["hazards", "list", "--server", watching.http, "--rule", "POD-009"])
    assert "POD-009" in listed.stdout


def test_a_server_without_a_cluster_says_so(server: RunningServer) -> None:
    assert server.get("/api/hazards") == {"watching": False, "findings": []}
    listed = CliRunner().invoke(program("hazards"), ["hazards", "list", "--server", server.http])
    assert listed.exit_code == 3
    assert "--kube" in listed.stderr
    asked = CliRunner().invoke(
        program("hazards"), ["hazards", "ask", "dns", "is", "slow", "--server", server.http, "-o", "json"]
    )
    assert "Nothing can be said" in json.loads(asked.stdout)["verdict"]
