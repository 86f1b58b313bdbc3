"""The door on a real journal and an embedded engine, in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings

from pilothouse.engine import Engine, open_engine
from pilothouse.signals.flushing import FlushLimits, Intake
from pilothouse.signals.receive.checking import TimeLimits
from pilothouse.signals.receive.otlp import Outcome, Receiver
from pilothouse.signals.storing import storings
from tests.thorough import THOROUGH

TABLES = ("resources", "logs", "spans", "series", "samples", "distributions", "exemplars")


def examples(quick: int, thorough: int = 0) -> settings:
    """Hypothesis' settings for that many examples; with PILOTHOUSE_THOROUGH=1 `thorough`, or forty times as many."""
    return settings(
        max_examples=(thorough or quick * 40) if THOROUGH else quick,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )


def _numbers(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(_numbers(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([one.with_type(_numbers(one.type)) for one in kind])
    return pa.int64() if pa.types.is_timestamp(kind) and kind.unit == "ns" else kind


class Door:
    """Sends requests through door, journal and engine, and reads the tables."""

    def __init__(self, directory: Path, engine: Engine | None = None) -> None:
        """On an engine that is another's to close, or on one of its own."""
        self._own = None if engine else open_engine(directory / "store")
        self.engine: Engine = engine or self._own  # type: ignore[assignment]
        self.intake = Intake(self.engine, directory / "journal", storings(), FlushLimits(interval=0.01))
        self.intake.on_stored = lambda kind, size, seconds: self._stored.set()
        self._stored = threading.Event()
        self.aside = directory / "journal" / "aside"
        self.intake.start()
        self.renew()

    def renew(self, limits: TimeLimits = TimeLimits()) -> None:
        """Empty tables, and a receiver that has told the engine of nobody yet."""
        for kind in self.intake.kept_bytes:
            self.settle(kind)
        filled = "SELECT DISTINCT table FROM system.parts WHERE active AND table IN {tables:Array(String)}"
        for row in self.rows(filled, tables=list(TABLES)):
            self.engine.command(f"TRUNCATE TABLE {row['table']}")
        # A test may send what the one before it sent.
        self.engine.command("TRUNCATE TABLE span_recent")
        for taken in self.intake.taken.values():
            taken.forget()
        self.receiver = Receiver(self.intake, limits)

    def send(self, kind: str, request: Any) -> Outcome:
        """Send a message (or a body, or JSON text) and wait until it is in the tables."""
        self._stored.clear()
        outcome = self.receive(kind, request)
        self.settle(kind)
        return outcome

    def receive(self, kind: str, request: Any) -> Outcome:
        """The same, and wait for the answer only: what comes soon after it is stored together with it."""
        if isinstance(request, str):
            outcome = self.receiver.receive_json(kind, request.encode())
        else:
            body = request if isinstance(request, bytes) else request.SerializeToString()
            outcome = self.receiver.receive(kind, body)
        outcome.written.result(timeout=60)
        return outcome

    def settle(self, kind: str) -> None:
        """Until all that was received of this kind is in the tables."""
        deadline = time.monotonic() + 60
        while self.intake.kept_bytes[kind]:
            assert time.monotonic() < deadline, "not stored after 20 s"
            assert not self.aside.exists(), f"the engine refused {list(self.aside.iterdir())}"
            self._stored.wait(0.002)

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a question to the engine."""
        # Python's own times have microseconds: nanoseconds are told as whole numbers.
        found = self.engine.query(sql, parameters)
        return found.cast(pa.schema([field.with_type(_numbers(field.type)) for field in found.schema])).to_pylist()

    def close(self) -> None:
        """End the journal, then the engine."""
        self.intake.close()
        if self._own:
            self._own.close()


@pytest.fixture(scope="module")
def one_door(files_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A door for all tests of a module."""
    opened = Door(tmp_path_factory.mktemp("door"), files_engine)
    yield opened
    opened.close()


@pytest.fixture
def door(one_door: Door) -> Door:
    """The module's door on empty tables."""
    one_door.renew()
    return one_door
