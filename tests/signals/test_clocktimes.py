"""Clock times as people say them, in a zone."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.cli.client import _here
from pilothouse.signals.clocktimes import parse_clock
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import parse_range

# A Wednesday, half past three in Berlin.
NOW = int(datetime(2026, 11, 25, 14, 30, tzinfo=UTC).timestamp()) * 1_000_000_000
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("14:05", "2026-11-25T13:05"), ("2:05pm", "2026-11-25T13:05"), ("2 pm", "2026-11-25T13:00"),
        # Not yet today: the last one.
        ("16:00", "2026-11-24T15:00"), ("12am", "2026-11-24T23:00"), ("noon", "2026-11-25T11:00"),
        ("yesterday 14:00", "2026-11-24T13:00"), ("yesterday", "2026-11-23T23:00"), ("today", "2026-11-24T23:00"),
        ("Yesterday at 9:30:15", "2026-11-24T08:30:15"), ("friday 9:30", "2026-11-20T08:30"),
        ("wed 16:00", "2026-11-18T15:00"), ("wednesday 9:00", "2026-11-25T08:00"),
        ("2026-11-25 14:00", "2026-11-25T13:00"), ("2026-07-01T14:00", "2026-07-01T12:00"),
    ],
)  # fmt: skip
def test_what_is_said_is_meant_where_it_is_said(said: str, meant: str) -> None:
    wanted = datetime.fromisoformat(meant).replace(tzinfo=UTC)
    assert parse_clock(said, NOW, BERLIN) == int(wanted.timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    "text", ["", " ", "14", "25:00", "14:60", "13pm", "0am", "2026-13-01 10:00", "1764165900", "15m", "now", "someday"]
)
def test_what_is_no_clock_time_is_none(text: str) -> None:
    assert parse_clock(text, NOW, BERLIN) is None


@given(st.text(max_size=30))
def test_anything_is_read_or_not(text: str) -> None:
    parse_clock(text, NOW, BERLIN)


def test_ranges_take_them() -> None:
    found = parse_range("yesterday 14:00", "yesterday 14:30")
    assert found.seconds == 1800
    assert parse_range(since="yesterday").seconds >= 86_400
    with pytest.raises(BadRequestError, match="yesterday 14:00"):
        parse_range(since="lately")


def test_the_command_line_means_the_person_s_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        given = _here({"start": "2026-11-25 09:00", "end": "15m", "service": "14:05"})
    finally:
        monkeypatch.undo()
        time.tzset()
    assert given == {
        "start": str(int(datetime(2026, 11, 25, tzinfo=UTC).timestamp())),
        "end": "15m",
        "service": "14:05",
    }
