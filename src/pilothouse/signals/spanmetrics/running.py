"""The thread that reads what the engine counted and sends it through the door."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import structlog

from pilothouse.engine import EngineError
from pilothouse.signals.anyvalue import from_text
from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.spanmetrics.counting import Counting
from pilothouse.signals.spanmetrics.writing import FORMS, Times, request

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.signals.receive.otlp import Receiver

log = structlog.get_logger(__name__)

# An operation that was not called for so many rounds is no longer written: a quarter of an hour of 15 seconds each.
_ROUNDS_KEPT = 60
# A segment's rows carry the time at which storing it began, and can be read when it has ended.
_STORING_SECONDS = 120
_SECOND = 1_000_000_000
_MICROSECOND = 1000


class SpanMetrics:
    """Span metrics of one store. `form` is one of `tempo`, `collector`, `both` and `off`."""

    def __init__(self, engine: Engine, receiver: Receiver, form: str = "both", interval: float = 15.0) -> None:
        self._engine, self._receiver, self._forms, self._interval = engine, receiver, FORMS[form], interval
        self._counting = Counting()
        self._since = time.time_ns()
        self._seen: dict[int, int] = {}
        self._resources: dict[int, dict[str, Any]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="span-metrics", daemon=True)

    def start(self) -> None:
        """Begin, unless the setting is `off`."""
        if self._forms:
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def write(self) -> int:
        """Read, count and send one round. Returns how many operations were written."""
        now = time.time_ns()
        stamps = self._new_stamps(now)
        self._counting.add(self._rows(stamps) if stamps else ())
        found = self._counting.recent(_ROUNDS_KEPT)
        self._learn({operation[0] for operation, _ in found})
        if found:
            times = Times(self._since, max(self._since, now - int(self._interval * _SECOND)), now)
            made = request(found, self._resources, self._forms, times)
            self._receiver.receive("metrics", made.SerializePartialToString()).written.result(timeout=30)
        return len(found)

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self.write()
            except (EngineError, BadRequestError, OverloadedError, TimeoutError) as error:
                log.warning("span metrics were not written", reason=str(error))

    def _new_stamps(self, now: int) -> list[int]:
        """The segments (by their stamps, in microseconds) that were not read yet, and since this process began."""
        since = max(self._since, now - _STORING_SECONDS * _SECOND) // _MICROSECOND
        found = self._engine.query(
            "SELECT DISTINCT toUnixTimestamp64Micro(stored) AS stamp FROM span_calls "
            "WHERE stored >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')",
            {"since": since},
        )["stamp"].to_pylist()
        new = [stamp for stamp in found if stamp not in self._seen]
        self._seen = {stamp: 1 for stamp in self._seen if stamp >= since} | dict.fromkeys(found, 1)
        return new

    def _rows(self, stamps: list[int]) -> list[dict[str, Any]]:
        table = self._engine.query(
            "SELECT identity, toString(name) AS name, kind, status_code, lower, sum(calls) AS calls, "
            "sum(took) AS took, any(example_trace) AS example_trace, any(example_span) AS example_span, "
            "any(example_duration) AS example_duration, any(toUnixTimestamp64Nano(example_time)) AS example_at "
            "FROM span_calls WHERE toUnixTimestamp64Micro(stored) IN {stamps:Array(Int64)} "
            "GROUP BY identity, name, kind, status_code, lower",
            {"stamps": stamps},
        )
        return list(table.to_pylist())

    def _learn(self, identities: set[int]) -> None:
        """The resource attributes of identities that are not known yet; those that nobody speaks for are forgotten."""
        self._resources = {identity: known for identity, known in self._resources.items() if identity in identities}
        wanted = sorted(identities - self._resources.keys())
        if not wanted:
            return
        table = self._engine.query(
            "SELECT identity, any(attributes) AS pairs, any(kinds) AS letters FROM resources "
            "WHERE signal = 'traces' AND identity IN {wanted:Array(UInt64)} GROUP BY identity",
            {"wanted": wanted},
        )
        for row in table.to_pylist():
            self._resources[row["identity"]] = {
                key: text if letter in ("j", "n") else from_text(text, letter)
                for (key, text), letter in zip(row["pairs"], row["letters"], strict=True)
            }
