"""Exemplars of the series that a query selects: the way from a metric to traces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.nodes import Node, VectorSelector, walk
from pilothouse.signals.metrics.promql.numbers import format_f

if TYPE_CHECKING:
    from pilothouse.signals.metrics.prometheus.stored import StoredMetrics

_MOST = 10_000


def exemplars(metrics: StoredMetrics, node: Node, start: int, end: int) -> list[dict[str, Any]]:
    """For each series with exemplars between two times (milliseconds): its labels and them, oldest first."""
    found: dict[int, Labels] = {}
    for part in walk(node):
        if isinstance(part, VectorSelector):
            for series in metrics.found(part.matchers, start, end):
                found.setdefault(series.number, series.labels.without(("le", "quantile")))
    if not found:
        return []
    rows = metrics.exemplar_rows(sorted(found), start, end, _MOST)
    by_labels: dict[Labels, list[dict[str, Any]]] = {}
    for row in rows:
        labels = dict(row["attributes"])
        if any(row["trace_id"]):
            labels = {"trace_id": row["trace_id"].hex(), **labels}
        if any(row["span_id"]):
            labels = {"span_id": row["span_id"].hex(), **labels}
        entry = {"labels": labels, "value": format_f(row["value"]), "timestamp": row["at"] / 1000}
        by_labels.setdefault(found[row["series"]], []).append(entry)
    return [
        {"seriesLabels": labels.map, "exemplars": entries}
        for labels, entries in sorted(by_labels.items(), key=lambda item: item[0].pairs)
    ]
