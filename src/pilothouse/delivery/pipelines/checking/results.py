"""Declared results of tasks, steps and pipelines. Source: `result_validation.go`."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.pipelines.checking.names import RESULT
from pilothouse.delivery.pipelines.checking.params import kind_of
from pilothouse.delivery.pipelines.fields import Errors, FieldError, general, invalid, missing


def declared(results: list[dict[str, Any]]) -> Errors:
    """The rules for a list of results; paths start with the index."""
    for index, one in enumerate(results):
        for error in _one(one):
            yield error.under(f"[{index}]")


def _one(result: dict[str, Any]) -> Errors:
    name = str(result.get("name", ""))
    if not RESULT.fullmatch(name):
        yield FieldError(
            f'invalid key name "{name}"', ("name",),
            "names have letters, digits, '-', '_' and '.', and begin and end with a letter or a digit",
        )  # fmt: skip
    kind = result.get("type") or ("object" if result.get("properties") is not None else kind_of(result.get("default")))
    if kind not in ("string", "array", "object"):
        yield invalid(kind, "type", "type must be string, array or object")
        return
    properties = result.get("properties")
    if kind == "object" and properties is None:
        yield missing(f"{name}.properties")
    if kind != "object" and properties is not None:
        yield general("properties can only be set for results of type object", "properties")
    wrong = [key for key, inner in (properties or {}).items() if (inner or {}).get("type", "string") != "string"]
    if wrong:
        yield general(
            f"The value type specified for these keys [{' '.join(wrong)}] is invalid, the type must be string",
            f"{name}.properties",
        )
    default = result.get("default")
    if default is not None and kind_of(default) != kind:
        yield general(f'"{kind}" type does not match default value\'s type: "{kind_of(default)}"', "default")
