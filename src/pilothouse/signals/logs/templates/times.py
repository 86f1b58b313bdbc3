"""Times in templates, with Go's layouts (pkg.go.dev/time, "Layout")."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_CHUNK = re.compile(
    r"January|Jan|Monday|Mon|MST|002|01|02|03|04|05|06|15|2006|__2|_2(?!006)|1|2|3|4|5|PM|pm"
    r"|-07:00:00|-070000|-07:00|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|[.,](?:0+|9+)(?![0-9])"
)
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LAYOUT_SHOWN = "2006-01-02 15:04:05.999999999 -0700 MST"


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, in nanoseconds since the epoch, in a zone."""

    nanoseconds: int
    zone: tzinfo = UTC

    def __str__(self) -> str:
        return formatted(_LAYOUT_SHOWN, self)

    def civil(self) -> datetime:
        """Date and time of day, to the second."""
        return datetime.fromtimestamp(self.nanoseconds // 1_000_000_000, self.zone)


def formatted(layout: str, moment: Moment) -> str:
    """The moment as the layout shows it."""
    civil, fraction = moment.civil(), moment.nanoseconds % 1_000_000_000
    return _CHUNK.sub(lambda chunk: _shown(chunk[0], civil, fraction), layout)


def _shown(chunk: str, civil: datetime, fraction: int) -> str:
    if chunk[0] in ".,":
        digits = f"{fraction:09d}"[: len(chunk) - 1].ljust(len(chunk) - 1, "0")
        if chunk[1] == "9":
            digits = digits.rstrip("0")
        return f"{chunk[0]}{digits}" if digits else ""
    if chunk[0] in "-Z" and chunk[1:2] == "0":
        return _offset(chunk, civil)
    hour = civil.hour % 12 or 12
    return {
        "January": _MONTHS[civil.month - 1], "Jan": _MONTHS[civil.month - 1][:3],
        "Monday": _DAYS[civil.weekday()], "Mon": _DAYS[civil.weekday()][:3],
        "MST": civil.tzname() or "UTC", "002": f"{civil.timetuple().tm_yday:03d}",
        "01": f"{civil.month:02d}", "1": str(civil.month), "02": f"{civil.day:02d}", "2": str(civil.day),
        "_2": f"{civil.day:2d}", "__2": f"{civil.timetuple().tm_yday:3d}",
        "03": f"{hour:02d}", "3": str(hour), "15": f"{civil.hour:02d}", "04": f"{civil.minute:02d}",
        "4": str(civil.minute), "05": f"{civil.second:02d}", "5": str(civil.second),
        "2006": f"{civil.year:04d}", "06": f"{civil.year % 100:02d}",
        "PM": "PM" if civil.hour >= 12 else "AM", "pm": "pm" if civil.hour >= 12 else "am",
    }[chunk]  # fmt: skip


def _offset(chunk: str, civil: datetime) -> str:
    seconds = int((civil.utcoffset() or timedelta()).total_seconds())
    if chunk[0] == "Z" and not seconds:
        return "Z"
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if len(chunk) == 3:
        return f"{sign}{hours:02d}"
    colon = ":" if ":" in chunk else ""
    rest = f"{colon}{seconds % 60:02d}" if len(chunk) in (7, 9) else ""
    return f"{sign}{hours:02d}{colon}{minutes:02d}{rest}"


_READ = {
    "January": f"(?P<month_name>{'|'.join(_MONTHS)})", "Jan": "(?P<month_short>[A-Z][a-z]{2})",
    "Monday": f"(?:{'|'.join(_DAYS)})", "Mon": "[A-Z][a-z]{2}", "MST": "(?P<zone>[A-Z]{3,5})",
    "002": r"(?P<yearday>\d{3})", "__2": r"(?P<yearday>[ \d]{3})",
    "01": r"(?P<month>\d{2})", "1": r"(?P<month>\d{1,2})", "02": r"(?P<day>\d{2})", "2": r"(?P<day>\d{1,2})",
    "_2": r"(?P<day>[ \d]\d)", "03": r"(?P<hour>\d{2})", "3": r"(?P<hour>\d{1,2})", "15": r"(?P<hour>\d{2})",
    "04": r"(?P<minute>\d{2})", "4": r"(?P<minute>\d{1,2})", "05": r"(?P<second>\d{2})(?:[.,](?P<part>\d+))?",
    "5": r"(?P<second>\d{1,2})(?:[.,](?P<part>\d+))?", "2006": r"(?P<year>\d{4})", "06": r"(?P<short>\d{2})",
    "PM": "(?P<half>AM|PM)", "pm": "(?P<half>am|pm)",
}  # fmt: skip


def parsed(layout: str, text: str, zone: tzinfo) -> Moment:
    """The moment that the text names; raises `ValueError`."""
    expression, place = "", 0
    for chunk in _CHUNK.finditer(layout):
        expression += re.escape(layout[place : chunk.start()]) + _reading(chunk[0])
        place = chunk.end()
    found = re.fullmatch(expression + re.escape(layout[place:]), text)
    if not found:
        raise ValueError(f"{text!r} does not have the form {layout!r}")
    return _moment({name: value for name, value in found.groupdict().items() if value}, zone)


def _reading(chunk: str) -> str:
    if chunk[0] in ".,":
        return "" if chunk[1] == "9" else r"(?:[.,](?P<fraction>\d+))?"
    if chunk[0] in "-Z" and chunk[1:2] == "0":
        return rf"(?P<offset>{'Z|' if chunk[0] == 'Z' else ''}[+-]\d\d(?::?\d\d)?)"
    return _READ[chunk]


def _moment(parts: dict[str, str], zone: tzinfo) -> Moment:
    year = int(parts.get("year", 0)) or _full_year(parts.get("short", "")) or 1
    month = int(parts.get("month", 1))
    for number, name in enumerate(_MONTHS, 1):
        if parts.get("month_name") == name or parts.get("month_short") == name[:3]:
            month = number
    hour = int(parts.get("hour", 0))
    if half := parts.get("half", "").upper():
        hour = hour % 12 + (12 if half == "PM" else 0)
    if offset := parts.get("offset", ""):
        zone = UTC if offset == "Z" else _fixed(offset)
    civil = datetime(
        year, month, int(parts.get("day", 1)), hour, int(parts.get("minute", 0)), int(parts.get("second", 0)),
        tzinfo=zone,
    )  # fmt: skip
    if "yearday" in parts:
        civil += timedelta(days=int(parts["yearday"]) - 1)
    fraction = (parts.get("fraction") or parts.get("part") or "0")[:9].ljust(9, "0")
    seconds = (civil - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return Moment(seconds * 1_000_000_000 + int(fraction), zone)


def _full_year(short: str) -> int:
    if not short:
        return 0
    return int(short) + (1900 if int(short) >= 69 else 2000)


def _fixed(offset: str) -> tzinfo:
    digits = offset[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return timezone(timedelta(seconds=-seconds if offset[0] == "-" else seconds))


# The first of January of the year 1.
_ZERO = -62_135_596_800 * 1_000_000_000


def _in_zone(layout: str, zone: str, text: str) -> Moment:
    """What is no time is Go's zero time, and an unknown zone UTC, as in Loki."""
    try:
        found: tzinfo = UTC if zone in ("UTC", "", "Local") else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        found = UTC
    try:
        return parsed(layout, text, found)
    except ValueError:
        return Moment(_ZERO)


def _date(layout: str, moment: Any) -> str:
    if isinstance(moment, int) and not isinstance(moment, bool):
        moment = Moment(moment * 1_000_000_000)
    return formatted(layout, moment if isinstance(moment, Moment) else Moment(time.time_ns()))


def _units(size: int) -> Callable[[Moment], str]:
    return lambda moment: str(moment.nanoseconds // size) if isinstance(moment, Moment) else _no_moment()


def _no_moment() -> str:
    raise TypeError("not a time")


def _from_unix(text: str) -> Moment:
    sizes = {5: 86_400_000_000_000, 10: 1_000_000_000, 13: 1_000_000, 16: 1_000, 19: 1}
    if len(text) not in sizes:
        raise ValueError(f"unable to parse time '{text}'")
    return Moment(int(text) * sizes[len(text)])


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "now": lambda: Moment(time.time_ns()),
    "date": _date,
    "toDate": lambda layout, text: _in_zone(layout, "UTC", text),
    "toDateInZone": _in_zone,
    "unixEpoch": _units(1_000_000_000),
    "unixEpochMillis": _units(1_000_000),
    "unixEpochNanos": _units(1),
    "unixToTime": _from_unix,
}
