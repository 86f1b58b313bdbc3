"""Handing runs to a cluster: against the stand-in API server, with a controller that does what Tekton's does."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pilothouse.delivery.pipelines import ResolveError, choose, events, read_text
from pilothouse.delivery.pipelines.conditions import Condition
from pilothouse.delivery.pipelines.executors.kubernetes import KubernetesExecutor
from tests.delivery.pipelines.running import pipeline
from tests.delivery.pipelines.test_around import TASK
from tests.kube.apiserver import ApiServer
from tests.kube.conftest import api  # noqa: F401  (a fixture)

TEXT = TASK + "---\n" + pipeline("- {name: a, taskRef: {name: t}}")


def crd(kind: str) -> dict[str, Any]:
    plural = kind.lower() + "s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.tekton.dev"},
        "spec": {
            "group": "tekton.dev",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
            ],
        },
    }


def controller(api: ApiServer, stop: threading.Event) -> None:  # noqa: F811
    """Makes a TaskRun for each new PipelineRun, and lets both succeed."""
    cluster = api.cluster()
    runs, task_runs = cluster.resource("PipelineRun", "tekton.dev/v1"), "TaskRun"
    while not stop.is_set():
        for one in cluster.list(runs, exact=True).objects:
            body = one.content
            if body.get("status"):
                continue
            name = f"{body['metadata']['name']}-a"
            done = {"conditions": [Condition("True", "Succeeded").to_json()], "results": [{"name": "r", "value": "v"}]}
            meta = {
                "name": name,
                "namespace": body["metadata"]["namespace"],
                "labels": {"tekton.dev/pipelineTask": "a"},
            }
            cluster.create(
                {"apiVersion": "tekton.dev/v1", "kind": task_runs, "metadata": meta, "spec": {}, "status": done}
            )
            reference = {"apiVersion": "tekton.dev/v1", "kind": task_runs, "name": name, "pipelineTaskName": "a"}
            cluster.replace({**body, "status": {**done, "childReferences": [reference]}})
        time.sleep(0.05)
    cluster.close()


def test_a_run_is_handed_over_and_followed(api: ApiServer, tmp_path: Path) -> None:  # noqa: F811
    cluster = api.cluster()
    for kind in ("Task", "Pipeline", "TaskRun", "PipelineRun"):
        cluster.create(crd(kind))
    stop = threading.Event()
    thread = threading.Thread(target=controller, args=(api, stop))
    thread.start()
    try:
        documents = read_text(TEXT)
        seen: list[events.Event] = []
        done = KubernetesExecutor(cluster, "default", seen.append).run(choose(documents)[0], documents, look=0.05)
    finally:
        stop.set()
        thread.join()
    assert done.body["status"]["conditions"][0]["reason"] == "Succeeded"
    assert [one["metadata"]["name"] for one in done.task_runs] == ["run-a"]
    assert [one.task for one in seen if isinstance(one, events.TaskFinished)] == ["a"]
    assert cluster.get(cluster.resource("Task", "tekton.dev/v1"), "t", "default") is not None
    cluster.close()


def test_without_tekton_it_says_so(api: ApiServer) -> None:  # noqa: F811
    documents = read_text(TEXT)
    with api.cluster() as cluster, pytest.raises(ResolveError, match="has no Tekton"):
        KubernetesExecutor(cluster).run(choose(documents)[0], documents)
