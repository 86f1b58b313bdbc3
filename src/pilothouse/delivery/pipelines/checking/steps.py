"""Steps, sidecars and StepActions. Source: `{task,container,stepaction}_validation.go`."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.pipelines import durations
from pilothouse.delivery.pipelines.checking import names, params, references, results, when
from pilothouse.delivery.pipelines.fields import Errors, FieldError, at, both, general, invalid, missing, under

_NOT_WITH_REF = ("image", "command", "args", "script", "env", "volumeMounts", "results", "workingDir")


def steps(found: list[dict[str, Any]], template: dict[str, Any]) -> Errors:
    """The rules for the steps of a Task. Paths start with `steps[i]`."""
    seen: set[str] = set()
    for index, step in enumerate(found):
        yield from at("steps", index, _step(step, template, seen))


def _step(step: dict[str, Any], template: dict[str, Any], seen: set[str]) -> Errors:
    if "ref" in step and step["ref"] is not None:
        yield from _with_ref(step)
    else:
        yield from _without_ref(step, template)
    yield from _named(step, seen)
    yield from _limits(step)
    yield from _mounts(step)
    yield from under("results", results.declared(step.get("results") or []))
    yield from when.expressions(step.get("when") or [])


def _with_ref(step: dict[str, Any]) -> Errors:
    yield from under("ref", reference(step["ref"]))
    for field in _NOT_WITH_REF:
        if step.get(field):
            yield general(f"{field} cannot be used with Ref", field)


def _without_ref(step: dict[str, Any], template: dict[str, Any]) -> Errors:
    if step.get("params"):
        yield general("params cannot be used without Ref", "params")
    if not step.get("image") and not template.get("image"):
        yield missing("image")
    if step.get("script") and (step.get("command") or template.get("command")):
        yield general("script cannot be used with command", "script")


def reference(ref: dict[str, Any]) -> Errors:
    """A StepAction's reference: by name, or by resolver with parameters."""
    name, resolver, given = ref.get("name"), ref.get("resolver"), ref.get("params")
    if resolver or given is not None:
        if resolver and name:
            yield both("name", "resolver")
        if given is not None and name:
            yield both("name", "params")
        if given is not None and not resolver:
            yield missing("resolver")
        yield from under("params", params.given(given or []))
    elif name:
        if not names.is_qualified(name):
            yield invalid(name, "name", "must be a valid name of a Kubernetes object")
    else:
        yield missing("name")


def _named(step: dict[str, Any], seen: set[str]) -> Errors:
    name = step.get("name")
    if not name:
        return
    if name in seen:
        yield invalid(name, "name", "each step needs a name of its own")
    seen.add(name)
    if "$(" not in name and not names.is_label(name):
        yield FieldError(f'invalid value "{name}"', ("name",), "Task step name must be a valid DNS Label")


def _limits(step: dict[str, Any]) -> Errors:
    timeout = step.get("timeout")
    if isinstance(timeout, str) and "$(" not in timeout and durations.seconds(timeout) < 0:
        yield invalid(timeout, "timeout", "negative timeout")
    behaviour = step.get("onError")
    if behaviour and not behaviour.startswith("$(params") and behaviour not in ("continue", "stopAndFail"):
        yield FieldError(
            f'invalid value: "{behaviour}"',
            ("onError",),
            'Task step onError must be either "continue" or "stopAndFail"',
        )


def _mounts(step: dict[str, Any]) -> Errors:
    for index, mount in enumerate(step.get("volumeMounts") or []):
        name, path = mount.get("name", ""), mount.get("mountPath", "")
        if path.startswith("/tekton/") and not path.startswith("/tekton/home"):
            yield general(
                f'volumeMount cannot be mounted under /tekton/ (volumeMount "{name}" mounted at "{path}")',
                f"volumeMounts[{index}].mountPath",
            )
        if name.startswith("tekton-internal-"):
            yield general(
                f'volumeMount name "{name}" cannot start with "tekton-internal-"', f"volumeMounts[{index}].name"
            )


def sidecars(found: list[dict[str, Any]]) -> Errors:
    """The rules for sidecars."""
    for sidecar in found:
        if sidecar.get("name") == "tekton-log-results":
            yield general("Invalid: cannot use reserved sidecar name tekton-log-results", "sidecars")
    for index, sidecar in enumerate(found):
        if sidecar.get("script") and sidecar.get("command"):
            yield general("script cannot be used with command", f"sidecars[{index}].script")
        if not sidecar.get("image"):
            yield missing(f"sidecars[{index}].image")


def step_action(spec: dict[str, Any]) -> Errors:
    """The rules for the spec of a StepAction."""
    if not spec.get("image"):
        yield missing("image")
    if spec.get("script"):
        if spec.get("command"):
            yield general("script cannot be used with command", "script")
        if "$(params." in spec["script"] or "$(params[" in spec["script"]:
            yield general("param substitution in scripts is not allowed.", "script")
    declared = spec.get("params") or []
    yield from under("params", params.declarations(declared))
    yield from references.params_in_step({key: spec[key] for key in spec if key != "script"}, declared)
    yield from under("results", results.declared(spec.get("results") or []))
    for index, mount in enumerate(spec.get("volumeMounts") or []):
        name = str(mount.get("name", ""))
        if not (name.startswith("$(params") and name.endswith(")") and name.count("$(") == 1):
            yield general(
                f'expect the Name to be a single param reference such as $(params.volume), got "{name}"',
                f"volumeMounts[{index}].name",
            )
