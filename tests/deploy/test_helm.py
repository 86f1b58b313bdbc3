"""The real Helm against the stand-in API server: install an older commit's chart, upgrade it, and keep the data."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.deploy.helm import helm, needs_helm
from tests.kube.apiserver import ApiServer
from tests.kube.conftest import api

__all__ = ["api"]
ROOT = Path(__file__).parents[2]
# Made with `helm package` of a worktree of that commit.
OLDER, NOW = Path(__file__).parent / "chart-of-77ef98d.tgz", ROOT / "deploy" / "helm" / "pilothouse"
_MAY_CHANGE = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "minReadySeconds",
    "persistentVolumeClaimRetentionPolicy",
)  # fmt: skip
_WHERE = ("-n", "pilothouse")


def _helm(api: ApiServer, *arguments: str) -> str:
    done = subprocess.run(
        [str(helm()), *arguments, *_WHERE, "--kubeconfig", str(api.kubeconfig)],
        capture_output=True, text=True, timeout=120, env=os.environ | {"HOME": str(api.kubeconfig.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def _object(api: ApiServer, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(api.kubectl("get", kind, name, *_WHERE, "-o", "json").stdout)
    return found


def _claim(api: ApiServer, stateful: dict[str, Any]) -> None:
    """The volume's claim of the first Pod, as Kubernetes makes it."""
    [template] = stateful["spec"]["volumeClaimTemplates"]
    name = f"{template['metadata']['name']}-{stateful['metadata']['name']}-0"
    api.put({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": "pilothouse"},
        "spec": template["spec"],
    })  # fmt: skip


@needs_helm
def test_an_upgrade_from_an_older_chart_keeps_data_and_values(api: ApiServer) -> None:
    _helm(api, "install", "pilothouse", str(OLDER), "--create-namespace", "--set", "image.repository=r.example.com/p")
    before = _object(api, "statefulset", "pilothouse")
    _claim(api, before)
    claim = _object(api, "persistentvolumeclaim", "data-pilothouse-0")
    # The values of then know nothing of what the chart has learnt since.
    _helm(api, "upgrade", "pilothouse", str(NOW), "--reuse-values")
    _helm(api, "upgrade", "pilothouse", str(NOW), "--reset-then-reuse-values", "--set", "settings.retention=14d")
    after = _object(api, "statefulset", "pilothouse")
    [container] = after["spec"]["template"]["spec"]["containers"]
    assert container["image"].startswith("r.example.com/p:")
    assert {"name": "PILOTHOUSE_RETENTION", "value": "14d"} in container["env"]
    # What an API server lets nobody change, and with it which claims the Pods have.
    for field in before["spec"].keys() | after["spec"].keys():
        if field not in _MAY_CHANGE:
            assert after["spec"].get(field) == before["spec"].get(field), field
    assert _object(api, "persistentvolumeclaim", "data-pilothouse-0") == claim
    _helm(api, "rollback", "pilothouse", "1")
    _helm(api, "uninstall", "pilothouse")
    assert not json.loads(api.kubectl("get", "statefulset,daemonset,service", *_WHERE, "-o", "json").stdout)["items"]
    # `whenDeleted: Retain` and Helm's knowing nothing of it: the data stays.
    assert after["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
    assert _object(api, "persistentvolumeclaim", "data-pilothouse-0") == claim
