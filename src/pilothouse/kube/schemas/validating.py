"""Whether an object is what a version of Kubernetes expects: unknown fields, wrong types, what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from pilothouse.kube.objects import Path
from pilothouse.kube.schemas.catalog import Kind, versions

_HERE = FilePath(__file__).parent
_TEXT_MAPS = {"labels", "annotations", "matchLabels", "nodeSelector"}
_NAMES = {dict: "a mapping", list: "a list", str: "text", bool: "a truth value", int: "a number", float: "a number"}
_SCALARS: dict[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "text"),
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "datetime": ((str,), "a time"),
    "util_intstr.IntOrString": ((int, str), "a number or a text such as 25%"),
    "resource.Quantity": ((int, float, str), "a quantity such as 100m or 1Gi"),
    "meta_v1.Time": ((str,), "a time"),
    "meta_v1.MicroTime": ((str,), "a time"),
}


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """`unknown` (the field does not exist in this version), `type`, or `missing`; where, and what is wrong in words."""

    kind: str
    path: Path
    message: str


@cache
def _types() -> dict[str, dict[str, list[Any]]]:
    found: dict[str, dict[str, list[Any]]] = json.loads((_HERE / "types.json").read_text())["types"]
    return found


def validate(content: dict[str, Any], kind: Kind, version: str = "") -> Iterator[SchemaProblem]:
    """The problems of an object of a built-in kind for a Kubernetes version ("1.31"; the newest known when empty)."""
    known = versions()
    number = known.index(version) if version in known else len(known) - 1
    yield from _mapping(content, kind.type, (), number)


def _mapping(value: dict[str, Any], kind: str, path: Path, version: int) -> Iterator[SchemaProblem]:
    fields = _types().get(kind)
    if fields is None:
        return
    for name, inner in value.items():
        field = fields.get(name)
        if field is None:
            yield SchemaProblem("unknown", (*path, name), _unknown(name, fields, path))
        elif len(field) > 2 and not field[2] <= version <= field[3]:
            yield SchemaProblem("unknown", (*path, name), _out_of_time(name, field, version))
        elif inner is not None:
            yield from _value(inner, field[0], (*path, name), version)
    for name, field in fields.items():
        if field[1] and value.get(name) is None and len(field) == 2 and path:
            yield SchemaProblem("missing", path, f"{path[-1]} wants `{name}`")


def _value(value: Any, kind: str, path: Path, version: int) -> Iterator[SchemaProblem]:
    if kind[0] == "[":
        if not isinstance(value, list):
            yield _wrong(value, path, "a list")
            return
        inner = kind[1:-1]
        if inner == "str":
            yield from (_wrong(item, (*path, at), "text") for at, item in enumerate(value) if not isinstance(item, str))
            return
        for at, item in enumerate(value):
            if item is not None:
                yield from _value(item, inner, (*path, at), version)
    elif scalar := _SCALARS.get(kind):
        types, name = scalar
        whole = isinstance(value, float) and value.is_integer()
        fits = isinstance(value, types) or (int in types and whole)
        if not fits or (isinstance(value, bool) and bool not in types):
            yield _wrong(value, path, name)
    elif kind == "{}":
        if not isinstance(value, dict):
            yield _wrong(value, path, "a mapping")
        elif path[-1] in _TEXT_MAPS:
            wrong = (name for name, item in value.items() if item is not None and not isinstance(item, str))
            yield from (_wrong(value[name], (*path, name), "text") for name in wrong)
    elif kind in _types():
        if isinstance(value, dict):
            yield from _mapping(value, kind, path, version)
        else:
            yield _wrong(value, path, "a mapping")


def _wrong(value: Any, path: Path, wanted: str) -> SchemaProblem:
    shown = json.dumps(value) if isinstance(value, str | bool | int | float) else _NAMES.get(type(value), "nothing")
    hint = ": put it in quotes" if wanted == "text" and isinstance(value, bool | int | float) else ""
    return SchemaProblem("type", path, f"{path[-1]} wants {wanted}, not {shown[:60]}{hint}")


def _unknown(name: str, fields: dict[str, list[Any]], path: Path) -> str:
    lower = {field.lower(): field for field in fields}
    near = lower.get(name.lower()) or next(iter(get_close_matches(name, fields, 1, 0.75)), "")
    place = next((str(step) for step in reversed(path) if isinstance(step, str)), "the object")
    return f"there is no field `{name}` in {place}" + (f"; did you mean `{near}`?" if near else "")


def _out_of_time(name: str, field: list[Any], version: int) -> str:
    known = versions()
    if version < field[2]:
        return f"`{name}` is there from Kubernetes {known[field[2]]} on, not in {known[version]}"
    return f"`{name}` is gone since Kubernetes {known[min(field[3] + 1, len(known) - 1)]}"
