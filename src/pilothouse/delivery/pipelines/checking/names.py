"""Kubernetes' rules for names (`k8s.io/apimachinery/pkg/util/validation`)."""

from __future__ import annotations

import re
from typing import Any

from pilothouse.delivery.pipelines.fields import Errors, general, invalid

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
PARAM = re.compile(r"[_a-zA-Z][_a-zA-Z0-9.-]*")
OBJECT = re.compile(r"[_a-zA-Z][_a-zA-Z0-9-]*")
RESULT = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")


def is_label(name: str) -> bool:
    """DNS-1123 label."""
    return len(name) <= 63 and bool(_LABEL.fullmatch(name))


def is_qualified(name: str) -> bool:
    """A name that may have dots, underscores and capitals, after an optional `prefix/`."""
    prefix, slash, last = name.rpartition("/")
    if slash and not _SUBDOMAIN.fullmatch(prefix):
        return False
    return len(last) <= 63 and bool(_QUALIFIED.fullmatch(last))


def metadata(meta: Any) -> Errors:
    """The name of an object. Paths are below `metadata`."""
    if not isinstance(meta, dict):
        yield general("name or generateName is required", "name")
        return
    name, generated = meta.get("name"), meta.get("generateName")
    for value, field in ((name, "name"), (generated, "generateName")):
        if value is not None and not isinstance(value, str):
            yield invalid(value, field, "must be a text")
            return
    if not name and not generated:
        yield general("name or generateName is required", "name")
    elif name and len(name) > 63:
        yield general("Invalid resource name: length must be no more than 63 characters", "name")
    elif name and not _SUBDOMAIN.fullmatch(name):
        yield general(f'invalid resource name "{name}": must be a valid DNS label', "name")
    for field in ("labels", "annotations"):
        value = meta.get(field)
        if value is None:
            continue
        if not isinstance(value, dict):
            yield invalid(value, field, "must be a map from names to texts")
            continue
        for key, inner in value.items():
            if not isinstance(inner, str):
                yield invalid(inner, f"{field}.{key}", "must be a text; put it in quotes")
