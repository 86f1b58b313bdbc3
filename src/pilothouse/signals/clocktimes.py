"""Clock times as people say them: `14:05`, `2:05pm`, `yesterday 14:00`, `friday 9:30`, `2026-11-25 14:00`.

A clock needs a place: the command line reads them in the person's zone before it asks, the API in UTC, as it does with
a date that names no zone. What is asked about has been, so a day or time without more is the last one.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = rf"today|yesterday|{'|'.join(f'{day[:3]}(?:{day[3:]})?' for day in _DAYS)}|\d{{4}}-\d{{2}}-\d{{2}}"
_CLOCK = r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2}))?)?\s*(?P<half>am|pm)?"
_SAID = re.compile(rf"(?:(?P<day>{_DAY})(?:,?\s+(?:at\s+)?|t|$))?(?:{_CLOCK}|(?P<named>noon|midnight))?", re.IGNORECASE)
_SECOND = 1_000_000_000


def parse_clock(text: str, now: int, zone: tzinfo | None = UTC) -> int | None:
    """Nanoseconds since the epoch, or None when the text is no clock time. `zone` None is the machine's own."""
    found = _SAID.fullmatch(text.strip())
    if found is None or not text.strip():
        return None
    time = _time_of(found)
    if time is None:
        return None
    here = datetime.fromtimestamp(now / _SECOND, UTC).astimezone(zone)
    try:
        day = _date_of((found["day"] or "").lower(), here)
    except ValueError:
        return None
    at = _moment(day, time, zone)
    if at > here and _again(found["day"]):
        earlier = at.date() - timedelta(days=7 if found["day"] else 1)
        at = _moment(earlier, time, zone)
    return int(at.timestamp()) * _SECOND if at.year >= 1970 else None


def _moment(day: date, time: tuple[int, int, int], zone: tzinfo | None) -> datetime:
    at = datetime(day.year, day.month, day.day, *time, tzinfo=zone)
    return at if zone is not None else at.astimezone()


def _time_of(found: re.Match[str]) -> tuple[int, int, int] | None:
    if found["named"]:
        return (12 if found["named"].lower() == "noon" else 0, 0, 0)
    if found["hour"] is None:
        return (0, 0, 0) if found["day"] else None
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if found["minute"] is None and not half:
        return None
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    minute, second = int(found["minute"] or 0), int(found["second"] or 0)
    return (hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _date_of(day: str, here: datetime) -> datetime:
    """Raises `ValueError` for a date that is none."""
    if day in ("", "today"):
        return here
    if day == "yesterday":
        return here - timedelta(days=1)
    if day[0].isdigit():
        return datetime.fromisoformat(day)
    back = (here.weekday() - [name[:3] for name in _DAYS].index(day[:3])) % 7
    return here - timedelta(days=back)


def _again(day: str | None) -> bool:
    """Whether what is said comes again, so that the one before now is meant."""
    return day is None or day[:3].lower() in [name[:3] for name in _DAYS]
