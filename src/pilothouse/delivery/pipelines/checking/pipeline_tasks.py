"""One task of a pipeline: what it refers to or embeds, its matrix, its error handling. Source: `pipeline_types.go`."""

from __future__ import annotations

import re
from typing import Any

from pilothouse.delivery.pipelines.checking import names, params, tasks, when
from pilothouse.delivery.pipelines.fields import Errors, FieldError, both, general, invalid, missing, neither, under
from pilothouse.delivery.pipelines.variables import references

MOST_COMBINATIONS = 256
_STATUS = re.compile(r"tasks\.(?:[^.]+\.)?(?:status|reason)$")
_FORMS = ("taskRef", "taskSpec", "pipelineRef", "pipelineSpec")


def pipeline_task(one: dict[str, Any]) -> Errors:
    """The rules for one entry of `tasks` or `finally`. Paths are below it."""
    name = str(one.get("name", ""))
    if not names.is_label(name):
        yield FieldError(f'invalid value "{name}"', ("name",), "Pipeline Task name must be a valid DNS Label")
    forms = [form for form in _FORMS if one.get(form) is not None]
    if len(forms) > 1:
        yield both(*forms)
    elif not forms:
        yield neither("taskRef", "taskSpec")
    else:
        yield from _FORM[forms[0]](one[forms[0]])
    yield from _errors(one)
    yield from when.expressions(one.get("when") or [])
    yield from under("params", params.given(one.get("params") or []))
    if one.get("matrix") is not None:
        yield from _matrix(one)
    retries = one.get("retries") or 0
    if isinstance(retries, int) and retries < 0:
        yield invalid(retries, "retries", "must not be negative")


def is_custom(one: dict[str, Any]) -> bool:
    """Whether the entry runs as a CustomRun: its reference or spec has an apiVersion, or a kind that is not Task."""
    form = one.get("taskRef") or one.get("taskSpec") or {}
    return bool(form.get("apiVersion") and form.get("apiVersion") not in ("tekton.dev/v1", "tekton.dev/v1beta1")) or (
        form.get("kind") not in (None, "", "Task", "ClusterTask")
    )


def _task_ref(ref: dict[str, Any]) -> Errors:
    if is_custom({"taskRef": ref}):
        for field in ("kind", "apiVersion"):
            if not ref.get(field):
                yield invalid(f"custom task ref must specify {field}", f"taskRef.{field}")
        return
    if ref.get("bundle"):
        yield general("bundle is gone: use the bundles resolver", "taskRef.bundle")
    if ref.get("resolver"):
        if ref.get("name"):
            yield both("taskRef.name", "taskRef.resolver")
        yield from under("taskRef.params", params.given(ref.get("params") or []))
    elif ref.get("params"):
        yield missing("taskRef.resolver")
    elif not ref.get("name"):
        yield invalid("taskRef must specify name", "taskRef.name")
    elif "$(" not in ref["name"] and not names.is_qualified(ref["name"]):
        yield invalid(ref["name"], "taskRef.name", "must be a valid name of a Kubernetes object")


def _task_spec(spec: dict[str, Any]) -> Errors:
    if spec.get("steps"):
        for field in ("apiVersion", "kind"):
            if spec.get(field):
                yield general(f"taskSpec.{field} cannot be specified when using taskSpec.steps", f"taskSpec.{field}")
    if is_custom({"taskSpec": spec}) and not spec.get("steps"):
        for field in ("kind", "apiVersion"):
            if not spec.get(field):
                yield invalid(f"custom task spec must specify {field}", f"taskSpec.{field}")
        return
    yield from under("taskSpec", tasks.task_spec(spec))


def pipeline_ref(ref: dict[str, Any]) -> Errors:
    """A reference to a Pipeline. Paths start with `pipelineRef`."""
    if ref.get("resolver"):
        if ref.get("name"):
            yield both("pipelineRef.name", "pipelineRef.resolver")
        yield from under("pipelineRef.params", params.given(ref.get("params") or []))
    elif ref.get("params"):
        yield missing("pipelineRef.resolver")
    elif not ref.get("name"):
        yield missing("pipelineRef.name")
    elif not names.is_qualified(ref["name"]):
        yield invalid(ref["name"], "pipelineRef.name", "must be a valid name of a Kubernetes object")


def _pipeline_spec(spec: dict[str, Any]) -> Errors:
    from pilothouse.delivery.pipelines.checking.pipelines import pipeline_spec

    yield from under("pipelineSpec", pipeline_spec(spec))


_FORM = {
    "taskRef": _task_ref,
    "taskSpec": _task_spec,
    "pipelineRef": pipeline_ref,
    "pipelineSpec": _pipeline_spec,
}


def _errors(one: dict[str, Any]) -> Errors:
    behaviour = one.get("onError")
    if not behaviour or behaviour.startswith("$("):
        return
    if behaviour not in ("continue", "stopAndFail"):
        yield FieldError(
            f'invalid value: "{behaviour}"', ("onError",),
            'PipelineTask OnError must be either "continue" or "stopAndFail"',
        )  # fmt: skip
    elif behaviour == "continue" and (one.get("retries") or 0) > 0:
        yield general('PipelineTask OnError cannot be set to "continue" when Retries is greater than 0', "onError")


def _include_when(found: list[dict[str, Any]]) -> Errors:
    """The conditions of one combination: parameters and results, neither CEL nor how tasks ended."""
    yield from when.expressions(found)
    for index, one in enumerate(found):
        if one.get("cel"):
            yield general("cel is not supported in matrix.include", f"when[{index}].cel")
        for text in (str(one.get("input", "")), *map(str, one.get("values") or [])):
            if any(_STATUS.match(reference) for reference in references(text)):
                yield invalid(f"how tasks ended is not known in matrix.include: {text}", f"when[{index}]")


def _matrix(one: dict[str, Any]) -> Errors:
    found = [*(one["matrix"].get("params") or [])]
    included = [param for entry in one["matrix"].get("include") or [] for param in entry.get("params") or []]
    if not found and not one["matrix"].get("include"):
        yield missing("matrix.params")
    plain = {param.get("name") for param in one.get("params") or []}
    for param in found:
        name = param.get("name")
        if name in plain:
            yield both(f"matrix[{name}]", f"params[{name}]")
        if not isinstance(param.get("value"), list) and "[*])" not in str(param.get("value")):
            yield general("parameters of type array only are allowed in matrix", f"matrix.params[{name}].value")
    for param in included:
        if not isinstance(param.get("value"), str):
            yield general(
                "parameters of type string only are allowed in matrix.include.params",
                f"matrix.include.params[{param.get('name')}].value",
            )
    yield from under("matrix.params", params.given(found))
    for index, entry in enumerate(one["matrix"].get("include") or []):
        yield from under(f"matrix.include[{index}].params", params.given(entry.get("params") or []))
        yield from under(f"matrix.include[{index}]", _include_when(entry.get("when") or []))
    count = 1
    for param in found:
        count *= len(param["value"]) if isinstance(param.get("value"), list) else 1
    if count > MOST_COMBINATIONS:
        yield general(f"expected 0 <= {count} <= {MOST_COMBINATIONS}", "matrix")
