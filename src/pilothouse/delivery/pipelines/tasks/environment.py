"""The environment of a step: env, envFrom, and Kubernetes' own `$(VAR)` in commands."""

from __future__ import annotations

import re
from typing import Any

from pilothouse.delivery.pipelines.catalog import Catalog
from pilothouse.delivery.pipelines.errors import RunError

_VARIABLE = re.compile(r"\$(?:\$|\(([A-Za-z_][A-Za-z0-9_.-]*)\))")


def of(container: dict[str, Any], catalog: Catalog, metadata: dict[str, Any], pod: dict[str, Any]) -> dict[str, str]:
    """The variables of a step or sidecar. Raises `RunError` for a ConfigMap or Secret that is not here."""
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        found |= _all_of(source, catalog)
    for one in [*(pod.get("env") or []), *(container.get("env") or [])]:
        if one.get("valueFrom"):
            got = _from(one, catalog, metadata)
            if got is not None:
                found[one["name"]] = got
        else:
            found[one["name"]] = expand(_text(one.get("value")), found)
    return found


def expand(text: str, environment: dict[str, str]) -> str:
    """`$(NAME)` replaced by the variable, where there is one; `$$` is a dollar sign before a parenthesis."""
    if "$" not in text:
        return text

    def one(found: re.Match[str]) -> str:
        if found[1] is None:
            return "$" if text[found.end() : found.end() + 1] == "(" else "$$"
        return environment.get(found[1], found[0])

    return _VARIABLE.sub(one, text)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _all_of(source: dict[str, Any], catalog: Catalog) -> dict[str, str]:
    prefix = source.get("prefix") or ""
    for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        ref = source.get(field)
        if not ref:
            continue
        name = str(ref.get("name", ""))
        entries = catalog.secret(name) if kind == "Secret" else catalog.config_map(name)
        if entries is None and not ref.get("optional"):
            raise _absent(kind, name)
        return {prefix + key: value.decode("utf-8", "surrogateescape") for key, value in (entries or {}).items()}
    return {}


def _from(one: dict[str, Any], catalog: Catalog, metadata: dict[str, Any]) -> str | None:
    source = one["valueFrom"]
    for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        ref = source.get(field)
        if not ref:
            continue
        got = catalog.key(kind, str(ref.get("name", "")), str(ref.get("key", "")))
        if got is None and not ref.get("optional"):
            raise _absent(kind, str(ref.get("name", "")), str(ref.get("key", "")))
        return None if got is None else got.decode("utf-8", "surrogateescape")
    if source.get("fieldRef"):
        return _field(str(source["fieldRef"].get("fieldPath", "")), metadata)
    return None


def _field(path: str, metadata: dict[str, Any]) -> str:
    if found := re.fullmatch(r"metadata\.(labels|annotations)\['([^']+)'\]", path):
        return str((metadata.get(found[1]) or {}).get(found[2], ""))
    if found := re.fullmatch(r"metadata\.(name|namespace|uid)", path):
        return str(metadata.get(found[1], ""))
    return {"status.podIP": "127.0.0.1", "status.hostIP": "127.0.0.1", "spec.serviceAccountName": "default"}.get(
        path, ""
    )


def _absent(kind: str, name: str, key: str = "") -> RunError:
    what = f"key {key!r} in {kind} {name!r}" if key else f"{kind} {name!r}"
    return RunError("CreateContainerConfigError", f"{what} is not here; add its YAML to the files of the run")
