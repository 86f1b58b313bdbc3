"""Times as people write them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import parse_duration, parse_instant, parse_range, to_rfc3339

NOW = 1_800_000_000_000_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("1h30m", 5400),
        ("2d", 172800),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("1w", 604800),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "h", "15", "-5m", "5 m", "1h-", "one hour", "1e3s"])
def test_what_is_not_a_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadRequestError, match="write 90s, 15m, 1h30m or 2d") as caught:
        parse_duration(text)
    assert caught.value.field == "since"


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("now", NOW),
        ("1h", NOW - 3600 * 10**9),
        ("1700000000", 1_700_000_000 * 10**9),
        ("1700000000.123456789", 1_700_000_000_123_456_789),
        ("2023-11-14T22:13:20Z", 1_700_000_000 * 10**9),
        ("2023-11-14T22:13:20.000000001Z", 1_700_000_000 * 10**9 + 1),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000 * 10**9),
        ("2023-11-14", 1_699_920_000 * 10**9),
    ],
)
def test_instants(text: str, nanoseconds: int) -> None:
    assert parse_instant(text, NOW) == nanoseconds


@pytest.mark.parametrize("text", ["yesterday", "2023-13-01", "-5", "1e30", "nan", "12:30", "2023-11-14T22:13:20.Z"])
def test_what_is_not_an_instant_is_refused(text: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        parse_instant(text, NOW, "end")
    assert caught.value.field == "end"


@given(st.integers(0, 9_000_000_000 * 10**9))
def test_rfc3339_is_exact_both_ways(nanoseconds: int) -> None:
    assert parse_instant(to_rfc3339(nanoseconds), NOW) == nanoseconds


def test_ranges() -> None:
    within = parse_range(since="30m")
    assert within.seconds == pytest.approx(1800)
    assert abs(within.end - time.time_ns()) < 10**9
    assert parse_range("1700000000", "1700000060").seconds == 60
    assert parse_range(end="1700003600", since="10m").start == 1_700_003_000 * 10**9


def test_an_empty_range_and_two_beginnings_are_refused() -> None:
    with pytest.raises(BadRequestError, match="empty"):
        parse_range("1700000060", "1700000000")
    with pytest.raises(BadRequestError, match="not both"):
        parse_range(start="1h", since="1h")
