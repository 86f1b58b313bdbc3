"""What a PipelineRun is before it runs, and what is left of it after."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pilothouse.delivery.pipelines import conditions
from pilothouse.delivery.pipelines.conditions import Condition
from pilothouse.delivery.pipelines.tasks.request import TaskRun


@dataclass(slots=True)
class CustomRun:
    """A run of a task that is not Tekton's own: a handler does it."""

    name: str
    uid: str
    spec: dict[str, Any]
    pipeline_task: str = ""
    pipeline_run: str = ""
    namespace: str = "default"
    status: dict[str, Any] = field(default_factory=dict)

    @property
    def condition(self) -> Condition:
        return conditions.of(self.status)

    def to_object(self) -> dict[str, Any]:
        """The whole CustomRun."""
        return {
            "apiVersion": "tekton.dev/v1beta1", "kind": "CustomRun",
            "metadata": {"name": self.name, "namespace": self.namespace, "uid": self.uid},
            "spec": self.spec, "status": self.status,
        }  # fmt: skip


@dataclass(slots=True)
class PipelineRun:
    """One run of a pipeline. `children` are its TaskRuns, CustomRuns and PipelineRuns by pipeline task, in order."""

    name: str
    uid: str
    spec: dict[str, Any]
    namespace: str = "default"
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    pipeline: dict[str, Any] = field(default_factory=dict)
    pipeline_name: str = ""
    source: dict[str, Any] = field(default_factory=dict)
    children: dict[str, list[TaskRun | CustomRun | PipelineRun]] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)
    started: int = 0
    finished: int = 0
    trace: str = ""
    span: str = ""
    parent: str = ""
    depth: int = 0
    untrusted: bool = False

    @property
    def condition(self) -> Condition:
        return conditions.of(self.status)

    @property
    def results(self) -> list[dict[str, Any]]:
        return list(self.status.get("results") or [])

    def to_object(self) -> dict[str, Any]:
        """The whole PipelineRun, as `kubectl get -o yaml` would show it."""
        labels = {**self.labels, "tekton.dev/pipelineRun": self.name, "app.kubernetes.io/managed-by": "pilothouse"}
        return {
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "metadata": {
                "name": self.name, "namespace": self.namespace, "uid": self.uid, "labels": labels,
                "annotations": dict(self.annotations),
            },
            "spec": self.spec,
            "status": self.status,
        }  # fmt: skip

    def task_runs(self) -> list[TaskRun]:
        """All TaskRuns, also of pipelines inside this one."""
        found: list[TaskRun] = []
        for runs in self.children.values():
            for run in runs:
                if isinstance(run, TaskRun):
                    found.append(run)
                elif isinstance(run, PipelineRun):
                    found += run.task_runs()
        return found
