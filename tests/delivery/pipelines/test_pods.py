"""Tasks as Pods on a cluster without Tekton: against the stand-in API server and a kubelet that runs processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.delivery.pipelines import Catalog, Engine, Options, ProcessLauncher, choose, events, read_text, to_run
from pilothouse.delivery.pipelines.executors import namespace
from pilothouse.delivery.pipelines.executors.podding import PodRunner
from tests.commands import command
from tests.delivery.pipelines.running import Happened, pipeline, task
from tests.kube.apiserver import ApiServer
from tests.kube.conftest import api  # noqa: F401  (a fixture)
from tests.kube.kubelet import Kubelet

pytestmark = pytest.mark.skipif(namespace.bubblewrap() is None, reason="the kubelet's stand-in needs bubblewrap")


@pytest.fixture
def cluster(api: ApiServer, tmp_path: Path) -> Iterator[ApiServer]:  # noqa: F811
    kubelet = Kubelet(api, tmp_path / "node")
    yield api
    kubelet.stop()


def run(cluster: ApiServer, tmp_path: Path, text: str, cancel_when: Callable[[], bool] | None = None) -> Happened:
    documents = read_text(text)
    seen: list[events.Event] = []
    runner = PodRunner(cluster.cluster(), "default", look=0.05)
    engine = Engine(Catalog(documents), Options(tmp_path, ProcessLauncher(), seen.append, run_task=runner))
    one = to_run(choose(documents)[-1])

    async def go() -> None:
        running = asyncio.ensure_future(engine.run(one))
        deadline = time.monotonic() + 60
        while cancel_when and not cancel_when():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        if cancel_when:
            engine.cancel(one.uid)
        await running

    asyncio.run(go())
    return Happened(one, seen)


def pods(cluster: ApiServer) -> list[dict[str, Any]]:
    client = cluster.cluster()
    return [dict(one.content) for one in client.list(client.resource("Pod", "v1"), exact=True).objects]


PIPELINE = pipeline(
    """
- name: build
  taskSpec:
    results: [{name: version}, {name: files, type: array}]
    steps:
    - {name: write, image: alpine, script: 'echo $(params.word) > $(workspaces.source.path)/file'}
    - name: tell
      image: python
      args: [one, "two words"]
      script: |
        #!/usr/bin/env python3
        import sys, pathlib
        pathlib.Path("$(results.version.path)").write_text("1.$HOME")
        pathlib.Path("$(results.files.path)").write_text('["a", "b c"]')
        print(sys.argv[1:], open("$(workspaces.source.path)/file").read().strip())
- name: use
  params: [{name: v, value: $(tasks.build.results.version)}, {name: f, value: "$(tasks.build.results.files[*])"}]
  taskSpec:
    params: [{name: v}, {name: f, type: array}]
    steps: [{name: cat, image: alpine, command: [sh, -c, 'cat $(workspaces.source.path)/file; echo "$@"', x], args: [$(params.v), "$(params.f[*])"]}]
""",
    "params: [{name: word}]",
    "params: [{name: word, value: hello}]\nworkspaces: [{name: source, volumeClaimTemplate: {spec: {resources: {requests: {storage: 1Gi}}}}}]",
)


def test_a_pipeline_runs_as_pods_by_the_command(
    cluster: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ci.yaml").write_text(PIPELINE)
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    done = command("run", str(tmp_path / "ci.yaml"), "--executor", "kubernetes", "--data", str(tmp_path / "data"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the cluster has no Tekton" in done.stderr
    assert "['one', 'two words'] hello" in done.stdout
    # What a result says is text: nothing expands it on the way.
    assert "hello\n" in done.stdout
    assert "1.$HOME a b c" in done.stdout
    assert {one["metadata"]["name"] for one in pods(cluster)} == {"run-build-pod", "run-use-pod"}
    client = cluster.cluster()
    assert client.list(client.resource("PersistentVolumeClaim", "v1"), exact=True).objects == []


def test_a_step_that_fails_ends_the_pod_and_is_tried_again(cluster: ApiServer, tmp_path: Path) -> None:
    happened = run(
        cluster,
        tmp_path,
        task(
            "- {name: a, image: alpine, script: 'echo before'}\n- {name: b, image: alpine, script: exit 7}\n- {name: c, image: alpine, script: echo never}",
            run="retries: 1",
        ),
    )
    assert (happened.reason, happened.message) == ("Failed", '"step-b" exited with code 7')
    assert happened.output() == "before\nbefore\n"
    assert [one["terminated"]["exitCode"] for one in happened.run.status["steps"]] == [0, 7]
    assert happened.run.status["podName"] == "run-pod-retry1"
    assert len(happened.run.status["retriesStatus"]) == 1


def test_secrets_come_from_the_cluster_and_stay_out_of_logs(cluster: ApiServer, tmp_path: Path) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\ndata: {k: aHVudGVyMjI=}\n"
    cluster.put(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s", "namespace": "default"},
            "data": {"k": "aHVudGVyMjI="},
        }
    )
    happened = run(
        cluster,
        tmp_path,
        secret
        + "---\n"
        + task(
            "- {image: alpine, env: [{name: K, valueFrom: {secretKeyRef: {name: s, key: k}}}], script: 'test $K = hunter22; echo key is $K'}"
        ),
    )
    assert happened.reason == "Succeeded"
    assert happened.output() == "key is ***\n"


def test_time_limits_and_cancelling_end_the_pod(cluster: ApiServer, tmp_path: Path) -> None:
    late = run(cluster, tmp_path, task("- {image: alpine, script: sleep 60}", run="timeout: 1s"))
    assert late.reason == "TaskRunTimeout"
    mark = tmp_path / "node" / "claims" / "c" / "running"
    cluster.put(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "default"}}
    )
    text = task(
        "- {image: alpine, script: 'touch $(workspaces.w.path)/running; sleep 60'}",
        "workspaces: [{name: w}]",
        "workspaces: [{name: w, persistentVolumeClaim: {claimName: c}}]",
    ).replace("name: run", "name: stopped")
    assert run(cluster, tmp_path, text, mark.exists).reason == "TaskRunCancelled"
    assert [one["metadata"]["name"] for one in pods(cluster)] == ["run-pod"]


def test_an_image_that_cannot_be_pulled_ends_it(cluster: ApiServer, tmp_path: Path) -> None:
    happened = run(cluster, tmp_path, task("- {name: s, image: 'missing:1', script: 'true'}"))
    assert happened.reason == "TaskRunImagePullFailed"
    assert happened.message == "step-s: ErrImagePull: not found"


def test_a_sidecar_runs_beside(cluster: ApiServer, tmp_path: Path) -> None:
    happened = run(
        cluster,
        tmp_path,
        task(
            "- {image: alpine, volumeMounts: [{name: v, mountPath: /shared}], script: 'until test -e /shared/there; do sleep 0.05; done; echo seen'}",
            "volumes: [{name: v, emptyDir: {}}]\n"
            "sidecars: [{name: side, image: alpine, command: [sh, -c, 'touch /shared/there; sleep 60'], volumeMounts: [{name: v, mountPath: /shared}]}]",
        ),
    )
    assert (happened.reason, happened.output()) == ("Succeeded", "seen\n")


@pytest.mark.parametrize(
    ("step", "needs"),
    [
        ("{image: a, script: x, when: [{input: a, operator: in, values: [a]}]}", "when"),
        ("{image: a, script: x, onError: continue}", "onError: continue"),
        ("{image: a, script: x, timeout: 1s}", "timeout"),
        ("{image: a, script: x, stdoutConfig: {path: /x}}", "stdoutConfig"),
        ("{name: s, image: a, script: x, results: [{name: r}]}", "results"),
    ],
)
def test_what_only_tekton_can_do_is_refused_before_a_pod_is_made(
    api: ApiServer, tmp_path: Path, step: str, needs: str  # noqa: F811
) -> None:  # fmt: skip
    happened = run(api, tmp_path, task(f"- {step}"))
    assert happened.reason == "TaskRunValidationFailed"
    assert f"{needs} cannot be had in a plain Pod" in happened.message
    assert pods(api) == []


def test_breakpoints_are_refused_too(api: ApiServer, tmp_path: Path) -> None:  # noqa: F811
    happened = run(api, tmp_path, task("- {image: a, script: x}", run="debug: {breakpoints: {onFailure: enabled}}"))
    assert (happened.reason, pods(api)) == ("TaskRunValidationFailed", [])
    assert "breakpoints" in happened.message
