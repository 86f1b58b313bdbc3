"""References in texts to what is not declared, or in places where they cannot stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pilothouse.delivery.pipelines.checking.params import Declared, names, type_of
from pilothouse.delivery.pipelines.fields import Errors, general
from pilothouse.delivery.pipelines.variables import references

_FIELDS = ("name", "image", "workingDir", "script", "onError", "imagePullPolicy")
_TASK_RUN, _TASK = {"name", "namespace", "uid"}, {"name", "retry-count"}
_INDEXED = re.compile(r"^(.*)\[(?:[0-9]+|\*)\]$")


def step_texts(step: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Path, text, and whether a whole array may stand there, for all fields of a step that take references."""
    for field in _FIELDS:
        if isinstance(step.get(field), str):
            yield field, step[field], False
    for field in ("command", "args"):
        for index, text in enumerate(step.get(field) or []):
            yield f"{field}[{index}]", str(text), True
    for env in step.get("env") or []:
        if isinstance(env.get("value"), str):
            yield f"env[{env.get('name', '')}]", env["value"], False
    for index, mount in enumerate(step.get("volumeMounts") or []):
        for field in ("name", "mountPath", "subPath"):
            if isinstance(mount.get(field), str):
                yield f"volumeMount[{index}].{field}", mount[field], False


def unknown(text: str, prefix: str, known: set[str]) -> bool:
    """Whether `text` has a reference below `prefix.` that is none of `known` (or a key, or an element of one)."""
    return any(
        reference.startswith(prefix + ".") and not _is(reference[len(prefix) + 1 :], known)
        for reference in references(text)
    )


def _is(name: str, known: set[str]) -> bool:
    if found := _INDEXED.match(name):
        name = found[1]
    return name in known


def params_in_step(step: dict[str, Any], declared: Declared) -> Errors:
    """Parameters that are used and not declared, or used as what they are not. Paths are below the step."""
    known = names(declared)
    for one in declared:
        known |= {f"{one.get('name')}.{key}" for key in (one.get("properties") or {})}
    for path, text, _ in step_texts(step):
        if unknown(text, "params", known):
            yield general(f'non-existent variable in "{text}"', path)
    yield from whole_values_in_step(step, declared)


def whole_values_in_step(step: dict[str, Any], declared: Declared) -> Errors:
    """Whole arrays and objects where only a text can stand."""
    arrays = {str(one.get("name")) for one in declared if type_of(one) == "array"}
    objects = {str(one.get("name")) for one in declared if type_of(one) == "object"}
    for path, text, list_element in step_texts(step):
        for reference in references(text):
            name = reference.removeprefix("params.").removesuffix("[*]") if reference.startswith("params.") else ""
            alone = text.strip() == text and text.count("$(") == 1 and text.startswith("$(") and text.endswith(")")
            if name in arrays and not list_element:
                yield general(f'variable type invalid in "{text}"', path)
            elif name in arrays and not alone:
                yield general(f'variable is not properly isolated in "{text}"', path)
            elif name in objects:
                yield general(f'variable type invalid in "{text}"', path)


def context_in_step(step: dict[str, Any]) -> Errors:
    """`$(context.…)` that a step does not have."""
    for path, text, _ in step_texts(step):
        # Tekton looks below these two only: `$(context.other.thing)` is left to the shell.
        if unknown(text, "context.taskRun", _TASK_RUN) or unknown(text, "context.task", _TASK):
            yield general(f'non-existent variable in "{text}"', path)


def results_in_step(step: dict[str, Any], declared: set[str]) -> Errors:
    """`$(results.x.path)` of a result that neither the task nor the step declares. Only scripts, as in Tekton."""
    own = {str(one.get("name")) for one in step.get("results") or []}
    script = step.get("script")
    if not isinstance(script, str):
        return
    if unknown(script, "results", {f"{name}.path" for name in declared | own}):
        yield general(f'non-existent variable in "{script}"', "script")
    if unknown(script, "step.results", {f"{name}.path" for name in own}):
        yield general(f'non-existent variable in "{script}"', "script")
