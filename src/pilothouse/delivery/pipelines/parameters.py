"""The values of parameters: given, by default, checked against their declarations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pilothouse.delivery.pipelines.catalog import Catalog
from pilothouse.delivery.pipelines.checking.params import kind_of, type_of
from pilothouse.delivery.pipelines.errors import RunError
from pilothouse.delivery.pipelines.variables import Value, Values, replace

Params = dict[str, Value]


def text(value: Any) -> str:
    """A scalar as Tekton reads it into a string parameter: YAML's `1` is "1", `true` is "true"."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)


def value(raw: Any) -> Value:
    """A value as it stands in YAML."""
    if isinstance(raw, list):
        return [text(one) for one in raw]
    if isinstance(raw, dict):
        return {str(key): text(one) for key, one in raw.items()}
    return text(raw)


def given(params: Iterable[dict[str, Any]], catalog: Catalog | None = None) -> Params:
    """The values in a list of params; `valueFrom` is read from the catalog. Raises `RunError`."""
    found: Params = {}
    for one in params:
        if "valueFrom" in one and "value" not in one:
            found[one["name"]] = _from(one, catalog or Catalog())
        else:
            found[one["name"]] = value(one.get("value"))
    return found


def settle(declared: Iterable[dict[str, Any]], found: Params, owner: str) -> Params:
    """The value of each declared parameter. `owner` is for messages: `Task build`.

    Raises `RunError`: ParameterMissing, ParameterTypeMismatch, ObjectParameterMissKeys, InvalidParamValue.
    """
    settled: Params = {}
    lacking: list[str] = []
    for one in declared:
        name, default = one["name"], one.get("default")
        if name in found:
            settled[name] = _merged(found[name], default)
        elif default is not None:
            settled[name] = value(default)
        else:
            lacking.append(name)
            continue
        _check(one, settled[name], owner)
    if lacking:
        raise RunError(
            "ParameterMissing",
            f"{owner}: missing values for these params which have no default values: [{' '.join(lacking)}]",
        )
    return _references(settled)


def values(params: Params) -> Values:
    """What `$(params.…)` stands for."""
    found = Values()
    for name, one in params.items():
        found.put(f"params.{name}", one)
    return found


def listed(params: Params) -> list[dict[str, Any]]:
    """As they stand in an object's `params`."""
    return [{"name": name, "value": one} for name, one in params.items()]


def _merged(found: Value, default: Any) -> Value:
    """An object may be given in part: the default has the rest."""
    if isinstance(found, dict) and isinstance(default, dict):
        return {**{str(key): text(one) for key, one in default.items()}, **found}
    return found


def _check(declared: dict[str, Any], found: Value, owner: str) -> None:
    name, kind = declared["name"], type_of(declared)
    if isinstance(found, str) and found.startswith("$(steps."):
        # A step's result: its type is known when that step has run.
        return
    if kind_of(found) != kind:
        raise RunError(
            "ParameterTypeMismatch",
            f"{owner}: parameters have mismatching types: param {name!r} is {kind}, "
            f"the value given is {kind_of(found)}",
        )
    if isinstance(found, dict):
        lacking = [key for key in declared.get("properties") or {} if key not in found]
        if lacking:
            raise RunError(
                "ObjectParameterMissKeys",
                f"{owner}: missing keys for these params which are required in ParamSpec's properties: "
                f"{name}: [{' '.join(lacking)}]",
            )
    enum = declared.get("enum")
    if enum and found not in enum:
        raise RunError("InvalidParamValue", f"{owner}: param `{name}` value: {found} is not in the enum list")


def _references(settled: Params) -> Params:
    """A default may refer to other parameters."""
    if not any("$(params" in str(one) for one in settled.values()):
        return settled
    known = values(settled)
    return {name: replace(one, known) if isinstance(one, str) else one for name, one in settled.items()}


def _from(one: dict[str, Any], catalog: Catalog) -> Value:
    source = one["valueFrom"] or {}
    for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        ref = source.get(field)
        if ref:
            found = catalog.key(kind, ref.get("name", ""), ref.get("key", ""))
            if found is None:
                raise RunError(
                    "ParameterMissing",
                    f"param {one['name']!r}: {kind} {ref.get('name')!r} has no key {ref.get('key')!r} here",
                )
            return found.decode(errors="replace")
    raise RunError("ParameterMissing", f"param {one['name']!r}: valueFrom needs configMapKeyRef or secretKeyRef")
