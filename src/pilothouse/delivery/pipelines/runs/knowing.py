"""What the tasks of a pipeline may refer to while it runs: parameters, results, states, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pilothouse.delivery.pipelines import whens
from pilothouse.delivery.pipelines.errors import RunError
from pilothouse.delivery.pipelines.graph import ResultRef, result_refs
from pilothouse.delivery.pipelines.parameters import value as as_value
from pilothouse.delivery.pipelines.runs import matrix, scheduling
from pilothouse.delivery.pipelines.runs.scheduling import State
from pilothouse.delivery.pipelines.variables import Values, replace

_IN_TASK = ("params", "when", "matrix", "taskSpec", "pipelineSpec", "workspaces", "taskRef", "pipelineRef", "timeout")


class Knowledge:
    """The values of one PipelineRun, and the examination of its tasks before they start."""

    def __init__(self, spec: dict[str, Any], values: Values) -> None:
        self.values = values
        self.tasks: dict[str, dict[str, Any]] = {one["name"]: one for one in spec.get("tasks") or []}
        self.final: dict[str, dict[str, Any]] = {one["name"]: one for one in spec.get("finally") or []}
        self.results: dict[str, set[str]] = {}
        self.states: dict[str, State] = {}
        self._refs: dict[str, list[ResultRef]] = {}

    def task(self, name: str) -> dict[str, Any]:
        """The pipeline task of that name, as written."""
        return self.tasks.get(name) or self.final[name]

    def replaced(self, name: str, *fields: str) -> dict[str, Any]:
        """Some fields of a pipeline task with their references replaced."""
        task = self.task(name)
        self.values.strings["context.pipelineTask.retries"] = str(task.get("retries") or 0)
        return dict(replace({field: task[field] for field in fields if task.get(field) is not None}, self.values))

    def examine(self, name: str) -> str:
        """Why the task must be skipped, or empty. Raises `RunError` where its references cannot be right."""
        task = self.task(name)
        final = name in self.final
        missing = self._missing(name, final)
        if final and missing:
            return scheduling.MISSING
        if task.get("when"):
            try:
                if not whens.hold(self.replaced(name, "when")["when"]):
                    return scheduling.WHEN
            except whens.WhenError as error:
                raise RunError("CELEvaluationFailed", f"pipeline task {name!r}: {error}") from None
        if missing:
            return scheduling.MISSING
        return self._nothing_of(self.replaced(name, "matrix")["matrix"]) if task.get("matrix") else ""

    def _nothing_of(self, found: dict[str, Any]) -> str:
        if matrix.is_empty(found):
            return scheduling.EMPTY_MATRIX
        return scheduling.NO_INCLUDE if matrix.excluded(found) else ""

    def learn(self, name: str, found: list[dict[str, Any]], section: str = "tasks") -> None:
        """Take the results of a task that ended."""
        for one in found:
            self.values.put(f"{section}.{name}.results.{one['name']}", one["value"])

    def learn_artifacts(self, name: str, found: dict[str, Any]) -> None:
        """Take the artifacts of a task that ended."""
        for kind in ("inputs", "outputs"):
            entries = found.get(kind) or []
            if entries:
                self.values.strings[f"tasks.{name}.{kind}"] = json.dumps(entries)
            for one in entries:
                self.values.strings[f"tasks.{name}.{kind}.{one.get('name')}"] = json.dumps(one.get("values"))

    def learn_matrix(self, name: str, runs: list[list[dict[str, Any]]], section: str = "tasks") -> None:
        """Take the results of all combinations: each text result becomes an array in the order of the combinations."""
        self.values.strings[f"tasks.{name}.matrix.length"] = str(len(runs))
        gathered: dict[str, list[str]] = {}
        for found in runs:
            for one in found:
                if isinstance(one["value"], str):
                    gathered.setdefault(one["name"], []).append(one["value"])
        for result, values in gathered.items():
            self.values.put(f"{section}.{name}.results.{result}", values)
            self.values.strings[f"tasks.{name}.matrix.{result}.length"] = str(len(values))

    def learn_defaults(self, declared: Mapping[str, list[dict[str, Any]]]) -> None:
        """What finally tasks get of tasks that gave no result: the defaults that their tasks declare."""
        for name, results in declared.items():
            for one in results:
                if one.get("default") is not None and not self.known(ResultRef(name, one["name"])):
                    self.values.put(f"tasks.{name}.results.{one['name']}", as_value(one["default"]))

    def learn_states(self, states: dict[str, State], reasons: dict[str, str]) -> None:
        """What finally tasks may ask: the state of each task, and of all together."""
        self.states = states
        words = {
            State.SUCCEEDED: "Succeeded",
            State.FAILED: "Failed",
            State.IGNORED: "Failed",
            State.CANCELLED: "Failed",
        }
        for name in self.tasks:
            self.values.strings[f"tasks.{name}.status"] = words.get(states[name], "None")
            self.values.strings[f"tasks.{name}.reason"] = reasons.get(name, "None")
        found = [states[name] for name in self.tasks]
        if any(state in (State.FAILED, State.CANCELLED) for state in found):
            whole = "Failed"
        elif State.SKIPPED in found:
            whole = "Completed"
        else:
            whole = "Succeeded" if all(state in (State.SUCCEEDED, State.IGNORED) for state in found) else "None"
        self.values.strings["tasks.status"] = whole

    def known(self, ref: ResultRef, section: str = "tasks") -> bool:
        """Whether a result is there."""
        key = f"{section}.{ref.task}.results.{ref.result}"
        if ref.index and ref.index != "*":
            return self.values.text(f"{key}[{ref.index}]") is not None
        return self.values.text(key) is not None or self.values.whole(key) is not None

    def _missing(self, name: str, final: bool) -> bool:
        """Whether a result that the task uses is not there and may be missing."""
        if name not in self._refs:
            task = self.task(name)
            inner = {str(one.get("name")) for one in (task.get("pipelineSpec") or {}).get("tasks") or []}
            found = result_refs({field: task[field] for field in _IN_TASK if task.get(field)})
            self._refs[name] = [ref for ref in found if ref.task not in inner]
        missing = False
        for ref in self._refs[name]:
            if self.known(ref):
                continue
            state = self.states.get(ref.task)
            if not final and state is State.SUCCEEDED:
                what = f"[{ref.index}]" if ref.index and ref.index != "*" else ""
                raise RunError(
                    "InvalidTaskResultReference",
                    f"Invalid task result reference: Could not find result with name "
                    f"{ref.result}{what} for task {ref.task}",
                )
            missing = True
        return missing
