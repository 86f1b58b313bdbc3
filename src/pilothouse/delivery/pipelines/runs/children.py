"""The runs that a pipeline task becomes: TaskRuns, one for each combination of a matrix, a CustomRun, a PipelineRun."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.pipelines import naming, parameters
from pilothouse.delivery.pipelines.checking.pipeline_tasks import is_custom
from pilothouse.delivery.pipelines.errors import RunError
from pilothouse.delivery.pipelines.references import References
from pilothouse.delivery.pipelines.runs import matrix, timing
from pilothouse.delivery.pipelines.runs.knowing import Knowledge
from pilothouse.delivery.pipelines.runs.request import CustomRun, PipelineRun
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.variables import Values, replace
from pilothouse.delivery.pipelines.volumes import claimed

Child = TaskRun | CustomRun | PipelineRun
_FIELDS = ("params", "matrix", "workspaces", "timeout", "onError", "displayName", "taskRef", "pipelineRef")
MOST_NESTED = 10


class Children:
    """Makes the runs of one PipelineRun's tasks."""

    def __init__(self, run: PipelineRun, knowledge: Knowledge, references: References) -> None:
        self._run = run
        self._knowledge = knowledge
        self._references = references
        self._workspaces = {one["name"]: one for one in claimed(run.spec.get("workspaces") or [], run.uid)}

    async def make(self, name: str) -> list[Child]:
        """The runs for pipeline task `name`. Raises `RunError` or `ResolveError`."""
        task = self._knowledge.task(name)
        ready = self._knowledge.replaced(name, *_FIELDS)
        params = parameters.given(ready.get("params") or [], self._references.catalog)
        if not task.get("matrix"):
            return [await self._one(task, ready, params, f"-{name}", "", 0)]
        found = []
        combinations = matrix.combinations(ready["matrix"])
        ends = matrix.suffixes(ready["matrix"], combinations)
        for index, (one, end) in enumerate(zip(combinations, ends, strict=True)):
            both = {**params, **one.params}
            found.append(await self._one(task, ready, both, f"-{name}-{end}", one.name, index))
        return found

    async def _one(
        self, task: dict[str, Any], ready: dict[str, Any], params: parameters.Params, suffix: str,
        label: str, index: int,
    ) -> Child:  # fmt: skip
        name = naming.child(self._run.name, suffix)
        bindings = self._bindings(task, ready)
        if task.get("pipelineRef") or task.get("pipelineSpec"):
            return self._pipeline(name, task, ready, params, bindings)
        if is_custom(task):
            return self._custom(name, task, ready, params, bindings)
        return await self._task(name, task, ready, params, bindings, label, index)

    async def _task(
        self, name: str, task: dict[str, Any], ready: dict[str, Any], params: parameters.Params,
        bindings: list[dict[str, Any]], label: str, index: int,
    ) -> TaskRun:  # fmt: skip
        run = self._run
        own = self._specific(task["name"], params)
        spec: dict[str, Any] = {"params": parameters.listed(params), "workspaces": bindings}
        if task.get("retries"):
            spec["retries"] = int(task["retries"])
        for field in ("stepSpecs", "sidecarSpecs", "computeResources"):
            if own.get(field):
                spec[field] = own[field]
        pod = {**((run.spec.get("taskRunTemplate") or {}).get("podTemplate") or {}), **(own.get("podTemplate") or {})}
        if pod:
            spec["podTemplate"] = pod
        account = own.get("serviceAccountName") or (run.spec.get("taskRunTemplate") or {}).get("serviceAccountName")
        spec["serviceAccountName"] = account or "default"
        labels = {**run.labels, "tekton.dev/pipelineRun": run.name, "tekton.dev/pipelineTask": task["name"]}
        labels["tekton.dev/memberOf"] = "finally" if task["name"] in self._knowledge.final else "tasks"
        if run.pipeline_name:
            labels["tekton.dev/pipeline"] = run.pipeline_name
        outer, body, task_name, source = Values(), task.get("taskSpec"), "", {}
        annotations = dict((own.get("metadata") or {}).get("annotations") or {})
        if body is not None:
            meta = body.get("metadata") or {}
            labels |= meta.get("labels") or {}
            annotations |= meta.get("annotations") or {}
            outer = self._knowledge.values
            spec["taskSpec"] = body
        else:
            ref = ready["taskRef"]
            spec["taskRef"] = ref
            found = await self._references.task(ref)
            body, task_name, source = found.spec, found.name, found.source
            annotations |= found.annotations
            labels["tekton.dev/task"] = task_name
        child = TaskRun(
            name=name, uid=naming.uid(), spec=spec, task=body, task_name=task_name, namespace=run.namespace,
            labels=labels,
            annotations=annotations, outer=outer, pipeline_task=task["name"], pipeline_run=run.name,
            pipeline_run_uid=run.uid, combination=index, timeout=timing.of_task(run.spec, {**task, **ready}),
            source=source, trace=run.trace, untrusted=run.untrusted,
        )  # fmt: skip
        display = str(replace(label or ready.get("displayName") or "", parameters.values(params)))
        if display:
            child.annotations["pilothouse.dev/display-name"] = display
        return child

    def _custom(
        self, name: str, task: dict[str, Any], ready: dict[str, Any], params: parameters.Params,
        bindings: list[dict[str, Any]],
    ) -> CustomRun:  # fmt: skip
        spec: dict[str, Any] = {
            "params": parameters.listed(params),
            "workspaces": bindings,
            "retries": int(task.get("retries") or 0),
        }
        if ready.get("taskRef"):
            spec["customRef"] = ready["taskRef"]
        else:
            spec["customSpec"] = replace(task["taskSpec"], self._knowledge.values)
        spec["timeout"] = ready.get("timeout") or "1h0m0s"
        return CustomRun(name, naming.uid(), spec, task["name"], self._run.name, self._run.namespace)

    def _pipeline(
        self, name: str, task: dict[str, Any], ready: dict[str, Any], params: parameters.Params,
        bindings: list[dict[str, Any]],
    ) -> PipelineRun:  # fmt: skip
        run = self._run
        if run.depth >= MOST_NESTED:
            raise RunError("PipelineValidationFailed", f"pipelines are nested more than {MOST_NESTED} deep at {name}")
        spec: dict[str, Any] = {"params": parameters.listed(params), "workspaces": bindings}
        if task.get("pipelineRef"):
            spec["pipelineRef"] = ready["pipelineRef"]
        else:
            inner = {str(one.get("name")) for one in task["pipelineSpec"].get("tasks") or []}
            spec["pipelineSpec"] = replace(task["pipelineSpec"], _without(self._knowledge.values, inner))
        if ready.get("timeout"):
            spec["timeouts"] = {"pipeline": ready["timeout"]}
        elif run.spec.get("timeouts"):
            spec["timeouts"] = {"pipeline": (run.spec["timeouts"].get("tasks") or run.spec["timeouts"].get("pipeline"))}
            spec["timeouts"] = {key: value for key, value in spec["timeouts"].items() if value}
        return PipelineRun(
            name=name, uid=naming.uid(), spec=spec, namespace=run.namespace, labels={**run.labels}, trace=run.trace,
            parent=run.name, depth=run.depth + 1, untrusted=run.untrusted,
        )  # fmt: skip

    def _bindings(self, task: dict[str, Any], ready: dict[str, Any]) -> list[dict[str, Any]]:
        """The workspaces of a task: the run's, under the task's names, with both sub-paths."""
        found: list[dict[str, Any]] = []
        for one in ready.get("workspaces") or []:
            binding = self._workspaces.get(one.get("workspace") or one["name"])
            if binding is None:
                continue
            path = "/".join(part.strip("/") for part in (binding.get("subPath"), one.get("subPath")) if part)
            bound = {**binding, "name": one["name"]}
            found.append({**bound, "subPath": path} if path else bound)
        if task.get("taskSpec") or task.get("pipelineSpec"):
            known = {one["name"] for one in found}
            # An embedded task sees the pipeline's workspaces without asking for them.
            found += [binding for name, binding in self._workspaces.items() if name not in known]
        return found

    def _specific(self, name: str, params: parameters.Params) -> dict[str, Any]:
        for one in self._run.spec.get("taskRunSpecs") or []:
            if one.get("pipelineTaskName") == name:
                values = self._knowledge.values.copy()
                values.update(parameters.values(params))
                return dict(replace(one, values))
        return {}


def _without(values: Values, tasks: set[str]) -> Values:
    """The values without those of tasks that an embedded pipeline has itself."""
    found = values.copy()
    for kind in (found.strings, found.arrays, found.objects):
        for key in [key for key in kind if key.startswith("tasks.") and key.split(".")[1] in tasks]:
            del kind[key]
    return found
