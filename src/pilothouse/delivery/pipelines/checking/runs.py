"""TaskRuns, PipelineRuns and CustomRuns. Source: `taskrun_validation.go`, `pipelinerun_validation.go`."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.pipelines import durations
from pilothouse.delivery.pipelines.checking import names, params, tasks
from pilothouse.delivery.pipelines.checking.pipeline_tasks import pipeline_ref
from pilothouse.delivery.pipelines.checking.pipelines import pipeline_spec
from pilothouse.delivery.pipelines.fields import Errors, both, general, invalid, missing, neither, under
from pilothouse.delivery.pipelines.graph import result_refs

DEFAULT_TIMEOUT = 3600.0
PIPELINE_STATES = ("Cancelled", "CancelledRunFinally", "StoppedRunFinally", "PipelineRunPending")
TASK_STATES = ("TaskRunCancelled", "TaskRunPending")
_VOLUMES = ("persistentVolumeClaim", "volumeClaimTemplate", "emptyDir", "configMap", "secret", "projected", "csi")


def task_run(spec: dict[str, Any]) -> Errors:
    """The rules for the spec of a TaskRun."""
    ref, inline = spec.get("taskRef"), spec.get("taskSpec")
    if ref is None and inline is None:
        yield neither("taskRef", "taskSpec")
    if ref is not None and inline is not None:
        yield both("taskRef", "taskSpec")
    if ref is not None:
        yield from under("taskRef", _ref(ref))
    if inline is not None:
        yield from under("taskSpec", tasks.task_spec(inline))
        given = [
            {"name": one.get("name"), "default": one.get("value"), **_keys(one)} for one in spec.get("params") or []
        ]
        yield from under("taskSpec", tasks.declared_usage(inline, given))
    yield from under("params", params.given(spec.get("params") or []))
    yield from bindings(spec.get("workspaces") or [], "taskrun")
    if spec.get("status") and spec["status"] not in TASK_STATES:
        yield invalid(f"{spec['status']} should be TaskRunCancelled or TaskRunPending", "status")
    if spec.get("statusMessage") and not spec.get("status"):
        yield invalid(
            f"statusMessage should not be set if status is not set, but it is currently set to {spec['statusMessage']}",
            "statusMessage",
        )
    yield from _not_negative(spec.get("timeout"), "timeout")
    yield from _breakpoints((spec.get("debug") or {}).get("breakpoints") or {})
    yield from _specs(spec.get("stepSpecs") or [], "stepSpecs")
    yield from _specs(spec.get("sidecarSpecs") or [], "sidecarSpecs")
    if spec.get("computeResources") and any(one.get("computeResources") for one in spec.get("stepSpecs") or []):
        yield both("stepSpecs.resources", "computeResources")


def pipeline_run(spec: dict[str, Any]) -> Errors:
    """The rules for the spec of a PipelineRun."""
    ref, inline = spec.get("pipelineRef"), spec.get("pipelineSpec")
    if ref is None and inline is None:
        yield neither("pipelineRef", "pipelineSpec")
    if ref is not None and inline is not None:
        yield both("pipelineRef", "pipelineSpec")
    if ref is not None:
        yield from pipeline_ref(ref)
    if inline is not None:
        yield from under("pipelineSpec", pipeline_spec(inline))
        yield from under("pipelineSpec", _inline_usage(spec))
    yield from under("params", params.given(spec.get("params") or []))
    for one in spec.get("params") or []:
        if any(result_refs(one.get("value"))):
            yield invalid(
                "cannot use result expressions as PipelineRun parameter values", f"params[{one.get('name')}].value"
            )
    yield from _timeouts(spec.get("timeouts") or {})
    if spec.get("status") and spec["status"] not in PIPELINE_STATES:
        yield invalid(
            f"{spec['status']} should be Cancelled, CancelledRunFinally, StoppedRunFinally or PipelineRunPending",
            "status",
        )
    yield from bindings(spec.get("workspaces") or [], "pipelinerun")
    for one in spec.get("taskRunSpecs") or []:
        place = f"taskRunSpecs[{one.get('pipelineTaskName', '')}]"
        if not one.get("pipelineTaskName"):
            yield missing("taskRunSpecs.pipelineTaskName")
        yield from under(place, _not_negative(one.get("timeout"), "timeout"))
        yield from under(place, _specs(one.get("stepSpecs") or [], "stepSpecs"))


def custom_run(spec: dict[str, Any]) -> Errors:
    """The rules for the spec of a CustomRun."""
    ref, inline = spec.get("customRef"), spec.get("customSpec")
    if ref is None and inline is None:
        yield missing("customRef", "customSpec")
        return
    if ref is not None and inline is not None:
        yield both("customRef", "customSpec")
    place, form = ("customRef", ref) if ref is not None else ("customSpec", inline)
    for field in ("apiVersion", "kind"):
        if not (form or {}).get(field):
            yield missing(f"{place}.{field}")
    yield from under("params", params.given(spec.get("params") or []))
    if spec.get("status") and spec["status"] != "RunCancelled":
        yield invalid(f"{spec['status']} should be RunCancelled", "status")


def bindings(found: list[dict[str, Any]], owner: str) -> Errors:
    """The rules for the workspaces that a run gives; paths start with `workspaces[i]`."""
    seen: dict[str, int] = {}
    for index, one in enumerate(found):
        place, name = f"workspaces[{index}]", str(one.get("name", ""))
        if not name:
            yield missing(f"{place}.name")
        elif name in seen:
            yield general(
                f'workspace "{name}" provided by {owner} more than once, at index {seen[name]} and {index}',
                f"{place}.name",
            )
        seen[name] = index
        sources = [volume for volume in _VOLUMES if one.get(volume) is not None]
        if len(sources) > 1:
            yield both(*(f"{place}.{source}" for source in sources))
        elif not sources:
            yield neither(*(f"{place}.{volume}" for volume in _VOLUMES))
        else:
            yield from under(place, _source(sources[0], one[sources[0]]))


def _source(kind: str, source: Any) -> Errors:
    if not isinstance(source, dict):
        yield invalid(source, kind, "must be an object")
        return
    needed = {"persistentVolumeClaim": "claimName", "configMap": "name", "secret": "secretName", "csi": "driver"}
    if kind in needed and not source.get(needed[kind]):
        yield missing(f"{kind}.{needed[kind]}")
    if kind == "projected" and not source.get("sources"):
        yield missing("projected.sources")


def _ref(ref: dict[str, Any]) -> Errors:
    if ref.get("resolver"):
        if ref.get("name"):
            yield both("name", "resolver")
        yield from under("params", params.given(ref.get("params") or []))
    elif ref.get("params"):
        yield missing("resolver")
    elif not ref.get("name"):
        yield missing("name")
    elif not names.is_qualified(ref["name"]):
        yield invalid(ref["name"], "name", "must be a valid name of a Kubernetes object")


def _keys(given: dict[str, Any]) -> dict[str, Any]:
    value = given.get("value")
    return {"properties": {key: {} for key in value}} if isinstance(value, dict) else {}


def _inline_usage(spec: dict[str, Any]) -> Errors:
    """Parameters in embedded tasks that nobody gives: neither the run, the pipeline, nor the task."""
    from pilothouse.delivery.pipelines.checking.pipelines import standalone

    inline = dict(spec["pipelineSpec"])
    own = {one.get("name"): one for one in inline.get("params") or []}
    given = [{"name": one.get("name"), "default": one.get("value"), **_keys(one)} for one in spec.get("params") or []]
    for one in given:
        declared = own.setdefault(one["name"], one)
        if one.get("properties") and declared is not one:
            own[one["name"]] = {**declared, "properties": {**one["properties"], **(declared.get("properties") or {})}}
    spaces = {one.get("name"): one for one in [*(spec.get("workspaces") or []), *(inline.get("workspaces") or [])]}
    inline["params"], inline["workspaces"] = list(own.values()), list(spaces.values())
    yield from (error for error in standalone(inline) if "expects workspace" not in error.message)


def _timeouts(found: dict[str, Any]) -> Errors:
    lengths: dict[str, float] = {}
    for field in ("tasks", "finally", "pipeline"):
        if isinstance(found.get(field), str):
            lengths[field] = durations.seconds(found[field])
            if lengths[field] < 0:
                yield invalid(f"{durations.written(lengths[field])} should be >= 0", f"timeouts.{field}")
    limit = lengths.get("pipeline", DEFAULT_TIMEOUT)
    words = "should be <= pipeline duration" if "pipeline" in lengths else "should be <= default timeout duration"
    if limit == 0:
        return
    for field in ("tasks", "finally"):
        length = lengths.get(field)
        if length is not None and (length > limit or length == 0):
            none = " (no timeout)" if length == 0 else ""
            yield invalid(f"{durations.written(length)}{none} {words}", f"timeouts.{field}")
    if "tasks" in lengths and "finally" in lengths and lengths["tasks"] + lengths["finally"] > limit:
        total = f"{durations.written(lengths['tasks'])} + {durations.written(lengths['finally'])} {words}"
        yield invalid(total, "timeouts.tasks")
        yield invalid(total, "timeouts.finally")


def _not_negative(value: Any, path: str) -> Errors:
    if isinstance(value, str) and durations.seconds(value) < 0:
        yield invalid(f"{durations.written(durations.seconds(value))} should be >= 0", path)


def _breakpoints(found: dict[str, Any]) -> Errors:
    if found.get("onFailure") and found["onFailure"] != "enabled":
        yield invalid(
            f'"{found["onFailure"]}" is not a valid breakpoint, the only valid value is "enabled"',
            "debug.breakpoints.onFailure",
        )
    before = found.get("beforeSteps") or []
    for index, name in enumerate(before):
        if name in before[:index]:
            yield general(
                f'before step must be unique, the same step: "{name}" is defined multiple times at',
                f"debug.breakpoints.beforeSteps[{index}]",
            )


def _specs(found: list[dict[str, Any]], field: str) -> Errors:
    seen: set[str] = set()
    for one in found:
        name = one.get("name", "")
        if not name:
            yield missing(f"{field}.name")
        elif name in seen:
            yield both(f"{field}[{name}].name")
        seen.add(name)
