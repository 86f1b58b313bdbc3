"""Results: files that steps write, read back and checked against what was declared. Source: `docs/tasks.md`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines.checking.params import kind_of
from pilothouse.delivery.pipelines.errors import RunError
from pilothouse.delivery.pipelines.parameters import value as as_value
from pilothouse.delivery.pipelines.variables import Value, Values, replace

# A file that is larger is no result: it would be held in memory and in the database.
LARGEST = 4_000_000
# What Tekton's termination message allows for all results of a step (the `strict` mode).
STRICT = 4096


def declared_type(one: dict[str, Any]) -> str:
    """The type of a declared result."""
    return one.get("type") or ("object" if one.get("properties") is not None else kind_of(one.get("default")))


def read(
    directory: Path, declared: list[dict[str, Any]], steps: Values | None = None, *, strict: bool = False
) -> list[dict[str, Any]]:
    """The declared results that were written, as they stand in a status. `steps` has the steps' own results.

    Raises `RunError` for one of another type, one that lacks keys, or one that is too large.
    """
    found: list[dict[str, Any]] = []
    total = 0
    for one in declared:
        got = _one(directory, one, steps)
        if got is None:
            continue
        total += len(json.dumps(got))
        if strict and total > STRICT:
            raise RunError(
                "TaskRunResultLargerThanAllowedLimit",
                f"results are {total} bytes; Tekton's termination message holds {STRICT} for a step",
            )
        found.append({"name": one["name"], "type": kind_of(got), "value": got})
    return found


def values(found: list[dict[str, Any]], prefix: str) -> Values:
    """What `$(prefix.NAME)` stands for, for each result."""
    put = Values()
    for one in found:
        put.put(f"{prefix}.{one['name']}", one["value"])
    return put


def _one(directory: Path, declared: dict[str, Any], steps: Values | None) -> Value | None:
    name, kind = declared["name"], declared_type(declared)
    if declared.get("value") is not None and steps is not None:
        got = replace(declared["value"], steps)
        return None if "$(steps." in str(got) else as_value(got)
    path = directory / name
    try:
        size = path.stat().st_size
    except (OSError, ValueError):
        return as_value(declared["default"]) if declared.get("default") is not None else None
    if size > LARGEST:
        raise RunError(
            "TaskRunResultLargerThanAllowedLimit", f"result {name!r} has {size} bytes; at most {LARGEST} are taken"
        )
    text = path.read_bytes().decode("utf-8", "replace")
    return text if kind == "string" else _structured(name, kind, text, declared)


def _structured(name: str, kind: str, text: str, declared: dict[str, Any]) -> Value | None:
    try:
        loaded = json.loads(text)
    except ValueError:
        loaded = text
    got = as_value(loaded) if isinstance(loaded, list | dict) else text
    if kind_of(got) != kind:
        raise RunError(
            "TaskRunValidationFailed",
            "Provided results don't match declared results; may be invalid JSON or missing result declaration: "
            f'"{name}": task result is expected to be "{kind}" type but was initialized to a different '
            f'type "{kind_of(got)}"',
        )
    lacking = [key for key in declared.get("properties") or {} if isinstance(got, dict) and key not in got]
    if lacking:
        raise RunError(
            "TaskRunValidationFailed", f"missing keys for these results which are required in TaskResult's properties "
            f"{name}: [{' '.join(lacking)}]",
        )  # fmt: skip
    return got
