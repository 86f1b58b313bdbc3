"""Rules of `relabel_configs`, with what Prometheus' documentation says of each action."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pilothouse.signals.metrics.scraping.relabelling import Relabelling, relabelled

_LABELS = {"a": "foo", "b": "bar", "c": "baz"}


@pytest.mark.parametrize(
    ("rule", "labels"),
    [
        ({"source_labels": ["a"], "regex": "f(.*)", "target_label": "d", "replacement": "ch${1}-ch${1}"},
         {**_LABELS, "d": "choo-choo"}),
        ({"source_labels": ["a", "b"], "regex": "f(.*);(.*)r", "target_label": "a", "replacement": "b${1}${2}m"},
         {**_LABELS, "a": "boobam"}),
        ({"source_labels": ["a"], "regex": ".*o.*", "action": "drop"}, None),
        ({"source_labels": ["a"], "regex": "o", "action": "drop"}, _LABELS),
        ({"source_labels": ["a"], "regex": "no", "action": "keep"}, None),
        ({"source_labels": ["a"], "regex": "f.*", "target_label": "b", "replacement": ""}, {"a": "foo", "c": "baz"}),
        ({"source_labels": ["c"], "target_label": "d", "action": "hashmod", "modulus": 1000}, {**_LABELS, "d": "976"}),
        ({"regex": "(b.*)", "replacement": "bar_${1}", "action": "labelmap"}, {**_LABELS, "bar_b": "bar"}),
        ({"regex": "(b.*)", "action": "labeldrop"}, {"a": "foo", "c": "baz"}),
        ({"regex": "(b.*)", "action": "labelkeep"}, {"b": "bar"}),
        ({"source_labels": ["a"], "target_label": "a", "action": "Uppercase"}, {**_LABELS, "a": "FOO"}),
        ({"source_labels": ["a"], "target_label": "b", "action": "keepequal"}, None),
        ({"source_labels": ["a"], "target_label": "b", "action": "dropequal"}, _LABELS),
        ({"target_label": "d", "replacement": "static"}, {**_LABELS, "d": "static"}),
    ],
)  # fmt: skip
def test_actions(rule: dict[str, Any], labels: dict[str, str] | None) -> None:
    assert relabelled(_LABELS, [Relabelling(**rule)]) == labels


@pytest.mark.parametrize(
    "rule",
    [
        {"action": "replace"}, {"action": "hashmod", "target_label": "a"}, {"action": "unknown"},
        {"regex": "(", "target_label": "a"}, {"target": "a"},
    ],
)  # fmt: skip
def test_rules_that_are_wrong(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Relabelling(**rule)
