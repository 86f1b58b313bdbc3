"""A stored trace as OTLP again, equal to what was sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status, TracesData

from pilothouse.engine import Budget
from pilothouse.signals.errors import NotFoundError
from pilothouse.signals.traces.by_id import FEW, of_traces

if TYPE_CHECKING:
    from pilothouse.engine import Engine

MOST_SPANS = 200_000
# What was looked up stays known: an identity is a hash of its attributes, and cannot come to mean others.
_MOST_RESOURCES = 10_000
_LINKS = (
    "links.trace_id AS link_trace_ids, links.span_id AS link_span_ids, links.trace_state AS link_trace_states, "
    "links.attributes AS link_attributes, links.kinds AS link_kinds, "
    "links.dropped_attributes_count AS link_dropped_attributes_counts, links.flags AS link_flags"
)
_OWN = (
    "* EXCEPT (time, events, links), toUnixTimestamp64Nano(time) AS start, "
    "arrayMap(t -> toUnixTimestamp64Nano(t), events.time) AS moments, events.name AS event_names, "
    "events.attributes AS event_attributes, events.kinds AS event_kinds, "
    "events.dropped_attributes_count AS event_dropped_attributes_counts"
)
# All that a span is, events and links as lists side by side.
COLUMNS = f"{_OWN}, {_LINKS}"

# What makes a span one: of two rows that are alike in this, one is shown, perhaps with the other's attributes.
_SAME = ("trace_id", "span_id", "kind", "identity")
# The halves of what a span costs to read.
_REST = _OWN.replace("EXCEPT (", "EXCEPT (attributes, kinds, ")
_BESIDE = f"{', '.join(_SAME)}, attributes, kinds, {_LINKS}"

_RESOURCES: WeakKeyDictionary[Engine, dict[int, tuple[list[tuple[str, str]], str]]] = WeakKeyDictionary()


def spans_of(engine: Engine, trace_ids: Sequence[str], budget: Budget | None = None) -> list[dict[str, Any]]:
    """All columns of the spans of these traces, by trace and start; what was sent twice stands once."""
    within, given = of_traces(trace_ids)
    source = f"FROM spans WHERE {within}"
    once = f"{source} ORDER BY trace_id, start, span_id LIMIT 1 BY {', '.join(_SAME)} LIMIT {MOST_SPANS}"
    if not 0 < len(trace_ids) <= FEW:
        return list(engine.query(f"SELECT {COLUMNS} {once}", given, budget).to_pylist())
    # A few rows far apart: half of what they cost is attributes and links, so these are read beside the rest, by one
    # thread each, as a second one would open all files once more.
    alone = replace(budget or Budget(), threads=1)
    with ThreadPoolExecutor(1, "attributes") as beside:
        reading = beside.submit(engine.query, f"SELECT {_BESIDE} {source} LIMIT {MOST_SPANS}", given, alone)
        rows = list(engine.query(f"SELECT {_REST} {once}", given, alone).to_pylist())
        said = {_same(row): row for row in reading.result().to_pylist()}
    if not all(_same(row) in said for row in rows):
        # Some came between the two.
        return list(engine.query(f"SELECT {COLUMNS} {once}", given, alone).to_pylist())
    return [row | said[_same(row)] for row in rows]


_same = itemgetter(*_SAME)


def resources_of(engine: Engine, identities: set[int]) -> dict[int, tuple[list[tuple[str, str]], str]]:
    """Attributes and their kinds of these identities."""
    known = _RESOURCES.setdefault(engine, {})
    missing = sorted(identities - known.keys())
    if missing:
        if len(known) > _MOST_RESOURCES:
            known = _RESOURCES[engine] = {}
            missing = sorted(identities)
        table = engine.query(
            "SELECT identity, any(attributes) AS pairs, any(kinds) AS letters FROM resources "
            "WHERE signal = 'traces' AND identity IN {ids:Array(UInt64)} GROUP BY identity",
            {"ids": missing},
        )
        known |= {row["identity"]: (row["pairs"], row["letters"]) for row in table.to_pylist()}
    return {one: known[one] for one in identities if one in known}


def otlp(engine: Engine, trace_id: str, budget: Budget | None = None) -> TracesData:
    """One trace. Raises `NotFoundError` when there is none."""
    data = otlp_of(engine, [trace_id], budget)
    if not data.resource_spans:
        raise NotFoundError(f"no span of trace {trace_id} is stored")
    return data


def otlp_of(engine: Engine, trace_ids: Sequence[str], budget: Budget | None = None) -> TracesData:
    """The spans of all these traces, each resource once; of traces that are not there, nothing."""
    rows = spans_of(engine, trace_ids, budget)
    known = resources_of(engine, {row["identity"] for row in rows})
    data = TracesData()
    places: dict[int, tuple[ResourceSpans, dict[Any, ScopeSpans]]] = {}
    for row in rows:
        scope = (row["scope_name"], row["scope_version"], tuple(row["scope_attributes"]))
        if row["identity"] not in places:
            resource = Resource(attributes=key_values(*known.get(row["identity"], ([], ""))))
            places[row["identity"]] = (data.resource_spans.add(resource=resource), {})
        of_resource, scopes = places[row["identity"]]
        if scope not in scopes:
            scopes[scope] = _scope(of_resource, row)
        scopes[scope].spans.append(span_of(row))
    return data


def span_of(row: dict[str, Any]) -> Span:
    """A row as a span."""
    return Span(
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"] if any(row["parent_span_id"]) else b"",
        trace_state=row["trace_state"],
        flags=row["flags"],
        name=row["name"],
        kind=row["kind"],
        start_time_unix_nano=row["start"],
        end_time_unix_nano=row["start"] + row["duration"],
        attributes=key_values(row["attributes"], row["kinds"]),
        dropped_attributes_count=row["dropped_attributes_count"],
        dropped_events_count=row["dropped_events_count"],
        dropped_links_count=row["dropped_links_count"],
        status=Status(code=row["status_code"], message=row["status_message"]),
        events=_events(row),
        links=_links(row),
    )


def key_values(pairs: Sequence[tuple[str, str]], kinds: str) -> list[KeyValue]:
    """Stored attributes as OTLP has them."""
    return [KeyValue(key=key, value=_any_value(text, kind)) for (key, text), kind in zip(pairs, kinds, strict=True)]


def _scope(of_resource: ResourceSpans, row: dict[str, Any]) -> ScopeSpans:
    scope = InstrumentationScope(
        name=row["scope_name"],
        version=row["scope_version"],
        attributes=key_values(row["scope_attributes"], row["scope_kinds"]),
    )
    return of_resource.scope_spans.add(scope=scope)


def _events(row: dict[str, Any]) -> list[Span.Event]:
    columns = ("moments", "event_names", "event_attributes", "event_kinds", "event_dropped_attributes_counts")
    return [
        Span.Event(
            time_unix_nano=time, name=name, attributes=key_values(pairs, kinds), dropped_attributes_count=dropped
        )
        for time, name, pairs, kinds, dropped in zip(*(row[column] for column in columns), strict=True)
    ]


def _links(row: dict[str, Any]) -> list[Span.Link]:
    columns = (
        "link_trace_ids", "link_span_ids", "link_trace_states", "link_attributes", "link_kinds",
        "link_dropped_attributes_counts", "link_flags",
    )  # fmt: skip
    return [
        Span.Link(
            trace_id=trace, span_id=span, trace_state=state, attributes=key_values(pairs, kinds),
            dropped_attributes_count=dropped, flags=flags,
        )
        for trace, span, state, pairs, kinds, dropped, flags in zip(*(row[column] for column in columns), strict=True)
    ]  # fmt: skip


def _any_value(text: str, kind: str) -> AnyValue:
    match kind:
        case "i":
            return AnyValue(int_value=int(text))
        case "d":
            return AnyValue(double_value=float(text))
        case "b":
            return AnyValue(bool_value=text == "true")
        case "x":
            return AnyValue(bytes_value=base64.b64decode(text))
        case "j":
            return _from_json(json.loads(text))
        case "n":
            return AnyValue()
    return AnyValue(string_value=text)


def _from_json(value: Any) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[_from_json(item) for item in value]))
        case dict():
            members = [KeyValue(key=key, value=_from_json(inner)) for key, inner in value.items()]
            return AnyValue(kvlist_value=KeyValueList(values=members))
    return AnyValue()
