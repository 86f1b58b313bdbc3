"""What a TaskRun is before it runs, and what is left of it after."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pilothouse.delivery.pipelines import conditions
from pilothouse.delivery.pipelines.conditions import Condition
from pilothouse.delivery.pipelines.variables import Values


@dataclass(slots=True)
class TaskRun:
    """One run of a task.

    `spec` is the TaskRun's own spec; `task` the resolved TaskSpec, `task_name` its name where it has one. `outer` are
    the values that a pipeline hands down into an embedded task. `status` is Tekton's, filled while it runs.
    """

    name: str
    uid: str
    spec: dict[str, Any]
    task: dict[str, Any] = field(default_factory=dict)
    task_name: str = ""
    namespace: str = "default"
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    outer: Values = field(default_factory=Values)
    pipeline_task: str = ""
    pipeline_run: str = ""
    pipeline_run_uid: str = ""
    combination: int = 0
    timeout: float = 3600.0
    attempt: int = 0
    source: dict[str, Any] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)
    started: int = 0
    finished: int = 0
    trace: str = ""
    cached_from: str = ""
    untrusted: bool = False

    @property
    def condition(self) -> Condition:
        return conditions.of(self.status)

    @property
    def results(self) -> list[dict[str, Any]]:
        return list(self.status.get("results") or [])

    def metadata(self) -> dict[str, Any]:
        """As `metadata` of the object."""
        return {
            "name": self.name,
            "namespace": self.namespace,
            "uid": self.uid,
            "labels": {**self.labels, "app.kubernetes.io/managed-by": "pilothouse", "tekton.dev/taskRun": self.name},
            "annotations": dict(self.annotations),
        }

    def to_object(self) -> dict[str, Any]:
        """The whole TaskRun, as `kubectl get -o yaml` would show it."""
        return {
            "apiVersion": "tekton.dev/v1",
            "kind": "TaskRun",
            "metadata": self.metadata(),
            "spec": self.spec,
            "status": self.status,
        }
