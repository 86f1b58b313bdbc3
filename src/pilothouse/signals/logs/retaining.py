"""Retention by selector: some streams' lines are kept for a shorter time than the rest.

Rules are looked at when the server starts and every hour after that. What is over its time is no longer found from
that moment, and its disk is freed by a merge.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from pilothouse.engine import EngineError
from pilothouse.signals.logs.deleting import delete
from pilothouse.signals.logs.logql import parse_log_query, tree
from pilothouse.signals.logs.pricing import price
from pilothouse.signals.logs.streams import streams
from pilothouse.signals.timerange import NANOSECONDS, TimeRange, parse_duration

if TYPE_CHECKING:
    from pilothouse.engine import Engine

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Rule:
    """The lines that `query` means are kept for so many seconds."""

    query: tree.LogQuery
    seconds: float


def rules_of(given: Mapping[str, str]) -> tuple[Rule, ...]:
    """Rules as the configuration writes them: a selector (line filters may follow) and a duration.

    Raises `BadRequestError`.
    """
    return tuple(Rule(parse_log_query(query), parse_duration(kept, query)) for query, kept in given.items())


def keep(engine: Engine, rules: tuple[Rule, ...], now: int | None = None) -> int:
    """Delete what is over its time; returns how many rules had something to delete."""
    at, busy = time.time_ns() if now is None else now, 0
    for rule in rules:
        within = TimeRange(0, max(at - int(rule.seconds * NANOSECONDS), 0))
        # A deletion rewrites what it touches: there is none where there are no such lines.
        found = streams(engine, rule.query.matchers, within)
        if price(engine, found, within).rows and delete(engine, rule.query, within):
            busy += 1
    if busy:
        engine.command("ALTER TABLE logs APPLY DELETED MASK")
    return busy


@dataclass
class Retention:
    """Holds to the rules in a thread of its own; without rules it does nothing."""

    engine: Engine
    rules: tuple[Rule, ...]
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; the first round is at once."""
        if self.rules:
            self._thread = threading.Thread(target=self._run, name="log-retention", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End after the deletion that runs."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if rules := keep(self.engine, self.rules):
                    log.info("deleted log lines that were over their time", rules=rules)
            except EngineError as error:
                log.warning("log lines over their time could not be deleted, trying again", reason=str(error))
            self._stop.wait(_EVERY_SECONDS)
