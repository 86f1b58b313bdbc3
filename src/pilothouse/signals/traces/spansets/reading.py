"""From the spans table to arrays: which traces may fit, and the spans of some of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.signals.traces.by_id import FEW, of_traces
from pilothouse.signals.traces.compiling.fields import Fields
from pilothouse.signals.traces.compiling.necessary import ANYTHING, necessary
from pilothouse.signals.traces.compiling.scope import Scope
from pilothouse.signals.traces.compiling.sources import rows
from pilothouse.signals.traces.spansets.evaluating import Columns, State, evaluate
from pilothouse.signals.traces.spansets.family import family
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
            f"{rows(self._scope, self._any(told), self._first())}) GROUP BY trace_id "
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
        whole = self.plan.conditions.values()
        if self.plan.exact:
            return list(whole)
        told = (necessary(one.condition, self._fields, self._scope) for one in self.plan.conditions)
        return [sql if few == ANYTHING else f"({few})" for sql, few in zip(whole, told, strict=True)]

    def _any(self, conditions: Iterable[str]) -> str:
        """A span that no filter wants and that stands between no others need not be looked at."""
        return " OR ".join(f"({sql})" for sql in conditions) if self._filters() else "1"

    def _first(self) -> str:
        """What can be told of such spans from few columns."""
        told = [necessary(one.condition, self._fields, self._scope) for one in self.plan.conditions]
        return ANYTHING if not self._filters() or ANYTHING in told else " OR ".join(f"({one})" for one in told)

    def _filters(self) -> bool:
        first = self._pipeline.stages[0]
        return bool(self.plan.conditions) and isinstance(first, tree.Filter | tree.SpansetOperation | tree.Pipeline)

    def _spans(self, traces: list[str]) -> pa.Table:
        first = self._first()
        chosen, given = of_traces(traces)
        within = chosen + (f" AND ({first})" if not self.plan.deep and first != ANYTHING else "")
        wanted = "1" if self.plan.deep else self._any(self.plan.conditions.values())
        return self._scope.engine.query(
            "SELECT lower(hex(trace_id)) AS trace, reinterpretAsUInt64(span_id) AS sid, "
            "reinterpretAsUInt64(parent_span_id) AS pid, lower(hex(span_id)) AS id, name, identity, "
            f"toUnixTimestamp64Nano(time) AS start, duration{self.plan.columns()} "
            f"{rows(self._scope, wanted, within)} "
            f"ORDER BY trace, start, id LIMIT 1 BY trace, sid, kind, identity LIMIT {MOST_SPANS}",
            self._scope.parameters | given,
            self._scope.budget,
        )

    def _columns(self, table: pa.Table) -> Columns:
        traces = np.unique(np.asarray(table["trace"].to_pylist(), dtype=object).astype(str), return_inverse=True)[1]
        traces = traces.astype(np.int64)
        made = family(traces, table["sid"].to_numpy(), table["pid"].to_numpy())
        conditions = {node: table[f"c{place}"].to_numpy() == 1 for place, node in enumerate(self.plan.conditions)}
        numbers = {
            node: np.asarray(table[f"n{place}"].to_numpy(), dtype=np.float64)
            for place, node in enumerate(self.plan.numbers)
        }
        labels = {
            node: (_texts(table, f"t{place}"), _texts(table, f"k{place}"))
            for place, node in enumerate(self.plan.labels)
        }
        return Columns(traces, made, conditions, numbers, labels)


def _texts(table: pa.Table, column: str) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.asarray([text or "" for text in table[column].to_pylist()], dtype=object)
