"""Distributions of OpenTelemetry as series: classic buckets, counts, sums, quantiles, and native histograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.signals.metrics.prometheus.found import Found
from pilothouse.signals.metrics.prometheus.joining import joined
from pilothouse.signals.metrics.promql.histogram import CUSTOM, Hint, Histogram
from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.matcher import Matcher
from pilothouse.signals.metrics.promql.numbers import STALE, format_open_metrics
from pilothouse.signals.metrics.promql.selection import Selection, nothing

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine
    from pilothouse.engine.model import Parameter

_WHERE = """WHERE series IN {numbers:Array(UInt64)}
  AND time >= fromUnixTimestamp64Milli({first:Int64}, 'UTC')
  AND time <= fromUnixTimestamp64Milli({last:Int64}, 'UTC')"""
_STALE = "reinterpretAsFloat64(toUInt64(0x7ff0000000000002))"
_TIME = "toUnixTimestamp64Milli(time) AS at"
_PARTS = {
    "count": f"SELECT series, {_TIME}, if(bitTest(flags, 0), {_STALE}, toFloat64(count)) AS value, 0. AS edge "
    f"FROM distributions {_WHERE} ORDER BY series, time",
    "sum": f"SELECT series, {_TIME}, if(bitTest(flags, 0), {_STALE}, coalesce(sum, nan)) AS value, 0. AS edge "
    f"FROM distributions {_WHERE} ORDER BY series, time",
    "bucket": f"SELECT series, {_TIME}, if(bitTest(flags, 0), {_STALE}, toFloat64(total)) AS value, edge "
    f"FROM distributions ARRAY JOIN arrayConcat(bounds, [inf]) AS edge, "
    f"if(empty(bucket_counts), [count], arrayCumSum(bucket_counts)) AS total {_WHERE} ORDER BY series, edge, time",
    "quantile": f"SELECT series, {_TIME}, if(bitTest(flags, 0), {_STALE}, quantile_value) AS value, quantile AS edge "
    f"FROM distributions ARRAY JOIN quantiles AS quantile, quantile_values AS quantile_value "
    f"{_WHERE} ORDER BY series, edge, time",
}
_EDGE_LABEL = {"bucket": "le", "quantile": "quantile"}
_NATIVE = f"""SELECT series, {_TIME}, flags, count, sum, scale, zero_count, zero_threshold, positive_offset,
  positive_counts, negative_offset, negative_counts, bounds, bucket_counts, exact_counts FROM distributions {_WHERE}
  ORDER BY series, time"""


class DistributionReader:
    """Reads what series show of their distributions."""

    def __init__(self, engine: Engine, budget: Budget | None) -> None:
        self._engine, self._budget = engine, budget

    def read(self, found: Sequence[Found], matchers: Sequence[Matcher], start: int, end: int) -> Selection:
        """The samples of series, each of one part; `matchers` choose among buckets and quantiles."""
        parts = []
        for part in dict.fromkeys(series.part for series in found):
            chosen = {series.number: series for series in found if series.part == part}
            parameters: dict[str, Parameter] = {"numbers": list(chosen), "first": max(start, 0), "last": max(end, 0)}
            sql = _NATIVE if part == "native" else _PARTS[part]
            table = self._engine.query(sql, parameters, self._budget)
            if table.num_rows:
                reading = _native if part == "native" else _numbers
                parts.append(reading(table, chosen, [m for m in matchers if m.label == _EDGE_LABEL.get(part)]))
        return joined(parts)


def _numbers(table: Any, found: dict[int, Found], matchers: list[Matcher]) -> Selection:
    numbers, times, values, edges = (table.column(place).to_numpy() for place in range(4))
    values = np.array(values)
    first = np.append(True, (numbers[1:] != numbers[:-1]) | (edges[1:] != edges[:-1]))
    fresh = first | np.append(True, times[1:] != times[:-1])
    numbers, times, values, edges, first = (column[fresh] for column in (numbers, times, values, edges, first))
    begins = np.flatnonzero(first)
    offsets = np.append(begins, len(numbers)).astype(np.int64)
    labels = [_edged(found[int(numbers[place])], float(edges[place])) for place in begins]
    for row, place in enumerate(begins):
        metric = found[int(numbers[place])].metric
        if metric.temporality == 1:
            values[place : offsets[row + 1]] = np.cumsum(values[place : offsets[row + 1]])
    selection = Selection(labels, offsets, times, values)
    kept = [
        row for row, one in enumerate(labels) if all(matcher.matches(one.get(matcher.label)) for matcher in matchers)
    ]
    return selection if len(kept) == len(labels) else _rows(selection, kept)


def _edged(found: Found, edge: float) -> Labels:
    if found.part not in _EDGE_LABEL:
        return found.labels
    text = "+Inf" if edge == math.inf else format_open_metrics(edge)
    return found.labels.setting({_EDGE_LABEL[found.part]: text})


def _rows(selection: Selection, rows: list[int]) -> Selection:
    if not rows:
        return nothing()
    spans = [np.arange(selection.offsets[row], selection.offsets[row + 1]) for row in rows]
    places = np.concatenate(spans)
    offsets = np.cumsum([0, *map(len, spans)]).astype(np.int64)
    return Selection(
        [selection.labels[row] for row in rows], offsets, selection.times[places], selection.values[places]
    )


def _native(table: Any, found: dict[int, Found], _: list[Matcher]) -> Selection:
    rows = _once(table.to_pylist())
    histograms = np.full(len(rows), None, dtype=object)
    previous: tuple[int, Histogram] | None = None
    for place, row in enumerate(rows):
        histogram = histogram_of(row, found[row["series"]].metric.temporality)
        if found[row["series"]].metric.temporality == 1 and previous and previous[0] == row["series"]:
            histogram = previous[1].plus(histogram)[0]
        previous = row["series"], histogram
        histograms[place] = histogram
    numbers = np.array([row["series"] for row in rows], dtype=np.uint64)
    begins = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))
    return Selection(
        [found[int(numbers[place])].labels for place in begins],
        np.append(begins, len(rows)).astype(np.int64),
        np.array([row["at"] for row in rows], dtype=np.int64),
        np.array([histogram.sum for histogram in histograms]),
        histograms,
    )


def _once(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of rows of the same series and time, such as those of a request that was sent twice, just the last."""
    return list({(row["series"], row["at"]): row for row in rows}.values())


def histogram_of(row: dict[str, Any], temporality: int) -> Histogram:
    """One row of `distributions` as a native histogram. OpenTelemetry counts buckets from one lower."""
    if row["exact_counts"]:
        row = _exact(row)
    total = STALE if row["flags"] & 1 else (row["sum"] if row["sum"] is not None else math.nan)
    hint: Hint = "unknown" if temporality else "gauge"
    if row["bucket_counts"]:
        counts = {place: float(count) for place, count in enumerate(row["bucket_counts"]) if count}
        return Histogram(CUSTOM, float(row["count"]), total, positive=counts, custom=tuple(row["bounds"]), hint=hint)
    return Histogram(
        schema=row["scale"],
        count=float(row["count"]),
        sum=total,
        zero_threshold=row["zero_threshold"],
        zero_count=float(row["zero_count"]),
        positive=_indexed(row["positive_offset"], row["positive_counts"]),
        negative=_indexed(row["negative_offset"], row["negative_counts"]),
        hint=hint,
    )


def _exact(row: dict[str, Any]) -> dict[str, Any]:
    """A row with the counts that are no whole numbers in place of those that were rounded."""
    count, zero_count, *counts = row["exact_counts"]
    sides = len(row["positive_counts"]) + len(row["bucket_counts"])
    name = "bucket_counts" if row["bucket_counts"] else "positive_counts"
    return {**row, "count": count, "zero_count": zero_count, name: counts[:sides], "negative_counts": counts[sides:]}


def _indexed(offset: int, counts: list[float]) -> dict[int, float]:
    return {offset + place + 1: float(count) for place, count in enumerate(counts) if count}
