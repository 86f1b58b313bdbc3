"""Time ranges as people write them: `15m`, `2d`, RFC 3339, Unix seconds, `now`, `yesterday 14:00`."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from pilothouse.signals.clocktimes import parse_clock
from pilothouse.signals.errors import BadRequestError

NANOSECONDS = 1_000_000_000
_UNITS = {"ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_FRACTION = re.compile(r"(.*T\d\d:\d\d:\d\d)\.(\d{1,9})(.*)")
_YEAR_2262 = 9_223_372_036.0


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start` to just before `end`, both in nanoseconds since the epoch."""

    start: int
    end: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.start) / NANOSECONDS


def parse_duration(text: str, field: str = "since") -> float:
    """Seconds of `90s`, `15m`, `1h30m`, `2d`."""
    if not _DURATION.fullmatch(text):
        raise BadRequestError(f"{field}: {text!r} is not a duration; write 90s, 15m, 1h30m or 2d", field)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if seconds >= _YEAR_2262:
        raise BadRequestError(f"{field}: {text[:40]} is longer than 292 years", field)
    return seconds


def parse_instant(text: str, now: int, field: str = "time") -> int:
    """Nanoseconds of an instant: RFC 3339, Unix seconds, `now`, or a distance back from now (`15m`)."""
    if text == "now":
        return now
    if _DURATION.fullmatch(text):
        return max(0, now - int(parse_duration(text, field) * NANOSECONDS))
    try:
        seconds = float(text)
    except ValueError:
        return _parse_rfc3339(text, field)
    if not 0 <= seconds < _YEAR_2262:
        raise BadRequestError(f"{field}: {text} is not in Unix seconds between 1970 and 2262", field)
    whole, _, fraction = text.partition(".")
    if whole.isdigit() and (fraction.isdigit() or not fraction):
        return int(whole) * NANOSECONDS + int((fraction or "0")[:9].ljust(9, "0"))
    return int(seconds * NANOSECONDS)


def parse_moment(text: str, now: int, field: str = "time") -> int:
    """Nanoseconds of what a person asks about: a clock time (in UTC: see `clocktimes`), or any instant."""
    moment = parse_clock(text, now)
    return parse_instant(text, now, field) if moment is None else moment


def parse_range(
    start: str | None = None, end: str | None = None, since: str | None = None, default: str = "1h"
) -> TimeRange:
    """The range of a question; `since` is short for `start`, and `end` is now if not given."""
    now = time.time_ns()
    if start and since:
        raise BadRequestError("since: give either since or start, not both", "since")
    last = parse_moment(end, now, "end") if end else now
    if start:
        first = parse_moment(start, now, "start")
    elif since and not _DURATION.fullmatch(since):
        first = _since_when(since, now)
    else:
        first = (last if end else now) - int(parse_duration(since or default) * NANOSECONDS)
    first = max(first, 0)
    if first >= last:
        raise BadRequestError("start: the range is empty, start is not before end", "start")
    return TimeRange(first, last)


def _since_when(text: str, now: int) -> int:
    try:
        return parse_moment(text, now, "since")
    except BadRequestError:
        said = f"since: {text[:40]!r} is not a duration or a time; write 15m, 1h30m, 2d, 14:05 or yesterday 14:00"
        raise BadRequestError(said, "since") from None


def to_rfc3339(nanoseconds: int) -> str:
    """RFC 3339 in UTC with nanoseconds, as the API answers times."""
    seconds, fraction = divmod(nanoseconds, NANOSECONDS)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{fraction:09d}Z"


def _parse_rfc3339(text: str, field: str) -> int:
    digits = "0"
    rest = text
    if found := _FRACTION.fullmatch(text):
        rest, digits = found[1] + found[3], found[2]
    elif "." in text:
        rest = ""
    try:
        moment = datetime.fromisoformat(rest)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        nanoseconds = int(moment.timestamp()) * NANOSECONDS + int(digits.ljust(9, "0"))
    except (ValueError, OverflowError):
        raise BadRequestError(
            f"{field}: {text!r} is not a time; write yesterday 14:00, 15m (ago), RFC 3339 or Unix seconds",
            field,
        ) from None
    if not 0 <= nanoseconds < _YEAR_2262 * NANOSECONDS:
        raise BadRequestError(f"{field}: {text} is not between 1970 and 2262", field)
    return nanoseconds


def in_words(seconds: float) -> str:
    """A length of time as people say it, by its two largest units: 6421 is `1 h 47 min`."""
    left, said = round(seconds), []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            said.append(f"{count} {unit}")
        elif said:
            break
    return " ".join(said[:2]) or "0 s"
