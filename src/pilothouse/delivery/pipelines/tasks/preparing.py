"""From a TaskRun to steps that can run: StepActions fetched, the template merged, parameters and variables replaced."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pilothouse.delivery.pipelines import parameters, templates, workspaces
from pilothouse.delivery.pipelines.catalog import Catalog
from pilothouse.delivery.pipelines.errors import RunError
from pilothouse.delivery.pipelines.tasks import resources
from pilothouse.delivery.pipelines.tasks.names import step_name
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.variables import Values, replace
from pilothouse.delivery.pipelines.workspaces import Bound

FetchAction = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
# What a step keeps of its own when a StepAction fills in the rest.
_OWN = (
    "name",
    "displayName",
    "timeout",
    "onError",
    "when",
    "computeResources",
    "workspaces",
    "stdoutConfig",
    "stderrConfig",
)
_FROM_ACTION = ("image", "command", "args", "env", "script", "workingDir", "securityContext", "volumeMounts", "results")


@dataclass(slots=True)
class Prepared:
    """A TaskRun's task with everything replaced that is known before its steps run."""

    spec: dict[str, Any]
    bound: list[Bound]
    values: Values
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def steps(self) -> list[dict[str, Any]]:
        return list(self.spec.get("steps") or [])


async def prepare(run: TaskRun, catalog: Catalog, action: FetchAction) -> Prepared:
    """Everything that can be known before the first step. Raises `RunError` or `ResolveError`."""
    spec = run.task
    owner = f"TaskRun {run.namespace}/{run.name}" + (f" (Task {run.task_name})" if run.task_name else "")
    given = parameters.given(run.spec.get("params") or [], catalog)
    handed = _handed_down(run.outer)
    try:
        params = parameters.settle(spec.get("params") or [], {**handed, **given}, owner)
    except RunError as error:
        reason = error.reason if error.reason == "InvalidParamValue" else "TaskRunValidationFailed"
        raise RunError(reason, str(error)) from None
    # What is given and not declared is still known inside an embedded task.
    params = {**given, **params}
    bound = workspaces.bind(spec.get("workspaces") or [], run.spec.get("workspaces") or [], owner)
    bound = _propagated(run, bound)
    values = run.outer.copy()
    context = _context(run)
    values.update(context)
    values.update(_paths(spec))
    for name, one in params.items():
        # What a pipeline hands over may ask for what only the TaskRun knows: `$(context.task.retry-count)`.
        values.put(f"params.{name}", replace(one, context))
    # A workspace's own mount path may use parameters.
    bound = [
        Bound(one.name, str(replace(one.path, values)), replace(one.binding, values), one.read_only) for one in bound
    ]
    values.update(workspaces.values(bound))
    steps = [await _with_action(step, values, action) for step in spec.get("steps") or []]
    merged = [_own_paths(step) for step in templates.merge(spec.get("stepTemplate"), steps)]
    merged = resources.steps(merged, run.spec)
    sidecars = resources.sidecars(spec.get("sidecars") or [], run.spec)
    body = {key: spec[key] for key in spec if key != "stepTemplate"}
    ready = replace({**body, "steps": merged, **({"sidecars": sidecars} if sidecars else {})}, values)
    return Prepared(ready, bound, values, params)


def _handed_down(outer: Values) -> dict[str, Any]:
    """The parameters of the pipeline, for those that an embedded task declares and nobody gives."""
    found: dict[str, Any] = {
        key.removeprefix("params."): value for key, value in outer.strings.items() if key.startswith("params.")
    }
    for kind in (outer.arrays, outer.objects):
        found |= {key.removeprefix("params."): value for key, value in kind.items() if key.startswith("params.")}
    return found


def _propagated(run: TaskRun, bound: list[Bound]) -> list[Bound]:
    """An embedded task sees the run's workspaces without declaring them."""
    if run.task_name:
        return bound
    known = {one.name for one in bound}
    more = [one for one in run.spec.get("workspaces") or [] if one["name"] not in known]
    return [*bound, *(Bound(one["name"], f"/workspace/{one['name']}", one) for one in more)]


def _own_paths(step: dict[str, Any]) -> dict[str, Any]:
    """Where a step mounts a workspace itself, that is the workspace's path for it."""
    paths = {
        f"workspaces.{one['name']}.path": one["mountPath"]
        for one in step.get("workspaces") or []
        if one.get("mountPath")
    }
    return dict(replace(step, Values(paths))) if paths else step


def _context(run: TaskRun) -> Values:
    return Values(
        {
            "context.taskRun.name": run.name,
            "context.taskRun.namespace": run.namespace,
            "context.taskRun.uid": run.uid,
            "context.task.name": run.task_name or run.pipeline_task or run.name,
            "context.task.retry-count": str(run.attempt),
            "credentials.path": "/tekton/creds",
            "artifacts.path": "/tekton/artifacts/provenance.json",
        }
    )


def _paths(spec: dict[str, Any]) -> Values:
    found = {f"results.{one['name']}.path": f"/tekton/results/{one['name']}" for one in spec.get("results") or []}
    for index, step in enumerate(spec.get("steps") or []):
        name = step_name(step, index)
        found[f"steps.step-{name}.exitCode.path"] = f"/tekton/steps/step-{name}/exitCode"
    return Values(found)


def step_values(step: dict[str, Any], index: int) -> Values:
    """What only this step's own texts may use."""
    directory = f"/tekton/steps/step-{step_name(step, index)}"
    found = {"step.artifacts.path": f"{directory}/artifacts/provenance.json"}
    for one in step.get("results") or []:
        found[f"step.results.{one['name']}.path"] = f"{directory}/results/{one['name']}"
    return Values(found)


async def _with_action(step: dict[str, Any], values: Values, action: FetchAction) -> dict[str, Any]:
    if not step.get("ref"):
        return step
    spec = await action(replace(step["ref"], values))
    given = {one["name"]: parameters.value(replace(one.get("value"), values)) for one in step.get("params") or []}
    given = {key: value for key, value in given.items() if not _unanswered(value, key, spec)}
    name = step.get("name") or step["ref"].get("name", "")
    params = parameters.settle(spec.get("params") or [], given, f"step {name}")
    known = [one["name"] for one in spec.get("params") or []]
    extra = [one for one in given if one not in known]
    if extra:
        raise RunError("TaskRunValidationFailed", f"step {name}: invalid params for StepAction: {' '.join(extra)}")
    inner = Values()
    for key, value in params.items():
        inner.put(f"params.{key}", value)
    body = replace({field: spec[field] for field in _FROM_ACTION if field in spec}, inner)
    return {**body, **{field: step[field] for field in _OWN if field in step}}


def _unanswered(value: Any, name: str, action: dict[str, Any]) -> bool:
    """A reference to a whole array or object that nothing stands behind: Tekton lets the action's default stand."""
    if not isinstance(value, str) or not (value.startswith("$(params.") and value.endswith("[*])")):
        return False
    return any(one["name"] == name and one.get("default") is not None for one in action.get("params") or [])
