"""What a span must have to be kept: ids that are ids, and a start that is near enough."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from pilothouse.signals.receive.checking import Announcements, Check, column

_start = attrgetter("start_time_unix_nano")
_end = attrgetter("end_time_unix_nano")
_trace_id = attrgetter("trace_id")
_span_id = attrgetter("span_id")
_parent = attrgetter("parent_span_id")
_links = attrgetter("links")
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)


def check_traces(request: Any, check: Check, announcements: Announcements) -> None:
    """Take out the spans that cannot be kept."""
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            spans = scope_spans.spans
            if not (_ids_hold(spans) and _ends_hold(spans, check) and check.times_hold(column(spans, _start))):
                check.keep(spans, lambda span: _fault(span, check))
                check.times_hold(column(spans, _start))
        check.end_resource("traces", resource_spans.resource, announcements)


def _ids_hold(spans: Any) -> bool:
    traces, ids = set(map(_trace_id, spans)), set(map(_span_id, spans))
    return (
        _NO_TRACE not in traces
        and _NO_SPAN not in ids
        and set(map(len, traces)) <= {16}
        and set(map(len, ids)) <= {8}
        and set(map(len, map(_parent, spans))) <= {0, 8}
        and (not any(map(_links, spans)) or not any(map(_link_fault, spans)))
    )


def _ends_hold(spans: Any, check: Check) -> bool:
    return not spans or int(column(spans, _end).max()) <= check.latest


def _fault(span: Any, check: Check) -> str:
    if len(span.trace_id) != 16 or span.trace_id == _NO_TRACE:
        return f"trace_id is not 16 bytes that are not all zero ({len(span.trace_id)} bytes)"
    if len(span.span_id) != 8 or span.span_id == _NO_SPAN:
        return f"span_id is not 8 bytes that are not all zero ({len(span.span_id)} bytes)"
    if len(span.parent_span_id) not in (0, 8):
        return f"parent_span_id is not 8 bytes ({len(span.parent_span_id)} bytes)"
    if span.end_time_unix_nano > check.latest:
        return "end_time_unix_nano is too far in the future"
    return _link_fault(span) or check.time_fault("start_time_unix_nano", span.start_time_unix_nano)


def _link_fault(span: Any) -> str:
    for link in span.links:
        if len(link.trace_id) != 16 or len(link.span_id) != 8:
            return "links.trace_id or links.span_id has not 16 and 8 bytes"
    return ""
