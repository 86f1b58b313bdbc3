"""The fix of a finding in a live object: a diff of what somebody would have written, and the same for kubectl."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import yaml

from pilothouse.hazards.commanding import command
from pilothouse.hazards.examples import build, workload
from pilothouse.hazards.fixing import diff
from pilothouse.hazards.loading import own_rules
from pilothouse.hazards.model import Finding
from pilothouse.hazards.reviewing import review_objects
from pilothouse.hazards.store import FindingStore, KeptFinding
from pilothouse.hazards.watching import Watcher
from pilothouse.hazards.writing import written
from pilothouse.kube import KubeObject
from tests.hazards.test_live import wait_for
from tests.kube.apiserver import ApiServer

RULE = "ISO-003"
LIMITED = {"container": {"resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "500m", "memory": "1Gi"}}}}
SERVICE = {
    "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}  # fmt: skip


def live(change: dict[str, Any]) -> KubeObject:
    """As the API server would give it."""
    content = workload(change)
    content["metadata"] |= {
        "uid": "1", "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z",
        "annotations": {"deployment.kubernetes.io/revision": "3", "team": "shop"},
    }  # fmt: skip
    return KubeObject(content | {"status": {"replicas": 3}})


def found(one: KubeObject, rule: str) -> Finding:
    review = review_objects([one, KubeObject(SERVICE)], own_rules(), live=True)
    return next(finding for finding in review.findings if finding.rule.id == rule)


def test_a_live_object_reads_as_it_would_have_been_written() -> None:
    text = written(live({})).text
    content = yaml.safe_load(text)
    assert list(content)[:3] == ["apiVersion", "kind", "metadata"]
    assert "status" not in content
    assert content["metadata"]["annotations"] == {"team": "shop"}
    assert set(content["metadata"]) <= {"name", "namespace", "labels", "annotations"}


def test_the_fix_is_a_diff_of_it() -> None:
    one = live(LIMITED)
    lines = diff(one, found(one, RULE)).splitlines()
    assert lines[0].split() == ["---", f"deployment/{one.name}"]
    changed = [line for line in lines[2:] if line.startswith(("+", "-"))]
    assert len(changed) == 1
    assert changed[0].startswith("-")
    assert changed[0].endswith("cpu: 500m")


def test_kubectl_takes_the_fix_and_the_finding_goes(api: ApiServer, tmp_path: Path) -> None:
    store = FindingStore(f"sqlite:///{tmp_path / 'c.db'}")
    watcher = Watcher(api.cluster, own_rules(), store, settle_seconds=0.05)
    api.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    api.put(SERVICE)
    api.put(workload(LIMITED))
    watcher.start()

    def kept() -> KeptFinding | None:
        return next((one for one in store.findings(rule=RULE) if one.subject["kind"] == "Deployment"), None)

    fingerprint = wait_for(kept).fingerprint
    wait_for(lambda: fingerprint in watcher.fixable)
    fix = watcher.fix(fingerprint)
    assert fix is not None
    words = shlex.split(fix.command)
    assert words[0] == "kubectl"
    done = api.kubectl(*words[1:])
    assert done.returncode == 0, done.stderr
    wait_for(lambda: kept() is None)
    wait_for(lambda: watcher.fix(fingerprint) is None)
    watcher.close()
    store.close()


def test_every_fix_of_a_live_object_can_be_shown() -> None:
    shown: set[str] = set()
    said: set[str] = set()
    for rule in (one for one in own_rules() if one.patch is not None):
        for example in rule.examples["fail"]:
            objects = [one for one in build(example).objects if one.content]
            review = review_objects([KubeObject(one.content) for one in objects], [rule], live=True)
            for finding in review.findings:
                source = review.source(finding)
                if source is not None and diff(source, finding):
                    shown.add(rule.id)
                    said.update([rule.id] if command(source, finding) else [])
    assert shown == {one.id for one in own_rules() if one.patch is not None}
    assert said == shown
