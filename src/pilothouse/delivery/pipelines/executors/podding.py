"""Runs TaskRuns as Pods and follows them to their end; the pipeline around them is scheduled by this process."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines import events, times, tracing
from pilothouse.delivery.pipelines.conditions import Condition
from pilothouse.delivery.pipelines.errors import ResolveError, RunError
from pilothouse.delivery.pipelines.executors import pods
from pilothouse.delivery.pipelines.tasks import results
from pilothouse.delivery.pipelines.tasks.control import Control
from pilothouse.delivery.pipelines.tasks.names import step_name
from pilothouse.delivery.pipelines.tasks.preparing import Prepared, prepare
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.tasks.running import to_be_retried
from pilothouse.delivery.pipelines.tasks.setting import Setting
from pilothouse.delivery.pipelines.variables import Values
from pilothouse.kube import ApiError, Cluster, KubeError

_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName")


class PodRunner:
    """Called like `tasks.running.run_task`; `look` is how often a Pod is asked after, in seconds."""

    def __init__(self, cluster: Cluster, namespace: str = "", look: float = 0.5) -> None:
        self._cluster = cluster
        self._namespace = namespace or cluster.namespace
        self._look = look
        self._pods = cluster.resource("Pod", "v1")

    async def __call__(self, run: TaskRun, setting: Setting, control: Control) -> None:
        """Run all attempts of a TaskRun; `run.status` is then final."""
        run.started = run.started or times.now()
        while True:
            _tell(run, setting, events.TaskStarted, attempt=run.attempt)
            await self._attempt(run, setting, control)
            again = run.attempt < int(run.spec.get("retries") or 0) and not control.asked
            if run.condition.succeeded or not again or run.condition.reason == "TaskRunValidationFailed":
                break
            to_be_retried(run)
        run.finished = times.now()
        _tell(run, setting, events.TaskFinished, status=run.status, started=run.started, span=tracing.new_span())

    async def _attempt(self, run: TaskRun, setting: Setting, control: Control) -> None:
        run.status.setdefault("startTime", times.written(times.now()))
        try:
            prepared = await prepare(run, setting.catalog, setting.action)
            run.status["taskSpec"] = prepared.spec
            body = pods.pod(run, prepared)
            body["metadata"]["namespace"] = self._namespace
            run.status["podName"] = body["metadata"]["name"]
            run.annotations["pilothouse.dev/executor"] = "kubernetes-pods"
            condition = await self._follow(body, run, prepared, setting, control)
        except (RunError, ResolveError) as error:
            condition = Condition("False", error.reason, setting.masker.mask_text(str(error)))
        except (ApiError, KubeError) as error:
            condition = Condition("False", "PodCreationFailed", f"the cluster: {error}")
        run.status["completionTime"] = times.written(times.now())
        run.status["conditions"] = [condition.to_json()]

    async def _follow(
        self, body: dict[str, Any], run: TaskRun, prepared: Prepared, setting: Setting, control: Control
    ) -> Condition:
        await asyncio.to_thread(self._cluster.create, body)
        name, told = body["metadata"]["name"], set[str]()
        while True:
            found = await asyncio.to_thread(self._cluster.get, self._pods, name, self._namespace)
            if found is None:
                return Condition("False", "Failed", f"Pod {name} was deleted while it ran")
            status = found.content.get("status") or {}
            await self._steps(name, status, run, prepared, setting, told)
            if control.asked:
                await asyncio.to_thread(self._cluster.delete, self._pods, name, self._namespace)
                return Condition("False", control.reason, control.message)
            if why := _cannot_start(status):
                await asyncio.to_thread(self._cluster.delete, self._pods, name, self._namespace)
                return Condition("False", "TaskRunImagePullFailed", why)
            if status.get("phase") in ("Succeeded", "Failed"):
                return await self._ended(name, status, run, prepared, setting)
            await asyncio.sleep(self._look)

    async def _steps(
        self, pod: str, status: dict[str, Any], run: TaskRun, prepared: Prepared, setting: Setting, told: set[str]
    ) -> None:
        """Tell of the steps that ended since the last look, with what they wrote."""
        states = {one["name"]: one for one in status.get("initContainerStatuses") or []}
        seen = []
        for index, step in enumerate(prepared.steps):
            name = step_name(step, index)
            one = states.get(f"step-{name}") or {}
            ended = (one.get("state") or {}).get("terminated")
            if not ended:
                continue
            code = int(ended.get("exitCode") or 0)
            seen.append(
                {
                    "container": f"step-{name}",
                    "imageID": one.get("imageID", ""),
                    "name": name,
                    "terminated": ended,
                    "terminationReason": "Error" if code else "Completed",
                }
            )
            if name not in told:
                told.add(name)
                if data := await self._log(pod, f"step-{name}"):
                    _tell(run, setting, events.StepOutput, step=name, data=setting.masker.mask(data))
                _tell(run, setting, events.StepFinished, step=name, code=code, reason=seen[-1]["terminationReason"])
        run.status["steps"] = seen

    async def _ended(
        self, pod: str, status: dict[str, Any], run: TaskRun, prepared: Prepared, setting: Setting
    ) -> Condition:
        if status.get("reason") == "DeadlineExceeded":
            return Condition("False", "TaskRunTimeout", f'TaskRun "{run.name}" failed to finish in its time')
        for one in run.status["steps"]:
            if code := int(one["terminated"].get("exitCode") or 0):
                return Condition("False", "Failed", f'"{one["container"]}" exited with code {code}')
        if status.get("phase") == "Failed":
            return Condition("False", "Failed", status.get("message") or f"Pod {pod} failed")
        declared = prepared.spec.get("results") or []
        if declared:
            written = pods.results((await self._log(pod, "results")).decode("utf-8", "replace"))
            run.status["results"] = await asyncio.to_thread(_read, written, declared, setting.strict)
        return Condition("True", "Succeeded", "All Steps have completed executing")

    async def _log(self, pod: str, container: str) -> bytes:
        path = f"/api/v1/namespaces/{self._namespace}/pods/{pod}/log"
        answer = await asyncio.to_thread(self._cluster.client.get, path, params={"container": container})
        return answer.content if answer.status_code == 200 else f"(no log: {answer.status_code})\n".encode()


def _read(written: dict[str, str], declared: list[dict[str, Any]], strict: bool) -> list[dict[str, Any]]:
    """The results checked as those that a step wrote here."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-results-") as name:
        for result, text in written.items():
            if "/" not in result:
                Path(name, result).write_text(text)
        return results.read(Path(name), declared, Values(), strict=strict)


def _cannot_start(status: dict[str, Any]) -> str:
    """Why a container will never start, where the kubelet says so."""
    for one in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in _NO_IMAGE:
            return f"{one['name']}: {waiting['reason']}: {waiting.get('message', '')}"
    return ""


def _tell(run: TaskRun, setting: Setting, kind: Any, **fields: Any) -> None:
    setting.listener(
        kind(run.pipeline_run or run.name, times.now(), task=run.pipeline_task or run.name, task_run=run.name, **fields)
    )
