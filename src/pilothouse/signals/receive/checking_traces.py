"""What a span must have to be kept: ids that are ids, and a start that is near enough."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from pilothouse.signals.receive.checking import Announcements, Check
from pilothouse.signals.receive.messages import LINK

_fields = attrgetter("trace_id", "span_id", "parent_span_id", "start_time_unix_nano", "end_time_unix_nano")
_start = attrgetter("start_time_unix_nano")
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)


def check_traces(request: Any, check: Check, announcements: Announcements) -> None:
    """Take out the spans that cannot be kept."""
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            if scope_spans.spans and not _hold(scope_spans.spans, check):
                check.keep(scope_spans.spans, lambda span: _fault(span, check))
                check.times_hold(list(map(_start, scope_spans.spans)))
        check.end_resource("traces", resource_spans.resource, announcements)


def look_at_traces(request: Any, check: Check, found: str) -> None:
    """Take out the spans whose links cannot be kept."""
    if LINK not in found:
        return
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            check.keep(scope_spans.spans, _link_fault)


def _hold(spans: Any, check: Check) -> bool:
    traces, ids, parents, starts, ends = zip(*map(_fields, spans), strict=True)
    return (
        set(map(len, traces)) == {16}
        and set(map(len, ids)) == {8}
        and set(map(len, parents)) <= {0, 8}
        and _NO_TRACE not in traces
        and _NO_SPAN not in ids
        and max(ends) <= check.latest
        and check.times_hold(starts)
    )


def _fault(span: Any, check: Check) -> str:
    if len(span.trace_id) != 16 or span.trace_id == _NO_TRACE:
        return f"trace_id is not 16 bytes that are not all zero ({len(span.trace_id)} bytes)"
    if len(span.span_id) != 8 or span.span_id == _NO_SPAN:
        return f"span_id is not 8 bytes that are not all zero ({len(span.span_id)} bytes)"
    if len(span.parent_span_id) not in (0, 8):
        return f"parent_span_id is not 8 bytes ({len(span.parent_span_id)} bytes)"
    if span.end_time_unix_nano > check.latest:
        return "end_time_unix_nano is too far in the future"
    return check.time_fault("start_time_unix_nano", span.start_time_unix_nano)


def _link_fault(span: Any) -> str:
    for link in span.links:
        if len(link.trace_id) != 16 or len(link.span_id) != 8:
            return "links.trace_id or links.span_id has not 16 and 8 bytes"
    return ""
