"""From journal to tables when the engine cannot: tried again, stored singly, put aside; never lost, never twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pilothouse.engine import EngineUnavailableError, QueryError, SegmentStatement
from pilothouse.signals import flushing
from pilothouse.signals.flushing import FlushLimits, Intake, Storing

FIRST = SegmentStatement("first", (), "", "", "", "")
SECOND = SegmentStatement("second", (), "", "", "", "")


class Engine:
    """Stands for the engine where it fails in ways that a real one cannot be made to."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, bytes]] = []
        self.tokens: set[str] = set()
        self.refuse: Callable[[str, bytes], Exception | None] = lambda table, content: None

    def store_segment(self, statement: SegmentStatement, segment: Path, token: str) -> None:
        content = segment.read_bytes()
        if error := self.refuse(statement.table, content):
            raise error
        if token not in self.tokens:
            self.tokens.add(token)
            self.stored.append((statement.table, content))

    def has(self, payload: bytes, table: str = "first") -> int:
        """How often a payload was stored."""
        return sum(content.count(payload) for name, content in self.stored if name == table)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flushing, "_RETRY_SECONDS", (0.01, 0.02))
    monkeypatch.setattr(flushing, "_REMOVED_AFTER", 0.2)


def opened(engine: Engine, directory: Path) -> Intake:
    kinds = {"logs": Storing((("", FIRST), ("marked", SECOND)))}
    return Intake(engine, directory / "journal", kinds, FlushLimits(interval=0.02))  # type: ignore[arg-type]


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def segments(directory: Path) -> list[Path]:
    return list((directory / "journal").glob("*.segment"))


def test_only_the_statements_that_are_asked_for_run(engine: Engine, tmp_path: Path) -> None:
    intake = opened(engine, tmp_path)
    intake.start()
    intake.accept("logs", b"plain").result(timeout=60)
    wait_until(lambda: engine.has(b"plain"))
    intake.accept("logs", b"special", frozenset({"marked"})).result(timeout=60)
    wait_until(lambda: engine.has(b"special", "second"))
    assert not engine.has(b"plain", "second")
    assert intake.kept_bytes == {"logs": 0}
    wait_until(lambda: not segments(tmp_path))
    intake.close()


def test_an_idle_intake_stores_nothing(engine: Engine, tmp_path: Path) -> None:
    intake = opened(engine, tmp_path)
    intake.start()
    time.sleep(0.1)
    intake.close()
    assert engine.stored == []


@pytest.mark.parametrize("error", [EngineUnavailableError("no space", 243), OSError(28, "No space left on device")])
def test_what_cannot_be_stored_now_is_tried_again(engine: Engine, tmp_path: Path, error: Exception) -> None:
    full = threading.Event()
    full.set()
    engine.refuse = lambda table, content: error if full.is_set() else None
    intake = opened(engine, tmp_path)
    intake.start()
    intake.accept("logs", b"patient").result(timeout=60)
    wait_until(lambda: intake.failing)
    assert intake.kept_bytes["logs"] > 0
    full.clear()
    wait_until(lambda: engine.has(b"patient") == 1)
    assert not intake.failing
    intake.close()


@pytest.mark.parametrize("error", [EngineUnavailableError("no space", 243), OSError(28, "No space left on device")])
def test_what_cannot_be_stored_at_the_end_is_stored_at_the_next_start(
    engine: Engine, tmp_path: Path, error: Exception
) -> None:
    engine.refuse = lambda table, content: error
    intake = opened(engine, tmp_path)
    intake.start()
    intake.accept("logs", b"patient").result(timeout=60)
    wait_until(lambda: intake.failing)
    intake.close()
    engine.refuse = lambda table, content: None
    again = opened(engine, tmp_path)
    assert again.start() == 1
    again.close()
    assert engine.has(b"patient") == 1
    assert segments(tmp_path) == []


def test_a_refused_request_does_not_take_its_neighbours_with_it(engine: Engine, tmp_path: Path) -> None:
    engine.refuse = lambda table, content: QueryError("no", 444) if b"poison" in content else None
    intake = opened(engine, tmp_path)
    intake.start()
    for written in [intake.accept("logs", payload) for payload in (b"before", b"poison", b"after")]:
        written.result(timeout=60)
    wait_until(lambda: engine.has(b"after"))
    intake.close()
    assert (engine.has(b"before"), engine.has(b"after"), engine.has(b"poison")) == (1, 1, 0)
    [aside] = (tmp_path / "journal" / "aside").iterdir()
    assert b"poison" in aside.read_bytes()
    assert b"before" not in aside.read_bytes()
    assert intake.kept_bytes == {"logs": 0}


def test_a_request_that_is_sent_again_after_a_crash_is_stored_once(engine: Engine, tmp_path: Path) -> None:
    """The process ended after a request was stored and before its answer had left: its segment is still there."""
    intake = opened(engine, tmp_path)
    intake.start()
    intake.accept("logs", b"answered never").result(timeout=60)
    wait_until(lambda: engine.has(b"answered never"))
    left = {path: path.read_bytes() for path in segments(tmp_path)}
    assert len(left) == 1
    intake.close()
    for path, content in left.items():
        path.write_bytes(content)
    again = opened(engine, tmp_path)
    assert again.start() == 1
    again.accept("logs", b"answered never").result(timeout=60)
    again.accept("logs", b"answered never").result(timeout=60)
    again.close()
    # The second time it is not the same request any more: it is a client that sends equal bytes.
    assert engine.has(b"answered never") == 2


def test_much_gathers_longer_where_storing_takes_long(engine: Engine, tmp_path: Path) -> None:
    kinds = {"logs": Storing((("", FIRST),))}
    limits = FlushLimits(interval=0.02, few_bytes=10, patience=20.0, longest=60.0)
    intake = Intake(engine, tmp_path / "journal", kinds, limits)  # type: ignore[arg-type]

    def slowly(table: str, content: bytes) -> None:
        time.sleep(0.1)

    engine.refuse = slowly
    intake.start()
    intake.accept("logs", b"the first goes at once").result(timeout=60)
    wait_until(lambda: engine.stored)
    begun = time.monotonic()
    intake.accept("logs", b"the second waits for others").result(timeout=60)
    intake.accept("logs", b"the third goes with it").result(timeout=60)
    wait_until(lambda: len(engine.stored) > 1)
    assert time.monotonic() - begun > 1.5
    assert engine.has(b"third")
    assert len(engine.stored) == 2
    intake.close()


def test_a_file_that_waits_to_be_used_again_is_gone_when_it_was_not(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = opened(engine, tmp_path)
    intake.start()
    intake.accept("logs", bytes(2_000_000)).result(timeout=60)
    spares = partial(tmp_path.rglob, "*.spare")
    wait_until(lambda: list(spares()))
    monkeypatch.setattr(flushing, "_SPARE_FOR", 0.01)
    intake.accept("logs", b"that wakes it").result(timeout=60)
    wait_until(lambda: not list(spares()) and not segments(tmp_path))
    assert engine.has(b"that wakes it")
    intake.close()
    assert list((tmp_path / "journal").iterdir()) == []
