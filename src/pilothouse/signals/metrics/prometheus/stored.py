"""The engine's tables as a store for PromQL.

What is asked: which metrics (by name, from the catalogue), which of their series (by labels), then the samples of
those. Label sets are kept in memory by series, so that they are put together once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.signals.metrics.prometheus.catalogue import PROMETHEUS_SCOPE, Catalogue, Metric, Part
from pilothouse.signals.metrics.prometheus.distributions import DistributionReader
from pilothouse.signals.metrics.prometheus.found import Found
from pilothouse.signals.metrics.prometheus.gridding import GRIDS, grid
from pilothouse.signals.metrics.prometheus.joining import joined
from pilothouse.signals.metrics.prometheus.naming import attribute_labels, target_labels
from pilothouse.signals.metrics.prometheus.targets import target_info
from pilothouse.signals.metrics.promql.labels import Labels, labels_of
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher
from pilothouse.signals.metrics.promql.selection import Gridded, Selection, Windowing, nothing

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

# What was seen of a series is noted only every ten minutes.
_SLACK = 600_000
_KEPT_LABELS = 500_000
_MOST_LISTED = 20_000
_MOST_WINDOWS = 11_001


class StoredMetrics:
    """`Storage` on the tables `series`, `samples` and `distributions`. May be used from any thread."""

    def __init__(self, engine: Engine, budget: Budget | None = None) -> None:
        self._engine, self._budget = engine, budget
        self.catalogue = Catalogue(engine)
        self._labels: OrderedDict[int, Labels] = OrderedDict()
        self._lock = threading.Lock()

    def limited(self, budget: Budget) -> StoredMetrics:
        """The same store for one query, under its own budget (whose name cancels it)."""
        other = StoredMetrics.__new__(StoredMetrics)
        other._engine, other._budget = self._engine, budget
        other.catalogue, other._labels, other._lock = self.catalogue, self._labels, self._lock
        return other

    def select(self, matchers: Sequence[Matcher], start: int, end: int) -> Selection:
        """See `Storage.select`."""
        wanted = self.catalogue.matching(matchers)
        found = self._series(matchers, [entry for entry in wanted if entry[2] != "info"], start, end)
        parts = []
        if numbers := [series for series in found if series.part == "value"]:
            parts.append(self._samples(numbers, start, end))
        if spread := [series for series in found if series.part != "value"]:
            parts.append(DistributionReader(self._engine, self._budget).read(spread, matchers, start, end))
        if any(part == "info" for _, _, part in wanted):
            parts.append(target_info(self._engine, matchers, start, end, self._budget))
        return joined(parts)

    def gridded(self, function: str, matchers: Sequence[Matcher], windows: Windowing) -> Gridded | None:
        """See `Storage.gridded`. Only for numbers: histograms and deltas are worked out from their samples."""
        if function not in GRIDS or windows.count > _MOST_WINDOWS:
            return None
        wanted = self.catalogue.matching(matchers)
        if not wanted or any(part != "value" or metric.temporality == 1 for metric, _, part in wanted):
            return None
        found = self._series(matchers, wanted, windows.first - windows.length, windows.last)
        return grid(self._engine, function, found, windows, self._budget)

    def series(self, matchers: Sequence[Matcher], start: int, end: int) -> list[Labels]:
        """The label sets that fit and were there between two times (milliseconds); those of buckets included."""
        wanted = self.catalogue.matching(matchers)
        found = self._series(matchers, [entry for entry in wanted if entry[2] != "info"], start, end)
        labels = {series.labels for series in found if series.part not in ("bucket", "quantile")}
        if spread := [series for series in found if series.part in ("bucket", "quantile")]:
            reader = DistributionReader(self._engine, self._budget)
            labels |= set(reader.read(spread, matchers, max(start, end - 86_400_000), end).labels)
        if any(part == "info" for _, _, part in wanted):
            labels |= set(target_info(self._engine, matchers, start, end, self._budget).labels)
        return sorted(labels, key=lambda one: one.pairs)

    def found(self, matchers: Sequence[Matcher], start: int, end: int) -> list[Found]:
        """The stored series that fit, whatever part of them is selected."""
        wanted = [entry for entry in self.catalogue.matching(matchers) if entry[2] != "info"]
        return self._series(matchers, wanted, start, end)

    def exemplar_rows(self, numbers: list[int], start: int, end: int, most: int) -> list[dict[str, Any]]:
        """Exemplars of series by time, at most so many."""
        rows: list[dict[str, Any]] = self._engine.query(
            f"""SELECT series, toUnixTimestamp64Milli(time) AS at, value, trace_id, span_id, attributes
                FROM exemplars
                WHERE series IN {{numbers:Array(UInt64)}}
                  AND time >= fromUnixTimestamp64Milli({{first:Int64}}, 'UTC')
                  AND time <= fromUnixTimestamp64Milli({{last:Int64}}, 'UTC')
                ORDER BY time LIMIT {most}""",
            {"numbers": numbers, "first": max(start, 0), "last": max(end, 0)},
            self._budget,
        ).to_pylist()
        return rows

    def _series(
        self, matchers: Sequence[Matcher], wanted: list[tuple[Metric, str, Part]], start: int, end: int
    ) -> list[Found]:
        if not wanted:
            return []
        by_metric: dict[tuple[Any, ...], list[tuple[Metric, str, Part]]] = {}
        for entry in wanted:
            by_metric.setdefault(_key(entry[0]), []).append(entry)
        others = [matcher for matcher in matchers if matcher.label != NAME]
        rows = self._rows(others, sorted({metric.name for metric, _, _ in wanted}), start, end)
        labels = self._labels_of(rows)
        found = []
        for number, *described in rows:
            base = labels[number]
            for metric, name, part in by_metric.get(tuple(described), ()):
                one = base if metric.is_prometheus else Labels(((NAME, name), *base.pairs))
                # A bucket's own label is not known before its samples are.
                checked = [matcher for matcher in others if matcher.label not in ("le", "quantile")]
                if part not in ("bucket", "quantile"):
                    checked = others
                if metric.is_prometheus or all(matcher.matches(one.get(matcher.label)) for matcher in checked):
                    found.append(Found(number, metric, part, one))
        return found

    def _rows(self, matchers: list[Matcher], names: list[str], start: int, end: int) -> list[tuple[Any, ...]]:
        conditions, parameters = pushed_down(matchers)
        parameters["names"] = names
        table = self._engine.query(
            f"""SELECT series, name, type, unit, temporality, is_monotonic, scope_name = '{PROMETHEUS_SCOPE}' AS prom
                FROM series
                WHERE name IN {{names:Array(String)}} AND (scope_name != '{PROMETHEUS_SCOPE}' OR ({conditions}))
                GROUP BY ALL
                HAVING min(first_seen) <= fromUnixTimestamp64Milli({{last:Int64}}, 'UTC')
                   AND max(last_seen) >= fromUnixTimestamp64Milli({{first:Int64}}, 'UTC')""",
            parameters | {"first": max(start - _SLACK, 0), "last": max(end, 0)},
            self._budget,
        )
        columns = [column.to_pylist() for column in table.columns]
        return list(zip(*columns, strict=True))

    def _labels_of(self, rows: list[tuple[Any, ...]]) -> dict[int, Labels]:
        """The labels of series, for OpenTelemetry's without the name."""
        with self._lock:
            known = {row[0]: self._labels[row[0]] for row in rows if row[0] in self._labels}
        missing = [row[0] for row in rows if row[0] not in known]
        if not missing:
            return known
        read = self._read_labels(missing)
        with self._lock:
            self._labels.update(read)
            while len(self._labels) > _KEPT_LABELS:
                self._labels.popitem(last=False)
        return known | read

    def _read_labels(self, numbers: list[int]) -> dict[int, Labels]:
        found: dict[int, Labels] = {}
        for place in range(0, len(numbers), _MOST_LISTED):
            table = self._engine.query(
                f"""SELECT s.series AS series, s.name AS name, mapKeys(s.attributes) AS keys,
                           mapValues(s.attributes) AS texts, s.scope_name AS scope, s.scope_version AS version,
                           if(s.scope_name = '{PROMETHEUS_SCOPE}', map(), r.attributes) AS resource
                    FROM (
                        SELECT series, name, identity, any(attributes) AS attributes, any(scope_name) AS scope_name,
                               any(scope_version) AS scope_version
                        FROM series WHERE series IN {{numbers:Array(UInt64)}} GROUP BY series, name, identity
                    ) AS s
                    LEFT JOIN (SELECT identity, any(attributes) AS attributes FROM resources GROUP BY identity) AS r
                    USING identity""",
                {"numbers": numbers[place : place + _MOST_LISTED]},
                self._budget,
            )
            for row in table.to_pylist():
                found[row["series"]] = _labels(row)
        return found

    def _samples(self, found: list[Found], start: int, end: int) -> Selection:
        rows = np.array([series.number for series in found], dtype=np.uint64)
        order = np.argsort(rows)
        table = self._engine.query(
            """SELECT series, toUnixTimestamp64Milli(time) AS at, value FROM samples
               WHERE series IN {numbers:Array(UInt64)}
                 AND time >= fromUnixTimestamp64Milli({first:Int64}, 'UTC')
                 AND time <= fromUnixTimestamp64Milli({last:Int64}, 'UTC')
               ORDER BY series, time""",
            {"numbers": rows.tolist(), "first": max(start, 0), "last": max(end, 0)},
            self._budget,
        )
        if not table.num_rows:
            return nothing()
        numbers, times, values = (table.column(place).to_numpy() for place in range(3))
        # A sample that was sent twice counts once, the later one.
        last = np.append((numbers[1:] != numbers[:-1]) | (times[1:] != times[:-1]), True)
        if not last.all():
            numbers, times, values = numbers[last], times[last], values[last]
        begins = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))
        places = order[np.searchsorted(rows[order], numbers[begins])]
        selection = Selection(
            [found[place].labels for place in places],
            np.append(begins, len(numbers)).astype(np.int64),
            times,
            np.array(values),
        )
        return _cumulative(selection, [found[place].metric for place in places])


def _key(metric: Metric) -> tuple[Any, ...]:
    return metric.name, metric.type, metric.unit, metric.temporality, metric.is_monotonic, metric.is_prometheus


def _labels(row: dict[str, Any]) -> Labels:
    attributes = dict(zip(row["keys"], row["texts"], strict=True))
    if row["scope"] == PROMETHEUS_SCOPE:
        return labels_of({**attributes, NAME: row["name"]})
    labels = attribute_labels(attributes) | target_labels(dict(row["resource"] or ()))
    if row["scope"]:
        labels |= {"otel_scope_name": row["scope"], "otel_scope_version": row["version"]}
    return labels_of(labels)


def _cumulative(selection: Selection, metrics: list[Metric]) -> Selection:
    """Deltas added up from the first sample on: PromQL's counters are cumulative."""
    for row, metric in enumerate(metrics):
        if metric.type == "sum" and metric.temporality == 1:
            span = slice(selection.offsets[row], selection.offsets[row + 1])
            selection.values[span] = np.cumsum(selection.values[span])
    return selection


def pushed_down(matchers: Iterable[Matcher]) -> tuple[str, dict[str, Any]]:
    """SQL for the labels of Prometheus' own series, and its parameters."""
    conditions, parameters = ["1"], {}
    for place, matcher in enumerate(matchers):
        value = f"attributes[{{label{place}:String}}]"
        text = f"{{value{place}:String}}"
        conditions.append(
            {
                "=": f"{value} = {text}",
                "!=": f"{value} != {text}",
                "=~": f"match({value}, {text})",
                "!~": f"NOT match({value}, {text})",
            }[matcher.operator]
        )
        parameters[f"label{place}"] = matcher.label
        is_pattern = matcher.operator in ("=~", "!~")
        parameters[f"value{place}"] = f"^(?s:{matcher.value})$" if is_pattern else matcher.value
    return " AND ".join(conditions), parameters
