"""`target_info`: what is known of each resource, as a series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.signals.identity import INSTANCE, NAMESPACE, SERVICE
from pilothouse.signals.metrics.prometheus.naming import attribute_labels, target_labels
from pilothouse.signals.metrics.promql.labels import Labels, labels_of
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher
from pilothouse.signals.metrics.promql.matrix import Ints
from pilothouse.signals.metrics.promql.selection import Selection, nothing

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

_EVERY = 60_000
_MOST_SAMPLES = 20_000
_SLACK = 300_000
_IDENTIFYING = frozenset((SERVICE, NAMESPACE, INSTANCE))


def target_info(
    engine: Engine, matchers: Sequence[Matcher], start: int, end: int, budget: Budget | None = None
) -> Selection:
    """The series that fit, with a sample of 1 every minute while their resource was seen."""
    table = engine.query(
        """SELECT any(attributes) AS attributes, toUnixTimestamp64Milli(min(first_seen)) AS first,
                  toUnixTimestamp64Milli(max(last_seen)) AS last
           FROM resources WHERE signal = 'metrics' GROUP BY identity
           HAVING first <= {last:Int64} AND last >= {first:Int64} ORDER BY identity""",
        {"first": max(start - _SLACK, 0), "last": max(end, 0)},
        budget,
    )
    every = max(_EVERY, (end - start) // _MOST_SAMPLES)
    found: dict[Labels, tuple[int, int]] = {}
    for row in table.to_pylist():
        labels = _labels(dict(row["attributes"]))
        if labels and all(matcher.matches(labels.get(matcher.label)) for matcher in matchers):
            low, high = found.get(labels, (row["first"], row["last"]))
            found[labels] = min(low, row["first"]), max(high, row["last"])
    spans = [(labels, _times(first, last, start, end, every)) for labels, (first, last) in found.items()]
    spans = [(labels, times) for labels, times in spans if len(times)]
    if not spans:
        return nothing()
    times = np.concatenate([times for _, times in spans])
    offsets = np.cumsum([0, *(len(times) for _, times in spans)]).astype(np.int64)
    return Selection([labels for labels, _ in spans], offsets, times, np.ones(len(times)))


def _labels(attributes: dict[str, str]) -> Labels | None:
    target = target_labels(attributes)
    others = {key: text for key, text in attributes.items() if key not in _IDENTIFYING}
    # A resource that says nothing beyond its target, or has none, is not worth a series.
    if not target or not others:
        return None
    return labels_of({**attribute_labels(others), **target, NAME: "target_info"})


def _times(first: int, last: int, start: int, end: int, every: int) -> Ints:
    """A time a minute, and the first and the last one, within the range that is asked for."""
    low, high = max(first, start), min(last, end)
    if high < low:
        return np.zeros(0, np.int64)
    inner = np.arange(low // every * every + every, high, every, dtype=np.int64)
    return np.unique(np.concatenate(([low], inner, [high])))
