"""The samples of an aggregation over a range: by SQL where that is exact, else by the slow path."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.engine import Budget
from pilothouse.signals.logs.compiling import Scope, compiled_stages
from pilothouse.signals.logs.compiling.scope import NotInSQLError
from pilothouse.signals.logs.compiling.testing import condition, number_sql
from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.reading import COLUMNS, entries, metadata, within_sql
from pilothouse.signals.logs.reference import Sampling
from pilothouse.signals.logs.streams import Streams, streams
from pilothouse.signals.logs.vectors import Labels, Samples, Steps
from pilothouse.signals.logs.vectors.aggregating import key
from pilothouse.signals.logs.vectors.evaluating import MOST_SERIES, Read, too_many_series
from pilothouse.signals.logs.vectors.series import labels_of
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine

_MOST_BUCKETS = 20_000
_AGGREGATES = {
    "avg_over_time": "sum(value)", "min_over_time": "min(value)", "max_over_time": "max(value)",
    "first_over_time": "argMin(value, time)", "last_over_time": "argMax(value, time)",
}  # fmt: skip
_NEED_ALL = frozenset({"stddev_over_time", "stdvar_over_time", "quantile_over_time", "rate_counter"})
_METADATA = "attributes, severity_text, severity_number, scope_name, trace_id, span_id"


@dataclass(frozen=True, slots=True)
class Sampler:
    """Reads samples for the steps of one question; `slow` says to leave SQL out (for comparison)."""

    engine: Engine
    steps: Steps
    budget: Budget
    slow: bool = False
    on_read: Callable[[TimeRange, Streams], None] = lambda within, found: None

    def reader(self) -> Read:
        """The function that the evaluation asks."""
        return self._read

    def _read(self, aggregation: tree.RangeAggregation, grouping: tree.Grouping | None) -> list[Samples]:
        first = self.steps.start - aggregation.offset - aggregation.span
        # A window is open on the left and closed on the right.
        within = TimeRange(max(first + 1, 0), self.steps.end - aggregation.offset + 1)
        found = streams(self.engine, aggregation.query.matchers, within) if within.end > within.start else {}
        if not found:
            return []
        self.on_read(within, found)
        if not self.slow:
            try:
                return self._fast(aggregation, grouping, found, within, first)
            except NotInSQLError:
                pass
        return self._slowly(aggregation, grouping, found, within)

    def _fast(
        self, aggregation: tree.RangeAggregation, grouping: tree.Grouping | None, found: Streams, within: TimeRange,
        origin: int,
    ) -> list[Samples]:  # fmt: skip
        plan = _Plan(aggregation, grouping, found)
        width = self._width(aggregation, origin, within)
        sql, parameters = plan.sql(within, origin, width)
        table = self.engine.query(sql, parameters, self.budget)
        if any(table.column("trouble").to_pylist()):
            raise NotInSQLError("lines in doubt")
        if table.num_rows > MOST_SERIES * 20:
            raise too_many_series()
        return plan.samples(table, origin, width)

    def _width(self, aggregation: tree.RangeAggregation, origin: int, within: TimeRange) -> int:
        """The widest bucket of which all windows are made, in nanoseconds."""
        span = aggregation.span
        width = span if self.steps.is_instant else math.gcd(span, self.steps.step)
        if (within.end - origin) // width > _MOST_BUCKETS:
            raise NotInSQLError("more buckets than lines")
        return width

    def _slowly(
        self, aggregation: tree.RangeAggregation, grouping: tree.Grouping | None, found: Streams, within: TimeRange
    ) -> list[Samples]:
        scope = compiled_stages(found, aggregation.query.stages)
        parameters = dict(scope.parameters)
        where = within_sql(parameters, found, within) + scope.where()
        sql = f"{scope.with_clause()}SELECT {COLUMNS} FROM logs WHERE {' AND '.join(where)}"
        sampling = Sampling(aggregation, grouping)
        for batch in self.engine.stream(sql, parameters, self.budget):
            sampling.add(entries(batch, found))
        return sampling.samples()


class _Plan:
    """One statement that gives the samples of all series."""

    def __init__(self, aggregation: tree.RangeAggregation, grouping: tree.Grouping | None, found: Streams) -> None:
        self._aggregation, self._grouping, self._streams = aggregation, grouping, found
        self._scope = scope = compiled_stages(found, aggregation.query.stages)
        if not scope.exact:
            raise NotInSQLError("pipeline")
        self._by = grouping.labels if grouping and not grouping.without else None
        if self._by is None and (scope.extracts or scope.set or scope.kept):
            raise NotInSQLError("all labels of a parsed line")
        self._value = self._unwrapped(scope) if aggregation.unwrap else self._counted(scope)
        self._keys = self._key_columns(scope)

    def _counted(self, scope: Scope) -> str:
        return f"toFloat64(length({scope.line}))" if self._aggregation.operator.startswith("bytes_") else "1."

    def _unwrapped(self, scope: Scope) -> str:
        unwrap = self._aggregation.unwrap
        assert unwrap
        if not scope.extracts and self._by is None:
            raise NotInSQLError("all labels but one")
        text = scope.label(unwrap.label)
        scope.add(f"ifNull({text}, '') != ''")
        unit = "duration" if unwrap.conversion.startswith("duration") else unwrap.conversion
        valid, value = number_sql(scope, text, unit)
        scope.errors(f"NOT ifNull({valid}, 0)")
        for one in unwrap.filters:
            scope.add(condition(scope, one.test))
        return f"assumeNotNull({value}{' / 1e9' if unit == 'duration' else ''})"

    def _key_columns(self, scope: Scope) -> list[str]:
        if self._by is None:
            return ["identity", *_METADATA.split(", ")]
        columns = []
        for place, name in enumerate(self._by):
            columns.append(f"ifNull({scope.label(name)}, '') AS l{place}")
            scope.doubt_text(name)
        return columns

    def sql(self, within: TimeRange, origin: int, width: int) -> tuple[str, dict[str, Any]]:
        """The statement and its parameters: a row a series, with arrays of places, values and counts."""
        scope = self._scope
        parameters = dict(scope.parameters) | {"origin": origin, "width": width}
        where = " AND ".join(within_sql(parameters, self._streams, within) + scope.where())
        trouble = " OR ".join(filter(None, [scope.error, scope.doubt()]))
        keys = ", ".join(self._keys)
        names = ", ".join(column.rpartition(" AS ")[2] for column in self._keys)
        group = f" GROUP BY {names}" if names else ""
        comma = ", " if names else ""
        rows = (
            f"{scope.with_clause()}SELECT {keys}{comma}time, "
            "toUnixTimestamp64Nano(time) - {origin:Int64} - 1 AS since, "
            f"{self._value} AS value, toUInt8({trouble}) AS troubled FROM logs WHERE {where}"
        )
        if self._aggregation.operator in _NEED_ALL:
            sql = (
                f"SELECT {names}{comma}groupArray(since) AS places, groupArray(value) AS numbers, "
                f"groupArray(toUInt64(1)) AS counts, max(troubled) AS trouble FROM ({rows}){group}"
            )
            return sql, parameters
        aggregate = _AGGREGATES.get(self._aggregation.operator, "sum(value)")
        buckets = (
            f"SELECT {names}{comma}intDiv(since, {{width:Int64}}) AS place, {aggregate} AS number, count() AS lines, "
            f"max(troubled) AS troubles FROM ({rows}) GROUP BY {names}{comma}place"
        )
        sql = (
            f"SELECT {names}{comma}groupArray(place) AS places, groupArray(number) AS numbers, "
            f"groupArray(lines) AS counts, max(troubles) AS trouble FROM ({buckets}){group}"
        )
        return sql, parameters

    def samples(self, table: Any, origin: int, width: int) -> list[Samples]:
        """The rows as samples; those of equal labels together."""
        gathered: dict[Labels, list[int]] = {}
        for row, labels in enumerate(self._labels(table)):
            gathered.setdefault(labels, []).append(row)
        columns = [_flat(table.column(name)) for name in ("places", "numbers", "counts")]
        found = []
        for labels, rows in gathered.items():
            places, numbers, counts = (
                np.concatenate([values[offsets[row] : offsets[row + 1]] for row in rows]) for offsets, values in columns
            )
            if not len(places):
                continue
            raw = self._aggregation.operator in _NEED_ALL
            times = origin + 1 + places if raw else origin + (places + 1) * width
            order = np.argsort(times, kind="stable")
            found.append(
                Samples(labels, times[order], numbers[order].astype(np.float64), counts[order].astype(np.float64))
            )
        return found

    def _labels(self, table: Any) -> list[Labels]:
        if self._by is not None:
            if not self._by:
                return [()] * table.num_rows
            columns = [table.column(f"l{place}").to_pylist() for place in range(len(self._by))]
            return [labels_of(zip(self._by, values, strict=True)) for values in zip(*columns, strict=True)]
        columns = [table.column(name).to_pylist() for name in ("identity", *_METADATA.split(", "))]
        return [
            self._grouped(labels_of({**self._streams[identity], **metadata(*rest)}))
            for identity, *rest in zip(*columns, strict=True)
        ]

    def _grouped(self, labels: Labels) -> Labels:
        return key(labels, self._grouping) if self._grouping else labels


def _flat(column: Any) -> tuple[Any, Any]:
    """The offsets and values of a column of lists, as arrays."""
    lists = column.combine_chunks()
    lengths = np.asarray(lists.value_lengths().fill_null(0))
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), np.asarray(lists.flatten())
