"""From the spans table to arrays: which traces may fit, and the spans of some of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.signals.traces.by_id import FEW, of_traces
from pilothouse.signals.traces.compiling.fields import Fields
from pilothouse.signals.traces.compiling.necessary import NOTHING, Told, either, necessary
from pilothouse.signals.traces.compiling.scope import Scope
from pilothouse.signals.traces.compiling.sources import rows
from pilothouse.signals.traces.spansets.evaluating import Columns, State, evaluate
from pilothouse.signals.traces.spansets.family import family
from pilothouse.signals.traces.spansets.nesting import Nesting, nested
from pilothouse.signals.traces.spansets.plan import Plan, needed, plan
from pilothouse.signals.traces.traceql import tree

if TYPE_CHECKING:
    import pyarrow as pa

MOST_TRACES = 100_000
MOST_SPANS = 2_000_000
# Of few traces the spans are looked up one by one, so that those found first cost little; then by reading the range.
_BATCHES = (FEW, 4 * FEW, 400)
# A search that needs few traces looks at a sixty-fourth of its range first, then at four times as much, and so on.
_FIRST_SLICE, _GROWTH = 64, 4
_OF_SPAN = "trace_id, span_id, kind, identity"
_OF_FAMILY = f"{_OF_SPAN}, parent_span_id, name, time, duration"


class Reading:
    """One pipeline on one range of time."""

    def __init__(self, scope: Scope, pipeline: tree.Pipeline) -> None:
        self._scope, self._pipeline = scope, pipeline
        self._fields = Fields(scope)
        self.plan: Plan = plan(pipeline, self._fields)

    @property
    def joins(self) -> bool:
        """Whether a span is judged by more than itself: its trace, its parent, its children."""
        return bool(self._scope.joined)

    def newest(self, most: int) -> list[str]:
        """The newest traces with a span that fits the only filter there is: looked for backwards, in growing slices of
        the range, until there are enough.
        """
        start, end = self._scope.within.start, self._scope.within.end
        length = max(1, (end - start) // _FIRST_SLICE)
        found: dict[str, None] = {}
        while end > start and len(found) < most:
            begin = max(start, end - length)
            found |= dict.fromkeys(self._candidates(most + len(found), begin, end))
            end, length = begin, length * _GROWTH
        return list(found)[:most]

    def candidates(self, most: int = MOST_TRACES) -> list[str]:
        """The traces that may fit, in hexadecimal, those with the newest spans first."""
        return self._candidates(most, self._scope.within.start, self._scope.within.end)

    def _candidates(self, most: int, start: int, end: int) -> list[str]:
        told = self._told()
        columns = "".join(f", {sql} AS c{place}" for place, sql in enumerate(told))
        found = self._scope.engine.query(
            f"SELECT lower(hex(trace_id)) AS id FROM (SELECT trace_id, time{columns} "
            f"{rows(self._scope, self._any(told), self._first() or '1')}) GROUP BY trace_id "
            f"HAVING {needed(self._pipeline, self.plan)} ORDER BY max(time) DESC, trace_id LIMIT {most}",
            self._scope.parameters | {"start": start, "end": end},
            self._scope.budget,
        )
        return [str(trace) for trace in found["id"].to_pylist()]

    def batches(self, traces: list[str], sizes: Sequence[int] = _BATCHES) -> Iterator[tuple[pa.Table, Columns, State]]:
        """The spans of the traces, so many traces at a time (and as many as the last time), and what the pipeline
        leaves of them.
        """
        place, following = 0, chain(sizes, repeat(sizes[-1]))
        while place < len(traces):
            size = next(following)
            table = self._spans(traces[place : place + size])
            columns = self._columns(table)
            yield table, columns, evaluate(self._pipeline, columns)
            place += size

    def _told(self) -> list[str]:
        """SQL of each filter by which candidates are found: what few columns tell where they are judged once more."""
        whole = list(self.plan.conditions.values())
        if self.plan.exact:
            return whole
        return [f"({few.sql})" if few.sql else sql for sql, few in zip(whole, self._few, strict=True)]

    @cached_property
    def _few(self) -> list[Told]:
        """What can be told of each filter's spans from few columns."""
        return [necessary(one.condition, self._fields, self._scope) for one in self.plan.conditions]

    def _any(self, conditions: Iterable[str]) -> str:
        """A span that no filter wants and that stands between no others need not be looked at."""
        return " OR ".join(f"({sql})" for sql in conditions) if self._filters() else "1"

    def _first(self) -> str:
        """What can be told of the spans that any filter wants; empty when that is nothing."""
        return (either(self._few) if self._filters() else NOTHING).whole()

    def _filters(self) -> bool:
        """Whether only spans that fit a filter can be left."""
        return _begins(self._pipeline)

    def _spans(self, traces: list[str]) -> pa.Table:
        chosen, given = of_traces(traces)
        first = self._first()
        return self._scope.engine.query(
            "SELECT lower(hex(trace_id)) AS trace, reinterpretAsUInt64(span_id) AS sid, "
            "reinterpretAsUInt64(parent_span_id) AS pid, lower(hex(span_id)) AS id, name, identity, "
            f"toUnixTimestamp64Nano(time) AS start, duration{self._judged(chosen, first)} "
            f"ORDER BY trace, start, id LIMIT 1 BY trace, sid, kind, identity LIMIT {MOST_SPANS}",
            self._scope.parameters | given,
            self._scope.budget,
        )

    def _judged(self, chosen: str, first: str) -> str:
        """The plan's columns, and FROM and WHERE of the chosen traces' spans."""
        columns = "".join(f", {sql} AS {name}" for name, sql in self.plan.columns().items())
        wanted = self._any(self.plan.conditions.values())
        within = f"{chosen} AND ({first})" if first else chosen
        if not self.plan.deep:
            return f"{columns} {rows(self._scope, wanted, within)}"
        if not first or self._scope.joined:
            return f"{columns} {rows(self._scope, '1', chosen)}"
        # Of spans that only stand between others, attributes are not read: they are most of what there is to read.
        names = "".join(f", {name}" for name in self.plan.columns())
        family = f"(SELECT {_OF_FAMILY} {rows(self._scope, '1', chosen)})"
        judged = f"(SELECT {_OF_SPAN}{columns} {rows(self._scope, wanted, within)})"
        return f"{names} FROM {family} AS s ANY LEFT JOIN {judged} AS f USING ({_OF_SPAN})"

    def _columns(self, table: pa.Table) -> Columns:
        traces = np.unique(np.asarray(table["trace"].to_pylist(), dtype=object).astype(str), return_inverse=True)[1]
        traces = traces.astype(np.int64)
        made = family(traces, table["sid"].to_numpy(), table["pid"].to_numpy())
        masks = {node: table[f"c{place}"].to_numpy() == 1 for place, node in enumerate(self.plan.conditions)}
        numbers = {
            node: np.asarray(table[f"n{place}"].to_numpy(), dtype=np.float64)
            for place, node in enumerate(self.plan.numbers)
        }
        labels = {
            node: (_texts(table, f"t{place}"), _texts(table, f"k{place}"))
            for place, node in enumerate(self.plan.labels)
        }
        parts = {node: table[f"b{place}"].to_numpy() == 1 for place, node in enumerate(self.plan.parts)}
        nesting = Nesting(made, traces, parts, numbers)
        for node in masks:
            if nested(node.condition):
                masks[node] &= nesting.holds(node.condition)
        numbers |= {node: nesting.numbers(node) for node in self.plan.numbers_made}
        labels |= {node: nesting.labels(node) for node in self.plan.labels_made}
        return Columns(traces, made, masks, numbers, labels)


def _begins(node: Any) -> bool:
    """Whether a pipeline begins with filters wherever it begins."""
    match node:
        case tree.SpansetOperation(_, left, right):
            return _begins(left) and _begins(right)
        case tree.Pipeline(stages):
            return _begins(stages[0])
    return isinstance(node, tree.Filter)


def _texts(table: pa.Table, column: str) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.asarray([text or "" for text in table[column].to_pylist()], dtype=object)
