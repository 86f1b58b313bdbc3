"""A search in slices: nothing is lost between them, several take turns, and one ends when it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from pilothouse.engine import Engine
from pilothouse.signals.logs import searching
from pilothouse.signals.logs.logql import parse, tree
from pilothouse.signals.logs.searching import LineQuestion, Search
from pilothouse.signals.timerange import NANOSECONDS, TimeRange
from tests.signals.receive.conftest import Door

BASE = time.time_ns() // NANOSECONDS * NANOSECONDS - 7200 * NANOSECONDS
ALL = TimeRange(BASE, BASE + 7200 * NANOSECONDS)
# One in a second first, then one in a minute.
SECONDS = [*range(60), *range(60, 7200, 60)]


@pytest.fixture(scope="module")
def door(files_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    opened = Door(tmp_path_factory.mktemp("slices"), files_engine)
    service = [KeyValue(key="service.name", value=AnyValue(string_value="steady"))]
    records = [
        LogRecord(time_unix_nano=BASE + second * NANOSECONDS, body=AnyValue(string_value=f"line of {second}"))
        for second in SECONDS
    ]
    one = {"resource": {"attributes": service}, "scope_logs": [{"log_records": records}]}
    opened.send("logs", ExportLogsServiceRequest(resource_logs=[one]))
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices as of a table of gigabytes."""
    monkeypatch.setattr(searching, "_FIRST_BYTES", 1)
    monkeypatch.setattr(searching, "_HOUR_BYTES", 0)


def _search(door: Door, text: str = '{service_name="steady"}', within: TimeRange = ALL, **fields: int) -> Search:
    query = parse(text)
    assert isinstance(query, tree.LogQuery)
    return Search(door.engine, LineQuestion(query, within, **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("forward", [False, True])
@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
def test_slices_lose_nothing_and_repeat_nothing(door: Door, limit: int, forward: bool) -> None:
    pages = list(_search(door, limit=limit, forward=forward).pages())
    wanted = [f"line of {second}" for second in (SECONDS if forward else SECONDS[::-1])]
    assert [entry.line for page in pages for entry in page.entries] == wanted[:limit]
    assert [page.complete for page in pages].count(True) == 1
    if limit == 1000:
        assert len(pages) > 3
        assert pages[-1].covered == ALL


def test_more_searches_than_the_engine_has_handles_take_turns(door: Door) -> None:
    whole = [_search(door, limit=1000).pages() for _ in range(5)]

    def turns() -> None:
        for pages in whole:
            next(pages)
        # All of these are under way, and one that comes later is answered at once.
        answered.extend(entry.line for page in _search(door, limit=1).pages() for entry in page.entries)
        lines.extend(sum(len(page.entries) for page in pages) for pages in whole)

    answered: list[str] = []
    lines: list[int] = []
    thread = threading.Thread(target=turns, daemon=True)
    thread.start()
    thread.join(120)
    assert not thread.is_alive(), "a search that waits for its next turn keeps others from the engine"
    assert answered == [f"line of {SECONDS[-1]}"]
    assert len(set(lines)) == 1


def test_one_that_nobody_waits_for_ends_with_its_slice(door: Door) -> None:
    search = _search(door, limit=1000)
    pages = search.pages()
    next(pages)
    search.wanted = lambda: False
    assert list(pages) == []


def test_one_that_would_read_more_than_it_may_says_where_to_go_on(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_FIRST_BYTES", 10_000)
    lines: list[str] = []
    within, rounds = ALL, 0
    while within.start < within.end:
        pages = list(_search(door, within=within, limit=1000, most_bytes=1).pages())
        lines += [entry.line for page in pages for entry in page.entries]
        if pages[-1].complete:
            break
        within, rounds = TimeRange(ALL.start, pages[-1].covered.start), rounds + 1
    assert lines == [f"line of {second}" for second in SECONDS[::-1]]
    assert rounds > 1


@pytest.mark.parametrize("forward", [False, True])
def test_where_an_hour_is_little_no_hour_is_read_in_two_slices(
    door: Door, monkeypatch: pytest.MonkeyPatch, forward: bool
) -> None:
    monkeypatch.setattr(searching, "_HOUR_BYTES", 1_000_000)
    asked: list[TimeRange] = []
    priced = searching.price
    monkeypatch.setattr(
        searching, "price", lambda engine, found, within: (asked.append(within), priced(engine, found, within))[1]
    )
    pages = list(_search(door, limit=1000, forward=forward).pages())
    wanted = [f"line of {second}" for second in (SECONDS if forward else SECONDS[::-1])]
    assert [entry.line for page in pages for entry in page.entries] == wanted
    slices = asked[1:] if forward else asked[:0:-1]
    assert len(slices) > 1
    assert (slices[0].start, slices[-1].end) == (ALL.start, ALL.end)
    hour = 3600 * NANOSECONDS
    assert all(one.end == after.start and one.end % hour == 0 for one, after in pairwise(slices))
