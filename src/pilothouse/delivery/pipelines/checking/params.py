"""Parameters: declarations, values, names. Source: `param_types.go`, `task_validation.go` of Tekton."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pilothouse.delivery.pipelines.checking.names import OBJECT, PARAM
from pilothouse.delivery.pipelines.fields import Errors, FieldError, general, invalid, missing

TYPES = ("string", "array", "object")
Declared = Sequence[dict[str, Any]]


def type_of(declaration: dict[str, Any]) -> str:
    """The type as Tekton infers it: said, or by `properties`, or by the default, or a string."""
    if declaration.get("type"):
        return str(declaration["type"])
    if declaration.get("properties") is not None:
        return "object"
    return kind_of(declaration.get("default"))


def kind_of(value: Any) -> str:
    """`array` for a list, `object` for a map, else `string`."""
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "string"


def names(declared: Declared, kind: str = "") -> set[str]:
    """The names of those that are of a type."""
    return {str(one.get("name", "")) for one in declared if not kind or type_of(one) == kind}


def declarations(declared: Declared) -> Errors:
    """The rules for a list of ParamSpecs; paths are below it as Tekton gives them (`name.type`)."""
    seen: set[str] = set()
    for one in declared:
        name = str(one.get("name", ""))
        if name.lower() in seen:
            yield general("parameter appears more than once", f"[{name}]")
        seen.add(name.lower())
        yield from _typed(one, name)
    yield from _named(declared)
    yield from _enums(declared)


def _typed(one: dict[str, Any], name: str) -> Errors:
    kind = type_of(one)
    if kind not in TYPES:
        yield invalid(kind, f"{name}.type")
        return
    default = one.get("default")
    if default is not None and kind_of(default) != kind:
        yield general(
            f'"{kind}" type does not match default value\'s type: "{kind_of(default)}"', f"{name}.type",
            f"{name}.default.type",
        )  # fmt: skip
    if kind == "object":
        properties = one.get("properties")
        if properties is None:
            yield missing(f"{name}.properties")
            return
        wrong = [key for key, inner in properties.items() if (inner or {}).get("type", "string") != "string"]
        if wrong:
            yield general(
                f"The value type specified for these keys [{' '.join(wrong)}] is invalid", f"{name}.properties"
            )


def _named(declared: Declared) -> Errors:
    wrong = sorted(
        str(one.get("name", ""))
        for one in declared
        if type_of(one) != "object" and not PARAM.fullmatch(str(one.get("name", "")))
    )
    if wrong:
        yield FieldError(
            f"The format of following array and string variable names is invalid: [{' '.join(wrong)}]", ("",),
            "names have letters, digits, hyphens, underscores and dots, and begin with a letter or an underscore",
        )  # fmt: skip
    for one in declared:
        keys = [str(one.get("name", "")), *(one.get("properties") or {})] if type_of(one) == "object" else []
        if any(not OBJECT.fullmatch(str(key)) for key in keys):
            yield FieldError(
                f"Object param name and key name format is invalid: {keys[0]}", ("",),
                "names have letters, digits, hyphens and underscores, and begin with a letter or an underscore",
            )  # fmt: skip


def _enums(declared: Declared) -> Errors:
    for index, one in enumerate(declared):
        enum = one.get("enum")
        if not enum:
            continue
        if type_of(one) != "string":
            yield general("enum can only be set with string type param", f"[{index}]")
        if len(set(enum)) != len(enum):
            twice = next(value for value in enum if enum.count(value) > 1)
            yield general(f"parameter enum value {twice} appears more than once", f"[{index}]")
        if one.get("default") is not None and one["default"] not in enum:
            yield general(f"param default value {one['default']} not in the enum list", f"[{index}]")


def given(params: Iterable[dict[str, Any]]) -> Errors:
    """The rules for a list of parameter values."""
    seen: set[str] = set()
    for index, one in enumerate(params):
        name = str(one.get("name", ""))
        if not name:
            yield missing(f"[{index}].name")
        elif name in seen:
            yield general("expected exactly one, got both", f"[{name}].name")
        seen.add(name)
        if "value" not in one and "valueFrom" not in one:
            yield missing(f"[{index}].value")
