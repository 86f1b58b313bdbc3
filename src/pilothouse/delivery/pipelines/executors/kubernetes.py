"""Runs on a cluster with Tekton: the same YAML is handed over, and its runs are followed to their end.

What a run refers to is applied (server-side, as `pilothouse`), the run is created, and its status and those of its
TaskRuns are read until it is over. Their logs are the pods'.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pilothouse.delivery.pipelines import conditions, events, times
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.engine import Run, to_run
from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.pipelines.events import Listener, nobody
from pilothouse.delivery.pipelines.volumes import claim_prefix
from pilothouse.kube import ApiError, Cluster, KubeError

_SUPPORT = ("ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount", "Task", "Pipeline", "StepAction")
_LOOK = 0.5


@dataclass(slots=True)
class OnCluster:
    """A run on a cluster: its object as it was last seen, and its TaskRuns."""

    body: dict[str, Any]
    task_runs: list[dict[str, Any]] = field(default_factory=list)


class KubernetesExecutor:
    """Hands runs to Tekton in a namespace."""

    def __init__(self, cluster: Cluster, namespace: str = "", listener: Listener = nobody) -> None:
        self._cluster = cluster
        self._namespace = namespace or cluster.namespace
        self._listener = listener
        self._told: set[str] = set()

    @property
    def has_tekton(self) -> bool:
        """Whether the cluster knows Tekton's kinds."""
        try:
            self._cluster.resource("PipelineRun", "tekton.dev/v1")
        except KubeError:
            return False
        return True

    def supply(self, documents: Iterable[Document], kinds: Iterable[str] = ("ConfigMap", "Secret")) -> None:
        """Apply what a run refers to. Raises `ResolveError` where the cluster refuses."""
        for one in documents:
            if one.kind in kinds:
                try:
                    self._cluster.apply(self._placed(one.body))
                except (ApiError, KubeError) as error:
                    raise ResolveError(f"the cluster refuses {one.title}: {error}", "CreateRunFailed") from None

    def claim(self, document: Document, uid: str) -> list[str]:
        """Make the claims that a run's templates ask for, under the names that its tasks look for."""
        made = []
        for one in (document.body.get("spec") or {}).get("workspaces") or []:
            template = one.get("volumeClaimTemplate")
            if template is not None:
                name = claim_prefix(uid) + str(one["name"])
                body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}}
                try:
                    self._cluster.create(self._placed({**body, "spec": template.get("spec") or {}}))
                except (ApiError, KubeError) as error:
                    raise ResolveError(f"workspace {one['name']}: {error}", "CreateRunFailed") from None
                made.append(name)
        return made

    def unclaim(self, names: Iterable[str]) -> None:
        """Give them back."""
        for name in names:
            with contextlib.suppress(ApiError, KubeError):
                self._cluster.delete(self._cluster.resource("PersistentVolumeClaim", "v1"), name, self._namespace)

    def run(
        self, document: Document, documents: list[Document], run: Run | None = None, look: float = _LOOK
    ) -> OnCluster:
        """Run to the end. Raises `ResolveError` where the cluster refuses, or has no Tekton."""
        run = run or to_run(document)
        if not self.has_tekton:
            raise ResolveError("the cluster has no Tekton", "CouldntGetPipeline")
        self.supply(documents, _SUPPORT)
        try:
            made = self._cluster.create(self._placed(_object(run, document))).content
        except (ApiError, KubeError) as error:
            raise ResolveError(f"the cluster refuses {document.title}: {error}", "CreateRunFailed") from None
        self._listener(
            events.RunStarted(run.name, times.now(), uid=str(made["metadata"].get("uid", "")), kind=made["kind"])
        )
        return self._follow(made, look)

    def cancel(self, kind: str, name: str, how: str = "Cancelled") -> None:
        """Ask Tekton to end a run."""
        resource = self._cluster.resource(kind, "tekton.dev/v1")
        status = how if kind == "PipelineRun" else "TaskRunCancelled"
        self._cluster.patch(resource, name, {"spec": {"status": status}}, self._namespace)

    def _follow(self, made: dict[str, Any], look: float) -> OnCluster:
        resource = self._cluster.resource(made["kind"], "tekton.dev/v1")
        name = made["metadata"]["name"]
        while True:
            found = self._cluster.get(resource, name, self._namespace)
            if found is None:
                raise ResolveError(f"{made['kind']} {name} was deleted while it ran", "CouldntGetPipeline")
            seen = OnCluster(found.content, list(self._children(found.content)))
            self._tell(name, seen.task_runs)
            if conditions.of(found.content.get("status") or {}).done:
                status = found.content.get("status") or {}
                self._listener(
                    events.RunFinished(name, times.now(), kind=made["kind"], status=status, started=times.now())
                )
                return seen
            time.sleep(look)

    def _children(self, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if body["kind"] == "TaskRun":
            yield body
            return
        resource = self._cluster.resource("TaskRun", "tekton.dev/v1")
        for one in (body.get("status") or {}).get("childReferences") or []:
            if one.get("kind") == "TaskRun":
                found = self._cluster.get(resource, one["name"], self._namespace)
                if found is not None:
                    yield found.content

    def _tell(self, run: str, task_runs: list[dict[str, Any]]) -> None:
        for body in task_runs:
            meta, status = body["metadata"], body.get("status") or {}
            task = (meta.get("labels") or {}).get("tekton.dev/pipelineTask", meta["name"])
            if conditions.of(status).done and meta["name"] not in self._told:
                self._told.add(meta["name"])
                for step, text in self._logs(status):
                    self._listener(
                        events.StepOutput(run, times.now(), task=task, task_run=meta["name"], step=step, data=text)
                    )
                self._listener(
                    events.TaskFinished(
                        run, times.now(), task=task, task_run=meta["name"], status=status, started=times.now()
                    )
                )

    def _logs(self, status: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
        """What the steps wrote, as far as the pod still is there."""
        pod = status.get("podName")
        for step in status.get("steps") or [] if pod else []:
            path = f"/api/v1/namespaces/{self._namespace}/pods/{pod}/log"
            try:
                answer = self._cluster.client.get(path, params={"container": step.get("container", "")})
            except Exception as error:  # logs are worth having, and no reason to fail a run
                yield step["name"], f"(no log: {type(error).__name__})\n".encode()
                continue
            if answer.status_code == 200 and answer.content:
                yield step["name"], answer.content

    def _placed(self, body: dict[str, Any]) -> dict[str, Any]:
        meta = {**(body.get("metadata") or {}), "namespace": self._namespace}
        return {**body, "metadata": meta}


def _object(run: Run, document: Document) -> dict[str, Any]:
    """The run as it is created: as it was written, or around the Pipeline or Task that is to run."""
    kind = "PipelineRun" if document.kind.startswith("Pipeline") else "TaskRun"
    spec = {key: value for key, value in run.spec.items() if value not in ([], None)}
    for one in spec.get("workspaces") or []:
        if "hostPath" in one:
            raise ResolveError(
                f"workspace {one['name']} is a directory of this machine; on a cluster give it a claim: "
                f"-w name={one['name']},claimName=NAME", "InvalidWorkspaceBindings",
            )  # fmt: skip
    meta: dict[str, Any] = {"name": run.name}
    for name in ("labels", "annotations"):
        if found := getattr(run, name):
            meta[name] = found
    return {"apiVersion": "tekton.dev/v1", "kind": kind, "metadata": meta, "spec": spec}
