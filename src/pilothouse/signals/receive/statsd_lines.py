"""Lines of StatsD and DogStatsD: metrics, events, service checks.

https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/ and https://github.com/statsd/statsd
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TYPES = {"c": "counter", "g": "gauge", "ms": "timer", "h": "histogram", "d": "distribution", "s": "set"}
_EVENT = re.compile(r"_e\{(\d+),(\d+)\}:", re.S)


class LineError(ValueError):
    """The line is none of StatsD's."""


@dataclass(slots=True)
class Metric:
    """A line with its values (text for a set). `time` is Unix seconds, 0 where the line says none."""

    name: str
    kind: str
    values: list[str]
    rate: float
    tags: tuple[str, ...]
    time: float


@dataclass(slots=True)
class Event:
    """Something that happened. `time` is Unix seconds or 0."""

    title: str
    text: str
    level: str
    time: float
    tags: tuple[str, ...]


@dataclass(slots=True)
class Check:
    """How a service is: 0 ok, 1 warning, 2 critical, 3 unknown."""

    name: str
    status: int
    time: float
    tags: tuple[str, ...]


def parse(line: str) -> Metric | Event | Check:
    """Raises `LineError`."""
    if line.startswith("_e{"):
        return _event(line)
    if line.startswith("_sc|"):
        return _check(line)
    # Tags may hold a colon, and so may values (several of them): the name ends at the first one.
    name, colon, rest = line.partition(":")
    if not colon or not name:
        raise LineError(f"expected NAME:VALUE|TYPE: {line[:100]!r}")
    parts = rest.split("|")
    if len(parts) < 2 or parts[1] not in TYPES:
        raise LineError(f"expected a type (c, g, ms, h, d, s): {line[:100]!r}")
    found = Metric(name, TYPES[parts[1]], parts[0].split(":") if parts[1] != "s" else [parts[0]], 1.0, (), 0.0)
    _check_values(found, line)
    for part in parts[2:]:
        _option(found, part, line)
    return found


def _check_values(found: Metric, line: str) -> None:
    if found.kind == "set":
        return
    try:
        for value in found.values:
            float(value)
    except ValueError:
        raise LineError(f"not a number: {line[:100]!r}") from None


def _option(found: Metric, part: str, line: str) -> None:
    head, rest = part[:1], part[1:]
    try:
        if head == "@":
            found.rate = float(rest)
            if not 0 < found.rate <= 1:
                raise ValueError
        elif head == "#":
            found.tags = (*found.tags, *rest.split(","))
        elif head == "T":
            found.time = float(int(rest))
        elif part.startswith("c:"):
            container = rest[1:].removeprefix("ci-")
            found.tags = (*found.tags, f"container_id:{container}")
    except ValueError:
        raise LineError(f"cannot read {part!r}: {line[:100]!r}") from None


def _event(line: str) -> Event:
    head = _EVENT.match(line)
    if not head:
        raise LineError(f"expected _e{{TITLE_LENGTH,TEXT_LENGTH}}:TITLE|TEXT: {line[:100]!r}")
    raw = line[head.end() :].encode()
    size, length = int(head[1]), int(head[2])
    title, text = raw[:size].decode("utf-8", "replace"), raw[size + 1 : size + 1 + length].decode("utf-8", "replace")
    found = Event(title, text.replace("\\n", "\n"), "info", 0.0, ())
    for part in raw[size + 1 + length :].decode("utf-8", "replace").split("|"):
        if part.startswith("t:"):
            found.level = part[2:]
        elif part.startswith("d:") and part[2:].isdigit():
            found.time = float(part[2:])
        elif part.startswith("h:"):
            found.tags = (*found.tags, f"host:{part[2:]}")
        elif part.startswith("#"):
            found.tags = (*found.tags, *part[1:].split(","))
    return found


def _check(line: str) -> Check:
    parts = line.split("|")
    if len(parts) < 3 or parts[2] not in ("0", "1", "2", "3"):
        raise LineError(f"expected _sc|NAME|STATUS with a status of 0 to 3: {line[:100]!r}")
    found = Check(parts[1], int(parts[2]), 0.0, ())
    for part in parts[3:]:
        if part.startswith("d:") and part[2:].isdigit():
            found.time = float(part[2:])
        elif part.startswith("h:"):
            found.tags = (*found.tags, f"host:{part[2:]}")
        elif part.startswith("#"):
            found.tags = (*found.tags, *part[1:].split(","))
        elif part.startswith("m:"):
            break
    return found
