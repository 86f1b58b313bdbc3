"""Which labels, values, series and fields there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.signals.logs.answering import lines
from pilothouse.signals.logs.logql import parse_log_query, parse_matchers, tree
from pilothouse.signals.logs.logql.quantities import amount_bytes, go_duration_nanoseconds
from pilothouse.signals.logs.pipeline import Entry, Pipeline
from pilothouse.signals.logs.pipeline.testing import go_float
from pilothouse.signals.logs.searching import LineQuestion
from pilothouse.signals.logs.streams import Streams, streams

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.engine import Engine
    from pilothouse.signals.logs.loki_asking import Parameters

_MOST_SAMPLED = 5000


def names(engine: Engine, given: Parameters, request: Request) -> Any:
    """The labels of all streams that fit."""
    return _success(sorted({name for labels in _streams(engine, given).values() for name in labels}))


def values(engine: Engine, given: Parameters, request: Request) -> Any:
    """The values of one label."""
    name = request.path_params["name"]
    return _success(sorted({labels[name] for labels in _streams(engine, given).values() if name in labels}))


def series(engine: Engine, given: Parameters, request: Request) -> Any:
    """The streams that one of the selectors means."""
    within = given.within()
    selectors = [parse_matchers(text) for text in given.all("match[]", "match")] or [()]
    found: Streams = {}
    for matchers in selectors:
        found |= streams(engine, matchers, within)
    return _success(list(found.values()))


def detected_labels(engine: Engine, given: Parameters, request: Request) -> Any:
    """Each label with how many values it has."""
    known: dict[str, set[str]] = {}
    for labels in _streams(engine, given).values():
        for name, value in labels.items():
            known.setdefault(name, set()).add(value)
    return {"detectedLabels": [{"label": name, "cardinality": len(known[name])} for name in sorted(known)]}


def detected_fields(engine: Engine, given: Parameters, request: Request) -> Any:
    """What can be parsed from a sample of the lines, and their structured metadata."""
    fields, limit = _fields(engine, given), given.limit(1000, 10_000)
    described = [
        {
            "label": name,
            "type": _type(found),
            "cardinality": len(found),
            "parsers": sorted(parsers) or None,
        }
        for name, (found, parsers) in sorted(fields.items())
    ]
    return {"fields": described[:limit], "limit": limit}


def detected_values(engine: Engine, given: Parameters, request: Request) -> Any:
    """The values of one field in the sample."""
    found, _ = _fields(engine, given).get(request.path_params["name"], (set(), set()))
    limit = given.limit(1000, 10_000)
    return {"values": sorted(found)[:limit], "limit": limit}


def _streams(engine: Engine, given: Parameters) -> Streams:
    text = given.get("query") or given.get("match[]")
    matchers = parse_log_query(text).matchers if text and text != "{}" else ()
    return streams(engine, matchers, given.within("6h"))


def _fields(engine: Engine, given: Parameters) -> dict[str, tuple[set[str], set[str]]]:
    query = parse_log_query(given.needed("query"))
    sampled = int(given.get("line_limit") or 1000)
    question = LineQuestion(query, given.within(), min(sampled, _MOST_SAMPLED))
    known: dict[str, tuple[set[str], set[str]]] = {}
    for entry in lines(engine, question).entries:
        for name, value in entry.metadata.items():
            known.setdefault(name, (set(), set()))[0].add(value)
        for parser, labels in _parsed(entry):
            for name, value in labels.items():
                found, parsers = known.setdefault(name, (set(), set()))
                found.add(value)
                parsers.update([parser] if parser else [])
    return known


_JSON, _LOGFMT = Pipeline([tree.Json()]), Pipeline([tree.Logfmt()])


def _parsed(entry: Entry) -> list[tuple[str, dict[str, str]]]:
    """What JSON or (when it is none) logfmt finds in a line, beside what the query parsed."""
    found = [("", dict(entry.parsed))] if entry.parsed else []
    fresh = Entry(entry.time, entry.line, {}, {})
    parser = "json"
    _JSON.run(fresh)
    if fresh.error:
        parser, fresh = "logfmt", Entry(entry.time, entry.line, {}, {})
        _LOGFMT.run(fresh)
    return [*found, (parser, fresh.parsed)] if fresh.parsed else found


def _type(found: set[str]) -> str:
    for name, read in (
        ("boolean", lambda text: text in ("true", "false") or None),
        ("float", go_float),
        ("duration", go_duration_nanoseconds),
        ("bytes", amount_bytes),
    ):
        if all(read(text) is not None for text in found):
            if name == "float" and all(text.lstrip("-").isdigit() for text in found):
                return "int"
            return name
    return "string"


def _success(data: Any) -> Any:
    return {"status": "success", "data": data}
