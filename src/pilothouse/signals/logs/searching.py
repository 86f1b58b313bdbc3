"""Lines of a log query, newest first (or oldest first), slice by slice.

A range is cut into slices, the first as long as some megabytes of its lines are on the average, each eight times as
long as the one before, so that a question about a month whose answer is in the last minutes reads minutes. The engine
is free between two slices: several questions at a time take turns, and one that nobody waits for any more ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pilothouse.engine import Budget
from pilothouse.signals.logs.compiling import Scope, compiled_stages
from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.pipeline import Entry, Pipeline
from pilothouse.signals.logs.pricing import Price, price
from pilothouse.signals.logs.reading import COLUMNS, entries, within_sql
from pilothouse.signals.logs.streams import Streams, streams
from pilothouse.signals.timerange import NANOSECONDS, TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine

# What one statement reads for little more than being asked at all (20 ms of CPU, docs/adr/0087).
_FIRST_BYTES = 16_000_000
_SHORTEST, _HOUR = NANOSECONDS, 3600 * NANOSECONDS
_GROWTH = 8
_MOST_BYTES = 2_000_000_000
# An hour of so few bytes has its streams in granules of several: a part of it takes what all of it takes.
_HOUR_BYTES = 128_000_000
# Lines that the engine could not judge are fetched in pages that grow, up to this many.
_LARGEST_PAGE = 50_000


@dataclass(frozen=True, slots=True)
class LineQuestion:
    """Which lines, of when, how many; `most_bytes` of line text may be read (0: no limit)."""

    query: tree.LogQuery
    within: TimeRange
    limit: int = 100
    forward: bool = False
    most_bytes: int = 0


@dataclass(slots=True)
class Page:
    """Entries in order; `covered` is the range that has been answered so far, `price` what was read for it."""

    entries: list[Entry]
    covered: TimeRange
    price: Price
    complete: bool = False


@dataclass(frozen=True, slots=True)
class _Lengths:
    """Of the first slice and of the longest one, in nanoseconds; `hours`: slices end at full hours."""

    first: int
    longest: int
    hours: bool = False


@dataclass
class Search:
    """One question being answered; `pages` gives what is found as it is found."""

    engine: Engine
    question: LineQuestion
    budget: Budget = field(default_factory=lambda: Budget(cached=True))
    wanted: Callable[[], bool] = lambda: True
    read: Price = field(default_factory=Price)

    def pages(self) -> Iterator[Page]:
        """Page after page until there are `limit` entries, the range is done, or the budget is."""
        question = self.question
        found = streams(self.engine, question.query.matchers, question.within)
        scope = compiled_stages(found, question.query.stages) if found else Scope({})
        pipeline, left = Pipeline(question.query.stages), question.limit
        for within in _slices(question, self._lengths(found)) if found else ():
            if not self.wanted():
                return
            cost = price(self.engine, found, within)
            most = question.most_bytes
            if 0 < most < self.read.bytes + cost.bytes and self.read.bytes:
                return
            for batch in self._slice(found, scope, pipeline, within, left) if cost.rows else ():
                left -= len(batch)
                if batch and left > 0:
                    yield Page(batch, self._covered(within, batch[-1].time), self.read)
                elif batch:
                    yield Page(batch, self._covered(within, batch[-1].time), self.read + cost, complete=True)
            self.read = self.read + cost
            if left <= 0:
                return
            yield Page([], self._covered(within, None), self.read)
        yield Page([], question.within, self.read, complete=True)

    def _lengths(self, found: Streams) -> _Lengths:
        """The first slice, of few megabytes when lines come evenly, and the longest: none reads more than gigabytes.

        Lines need not come evenly: the first slice is at most an hour, as the table is sorted by hours.
        """
        whole, length = self.question.within, self.question.within.end - self.question.within.start
        size = price(self.engine, found, whole).bytes
        longest = max(length // max(1, -(-size // _MOST_BYTES)), _SHORTEST)
        if size <= _FIRST_BYTES:
            return _Lengths(length, length)
        first = min(max(length * _FIRST_BYTES // size, _SHORTEST), _HOUR, longest)
        return _Lengths(first, longest, size * _HOUR <= _HOUR_BYTES * length)

    def _covered(self, within: TimeRange, last: int | None) -> TimeRange:
        whole = self.question.within
        if self.question.forward:
            return TimeRange(whole.start, within.end if last is None else last + 1)
        return TimeRange(within.start if last is None else last, whole.end)

    def _slice(
        self, found: Streams, scope: Scope, pipeline: Pipeline, within: TimeRange, left: int
    ) -> Iterator[list[Entry]]:
        """The entries of one slice in order, as pages of what the pipeline keeps."""
        parameters: dict[str, Any] = dict(scope.parameters)
        where = " AND ".join(within_sql(parameters, found, within) + scope.where())
        # By `at` instead of `time`: reading in the table's order is several times as slow as sorting.
        order = "ASC" if self.question.forward else "DESC"
        sql = (
            f"{scope.with_clause()}SELECT {COLUMNS} FROM logs WHERE {where} "
            f"ORDER BY at {order}, identity {order}, _part_offset {order} LIMIT {{most:UInt64}} OFFSET {{past:UInt64}}"
        )
        past, most = 0, left
        while left > 0 and self.wanted():
            rows = self.engine.query(sql, parameters | {"most": most, "past": past}, self.budget)
            batch = [entry for entry in entries(rows, found) if pipeline.run(entry)][:left]
            yield batch
            left -= len(batch)
            past += rows.num_rows
            if rows.num_rows < most:
                return
            most = min(max(most * 4, 1000), _LARGEST_PAGE)


def _slices(question: LineQuestion, lengths: _Lengths) -> Iterator[TimeRange]:
    """From the end that is asked first, each longer than the one before."""
    whole, length = question.within, lengths.first
    place = whole.start if question.forward else whole.end
    while whole.start < place if not question.forward else place < whole.end:
        if question.forward:
            end = min(whole.end, _forward(place, length) if lengths.hours else place + length)
            yield TimeRange(place, end)
            place = end
        else:
            start = max(whole.start, -_forward(-place, length) if lengths.hours else place - length)
            yield TimeRange(start, place)
            place = start
        length = min(length * _GROWTH, lengths.longest)


def _forward(place: int, length: int) -> int:
    """The full hour before `place + length`, or the one after it when the slice would be too short."""
    before = (place + length) // _HOUR * _HOUR
    return before if (before - place) * 4 >= length else before + _HOUR
