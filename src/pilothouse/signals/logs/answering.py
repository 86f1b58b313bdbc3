"""Any LogQL query, answered: lines or numbers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.engine import Budget
from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.pricing import SPEED, Price, price
from pilothouse.signals.logs.sampling import Sampler
from pilothouse.signals.logs.searching import LineQuestion, Page, Search
from pilothouse.signals.logs.streams import Streams, streams
from pilothouse.signals.logs.vectors import Series, Steps, evaluate

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.signals.logs.pipeline import Entry
    from pilothouse.signals.timerange import TimeRange

MOST_LINES = 10_000
_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Lines:
    """The entries in order, what was read for them, and whether the whole range was looked at (or enough found)."""

    entries: list[Entry]
    covered: TimeRange
    price: Price
    complete: bool


@dataclass(frozen=True, slots=True)
class Numbers:
    """A number, or series over the steps."""

    value: float | list[Series]
    steps: Steps
    price: Price


def lines(engine: Engine, question: LineQuestion, budget: Budget | None = None) -> Lines:
    """All that a log query finds, at once."""
    search = Search(engine, question, budget or Budget(seconds=_SECONDS, cached=True))
    pages: Sequence[Page] = list(search.pages())
    found = [entry for page in pages for entry in page.entries]
    if not pages:
        return Lines([], question.within, Price(), complete=False)
    return Lines(found, pages[-1].covered, pages[-1].price, any(page.complete for page in pages))


def numbers(
    engine: Engine, query: tree.Metric, steps: Steps, budget: Budget | None = None, slow: bool = False
) -> Numbers:
    """The value of a metric query at each step."""
    read: list[Price] = []

    def note(within: TimeRange, found: Streams) -> None:
        read.append(price(engine, found, within))

    sampler = Sampler(engine, steps, budget or Budget(seconds=_SECONDS, cached=True), slow, note)
    started = time.monotonic()
    value = evaluate(query, steps, sampler.reader())
    total = sum(read, Price())
    # What the slow path takes says nothing about how fast the engine reads.
    if not slow:
        SPEED.note(total, time.monotonic() - started)
    return Numbers(value, steps, total)


def counted(engine: Engine, query: tree.LogQuery, within: TimeRange) -> int:
    """How many lines a log query finds, counted in the engine; lines with an error count as well."""
    stages = (*query.stages, tree.Drop(("__error__", "__error_details__")))
    lines_ = tree.RangeAggregation("count_over_time", tree.LogQuery(query.matchers, stages), within.end - within.start)
    # A window is open on the left and closed on the right; a range is the other way round.
    steps = Steps(within.end - 1, within.end - 1, 1)
    value = numbers(engine, tree.VectorAggregation("sum", lines_), steps).value
    return int(value[0].values[0]) if isinstance(value, list) and value else 0


def priced(engine: Engine, query: tree.Query, within: TimeRange) -> Price:
    """What a query over this range would read if it had to read all of it."""
    total = Price()
    for leaf, span, offset in leaves(query):
        reach = type(within)(max(within.start - offset - span, 0), within.end - offset)
        total += price(engine, streams(engine, leaf.matchers, reach), reach)
    return total


def leaves(query: tree.Query) -> list[tuple[tree.LogQuery, int, int]]:
    """The log queries in a query, with the range and offset at which each is read."""
    match query:
        case tree.LogQuery():
            return [(query, 0, 0)]
        case tree.RangeAggregation():
            return [(query.query, query.span, query.offset)]
        case tree.VectorAggregation() | tree.LabelReplace():
            return leaves(query.inner)
        case tree.Binary():
            return leaves(query.left) + leaves(query.right)
        case _:
            return []
