"""Whether an object has only the fields it may have, each of its type."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.pipelines import durations
from pilothouse.delivery.pipelines.checking.shapes import OPEN, SHAPES
from pilothouse.delivery.pipelines.fields import Errors, FieldError, invalid, join

_NAMES = {
    str: "string",
    bool: "bool",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
_WORDS: dict[str, tuple[type, ...]] = {"string": (str,), "int": (int,), "bool": (bool,)}


def check(value: Any, kind: str, path: str = "") -> Errors:
    """The fields of `value` that a `kind` (see `shapes`) does not have, and those of another type."""
    if value is None or kind == "any":
        return
    if kind.startswith("["):
        yield from _list(value, kind[1:-1], path)
    elif kind.startswith("{"):
        yield from _map(value, kind[1:-1], path)
    elif kind in SHAPES:
        yield from _object(value, kind, path)
    else:
        yield from _word(value, kind, path)


def normalise(value: Any, kind: str) -> Any:
    """The value with its fields spelt as they are declared: Go reads JSON's field names in any case."""
    if kind.startswith("[") and isinstance(value, list):
        return [normalise(one, kind[1:-1]) for one in value]
    if kind not in SHAPES or not isinstance(value, dict) or kind in OPEN:
        return value
    fields = SHAPES[kind]
    lower = {field.lower(): field for field in fields}
    spelt = {
        key if key in fields or not isinstance(key, str) else lower.get(key.lower(), key): inner
        for key, inner in value.items()
    }
    return {key: normalise(inner, fields[key]) if key in fields else inner for key, inner in spelt.items()}


def _object(value: Any, kind: str, path: str) -> Errors:
    if not isinstance(value, dict):
        yield _mismatch(value, "object", path)
        return
    fields = SHAPES[kind]
    for key, inner in value.items():
        if key in fields:
            yield from check(inner, fields[key], join(path, key))
        elif kind not in OPEN:
            yield FieldError(f'json: unknown field "{key}"', (join(path, str(key)),), _meant(str(key), fields))


def _list(value: Any, kind: str, path: str) -> Errors:
    if not isinstance(value, list):
        yield _mismatch(value, "array", path)
        return
    for index, inner in enumerate(value):
        if inner is None:
            yield _mismatch(inner, kind if kind in _WORDS else "object", f"{path}[{index}]")
        yield from check(inner, kind, f"{path}[{index}]")


def _map(value: Any, kind: str, path: str) -> Errors:
    if not isinstance(value, dict):
        yield _mismatch(value, "object", path)
        return
    for key, inner in value.items():
        yield from check(inner, kind, join(path, str(key)))


def _word(value: Any, kind: str, path: str) -> Errors:
    if kind == "duration":
        yield from _duration(value, path)
    elif kind == "value":
        yield from _value(value, path)
    elif kind == "quantity":
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            yield _mismatch(value, "string", path)
    elif not isinstance(value, _WORDS[kind]) or (kind == "int" and isinstance(value, bool)):
        yield _mismatch(value, kind, path)


def _duration(value: Any, path: str) -> Errors:
    if not isinstance(value, str):
        yield _mismatch(value, "string", path)
    elif "$(" not in value:
        try:
            durations.seconds(value)
        except ValueError as error:
            yield invalid(str(error), path, "durations are written like 1h30m, 90s or 0")


def _value(value: Any, path: str) -> Errors:
    """A text, a list of texts, or a map of texts; numbers and booleans stand for their text, as Tekton reads them."""
    inner = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    if any(isinstance(one, list | dict) or one is None for one in inner):
        yield invalid("only texts are allowed inside an array or object value", path)


def _mismatch(value: Any, wanted: str, path: str) -> FieldError:
    return FieldError(
        f"json: cannot unmarshal {_NAMES.get(type(value), 'value')} into a field of type {wanted}", (path,)
    )


def _meant(key: str, fields: dict[str, str]) -> str:
    import difflib

    close = difflib.get_close_matches(key, fields, 1, 0.7) or [one for one in fields if one.lower() == key.lower()]
    return f'did you mean "{close[0]}"?' if close else ""
