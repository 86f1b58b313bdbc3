"""The parameters of Tempo's API."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import NANOSECONDS, TimeRange, parse_instant
from pilothouse.signals.traces.series.series import Steps
from pilothouse.signals.traces.traceql import check, parse, tree
from pilothouse.signals.traces.traceql.durations import nanoseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_POINTS = 11_000
_TAG = re.compile(r'\s*([^\s=]+)=("(?:[^"\\]|\\.)*"|\S*)')
# A step that Tempo would choose for a range, in seconds.
_STEPS = (1, 5, 15, 30, 60, 300, 900, 3600)


def within(given: Mapping[str, str]) -> TimeRange:
    """`start` and `end` as Unix seconds (or nanoseconds, or RFC 3339), or `since`; an hour when neither is given."""
    now = time.time_ns()
    end = _instant(given["end"], now, "end") if given.get("end") else now
    if given.get("since"):
        return TimeRange(end - duration(given["since"], "since"), end)
    start = _instant(given["start"], now, "start") if given.get("start") else end - 3600 * NANOSECONDS
    if start >= end:
        raise BadRequestError("http parameter start must be before end", "start")
    return TimeRange(start, end)


def duration(text: str, field: str) -> int:
    """Nanoseconds of `15s` or of seconds."""
    length = nanoseconds(text)
    if length is None:
        try:
            length = int(float(text) * NANOSECONDS)
        except (ValueError, OverflowError):
            raise BadRequestError(f"{field}: {text[:40]!r} is not a duration", field) from None
    return length


def steps(given: Mapping[str, str]) -> Steps:
    """The steps of a range query, aligned to the step as Tempo does it."""
    asked = within(given)
    step = duration(given["step"], "step") if given.get("step") else _fitting(asked)
    if step <= 0:
        raise BadRequestError("step: must be greater than 0", "step")
    start, end = asked.start // step * step, -(-asked.end // step) * step
    if (end - start) // step > MOST_POINTS:
        raise BadRequestError(f"step: more than {MOST_POINTS} points; give a longer step", "step")
    return Steps(start, end, step)


def number(given: Mapping[str, str], field: str, default: int, most: int) -> int:
    """A whole number from 0 to `most`."""
    text = given.get(field) or str(default)
    if not text.isdigit() or int(text) > most:
        raise BadRequestError(f"{field}: {text[:40]!r} is not a number from 0 to {most}", field)
    return int(text)


def search_query(given: Mapping[str, str]) -> tree.Pipeline:
    """The pipeline of `q`, or of `tags`, `minDuration` and `maxDuration`."""
    query = parse(given.get("q") or given.get("query") or _from_tags(given))
    check(query)
    if not isinstance(query.root, tree.Pipeline):
        raise BadRequestError("q: this is a metrics query; ask /api/metrics/query_range", "q")
    return query.root


def series_query(given: Mapping[str, str]) -> Any:
    """The root of a metrics query."""
    text = given.get("q") or given.get("query") or ""
    query = parse(text)
    check(query)
    if isinstance(query.root, tree.Pipeline):
        raise BadRequestError("q: not a metrics query; for example { } | rate()", "q")
    return query.root


def _from_tags(given: Mapping[str, str]) -> str:
    parts = [_tag(*found) for found in _TAG.findall(given.get("tags", ""))]
    for field, sign in (("minDuration", ">="), ("maxDuration", "<=")):
        if given.get(field):
            parts.append(f"duration {sign} {duration(given[field], field)}ns")
    return "{ " + " && ".join(parts) + " }"


def _tag(key: str, text: str) -> str:
    value = text[1:-1].replace('\\"', '"').replace("\\\\", "\\") if text.startswith('"') else text
    field = {"name": "name", "root.name": "rootName", "root.service.name": "rootServiceName"}.get(key)
    if key in ("error", "status.code") and value in ("true", "error"):
        return "status = error"
    if field:
        return f"{field} = {json.dumps(value, ensure_ascii=False)}"
    name = "." + json.dumps(key, ensure_ascii=False)
    same = f"{name} = {json.dumps(value, ensure_ascii=False)}"
    # A tag has no type: what looks like a number or a boolean may be one.
    plain = re.fullmatch(r"-?\d+(\.\d+)?|true|false", value)
    return f"({same} || {name} = {value})" if plain else same


def _instant(text: str, now: int, field: str) -> int:
    if text.isdigit() and len(text) > 12:
        return min(int(text), 2**63 - 1)
    return parse_instant(text, now, field)


def _fitting(asked: TimeRange) -> int:
    wanted = asked.seconds / 100
    return next((step for step in _STEPS if step >= wanted), _STEPS[-1]) * NANOSECONDS
