"""Label selectors: which labels does one match."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilothouse.kube.objects import mapping, mappings, sequence


def matches(selector: Any, labels: Mapping[str, Any]) -> bool:
    """Whether a LabelSelector (`matchLabels`, `matchExpressions`) matches. An empty one matches all, None nothing."""
    if not isinstance(selector, dict):
        return False
    wanted = mapping(selector.get("matchLabels"))
    return matches_labels(wanted, labels) and all(
        _matches_expression(one, labels) for one in mappings(selector.get("matchExpressions"))
    )


def matches_labels(wanted: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether all of a plain selector's labels (a Service's) are there with their values."""
    return all(name in labels and labels[name] == value for name, value in wanted.items())


def _matches_expression(one: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, operator, values = one.get("key"), one.get("operator"), sequence(one.get("values"))
    present = key in labels
    if operator == "In":
        return present and labels[str(key)] in values
    if operator == "NotIn":
        return not present or labels[str(key)] not in values
    return present if operator == "Exists" else not present if operator == "DoesNotExist" else False
