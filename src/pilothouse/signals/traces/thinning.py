"""Retention by attribute: traces that a rule means are kept longer, or less long, than the rest.

A rule is a TraceQL filter and a time. A trace is kept for the longest time of the rules that one of its spans fits, and
for `retention` when none does. Whole traces are kept, so that an error is never found without what led to it. Deleting
is by day: when a day is over for the time of a rule, its partition is rewritten once without the traces that no longer
rule keeps. (A TTL cannot do this: it sees one row, and not its trace.)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from pilothouse.engine import Budget, EngineError
from pilothouse.signals.timerange import NANOSECONDS, TimeRange
from pilothouse.signals.traces.compiling.fields import NEEDS, Fields
from pilothouse.signals.traces.compiling.scope import Scope
from pilothouse.signals.traces.compiling.sources import IN_RANGE
from pilothouse.signals.traces.traceql import TraceqlError, check, parse, tree

if TYPE_CHECKING:
    from pilothouse.engine import Engine

log = structlog.get_logger(__name__)

_DAY = 86_400
_HOUR = 3600.0
_BUDGET = Budget(seconds=3600, memory_bytes=4_000_000_000, name="thinning")


@dataclass(frozen=True, slots=True)
class Rule:
    """Traces with a span that fits `condition` are kept for `seconds`."""

    condition: tree.Field
    seconds: float


def rule(query: str, seconds: float) -> Rule:
    """The rule of a TraceQL query, which must be one filter on spans. Raises `TraceqlError`."""
    parsed = parse(query)
    check(parsed)
    root = parsed.root
    if not isinstance(root, tree.Pipeline) or len(root.stages) != 1 or not isinstance(root.stages[0], tree.Filter):
        raise TraceqlError("a rule is one filter, for example { status = error || duration > 2s }")
    if any(map(_beyond_the_span, _nodes(root.stages[0].condition))):
        raise TraceqlError("a rule cannot ask for a trace's duration or root, for parents or children")
    return Rule(root.stages[0].condition, seconds)


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for inner in fields(node):
        value = getattr(node, inner.name)
        if is_dataclass(value):
            yield from _nodes(value)


def _beyond_the_span(node: Any) -> bool:
    return getattr(node, "parent", False) or (isinstance(node, tree.Intrinsic) and node.name in NEEDS)


class Thinning:
    """Keeps a store to its rules, once an hour."""

    def __init__(self, engine: Engine, rules: Sequence[Rule], retention: float) -> None:
        self._engine, self._rules, self._retention = engine, rules, retention
        times = {rule.seconds for rule in rules} | {retention}
        # What is older than the longest of all goes by the table's own TTL.
        self._bounds = sorted(times)[:-1] if rules else []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="thinning", daemon=True)

    def start(self) -> None:
        """Begin, if there are rules."""
        if self._bounds:
            self._thread.start()

    def close(self) -> None:
        """Stop, also what is being deleted: it begins anew the next time."""
        self._stop.set()
        if self._thread.is_alive():
            self._engine.cancel(_BUDGET.name)
            self._thread.join()

    def thin(self, now: float) -> list[tuple[date, float]]:
        """Delete what the rules do not keep at `now` (Unix seconds); returns which days were thinned to which bound."""
        done: list[tuple[date, float]] = []
        for bound in self._bounds:
            for day in self._due(bound, now):
                if self._stop.is_set():
                    return done
                self._thin(day, bound)
                done.append((day, bound))
        return done

    def _run(self) -> None:
        while not self._stop.wait(_HOUR if self._bounds else None):
            try:
                for day, bound in self.thin(time.time()):
                    log.info("thinned the traces of a day", day=str(day), kept_longer_than_seconds=bound)
            except (EngineError, TraceqlError) as error:
                log.error("traces were not thinned, trying again in an hour", reason=str(error))

    def _due(self, bound: float, now: float) -> list[date]:
        """The days that have spans, ended more than `bound` ago, and were not thinned to it."""
        newest = datetime.fromtimestamp(now - bound - _DAY, UTC).date()
        found = self._engine.query(
            "SELECT DISTINCT toString(partition) AS day FROM system.parts WHERE database = currentDatabase() "
            "AND table = 'spans' AND active AND toDate(partition) <= toDate({newest:String}) "
            "AND toDate(partition) NOT IN (SELECT day FROM thinned_days WHERE seconds = {bound:UInt64}) ORDER BY day",
            {"newest": str(newest), "bound": int(bound)},
        )
        return [date.fromisoformat(day) for day in found["day"].to_pylist()]

    def _thin(self, day: date, bound: float) -> None:
        self._engine.command("TRUNCATE TABLE thinning_traces")
        longer = [rule for rule in self._rules if rule.seconds > bound]
        shorter = [rule for rule in self._rules if rule.seconds <= bound]
        self._note(1, longer, day)
        gone = "trace_id NOT IN (SELECT trace_id FROM thinning_traces WHERE kept = 1)"
        if bound < self._retention:
            # What no rule means is kept on.
            self._note(0, shorter, day)
            gone += " AND trace_id IN (SELECT trace_id FROM thinning_traces WHERE kept = 0)"
        self._engine.command(f"ALTER TABLE spans DELETE IN PARTITION '{day}' WHERE {gone} SETTINGS mutations_sync = 2")
        self._engine.command(
            "INSERT INTO thinned_days SELECT toDate({day:String}), {bound:UInt64}",
            {"day": str(day), "bound": int(bound)},
        )
        self._engine.command("TRUNCATE TABLE thinning_traces")

    def _note(self, kept: int, rules: Sequence[Rule], day: date) -> None:
        """Write down the traces of a day (a day to either side included) that one of the rules means."""
        if not rules:
            return
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        first, last = (int((noon + timedelta(days=days)).timestamp()) * NANOSECONDS for days in (-1.5, 1.5))
        scope = Scope(self._engine, TimeRange(first, last), _BUDGET)
        compiled = Fields(scope)
        condition = " OR ".join(f"({compiled.condition(rule.condition)})" for rule in rules)
        self._engine.command(
            f"INSERT INTO thinning_traces SELECT DISTINCT {kept}, trace_id FROM spans "
            f"WHERE {IN_RANGE} AND ({condition})",
            scope.parameters,
        )
