"""What Tempo's API answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from pilothouse.signals.traces.series.series import Series, Steps
from pilothouse.signals.traces.spansets.searching import FoundSpan, FoundTrace, Spanset
from pilothouse.signals.traces.summaries import Summary

MILLISECOND = 1_000_000


def traces(found: Sequence[FoundTrace], known: dict[str, Summary]) -> list[dict[str, Any]]:
    """The traces of a search."""
    return [_trace(trace, known[trace.trace_id]) for trace in found if trace.trace_id in known]


def series(found: Sequence[Series], steps: Steps) -> list[dict[str, Any]]:
    """The series of a range query."""
    return [
        {
            "labels": labels(one),
            "promLabels": prometheus_labels(one),
            "samples": [
                {"timestampMs": str((steps.start + int(place) * steps.step) // MILLISECOND), "value": float(value)}
                for place, value in enumerate(one.values)
                if not np.isnan(value)
            ],
            "exemplars": [
                {
                    "labels": [{"key": "trace:id", "value": {"stringValue": exemplar.trace_id}}],
                    "value": exemplar.value,
                    "timestampMs": str(exemplar.time // MILLISECOND),
                }
                for exemplar in one.exemplars
            ],
        }
        for one in found
    ]


def instants(found: Sequence[Series]) -> list[dict[str, Any]]:
    """The series of an instant query: one value each."""
    return [
        {"labels": labels(one), "promLabels": prometheus_labels(one), "value": float(one.values[0])} for one in found
    ]


def labels(one: Series) -> list[dict[str, Any]]:
    """A series' labels with their types."""
    return [{"key": name, "value": any_value(value)} for name, value in one.labels]


def prometheus_labels(one: Series) -> str:
    """A series' labels in one text."""
    pairs = (f"{name}={json.dumps(_text(value), ensure_ascii=False)}" for name, value in one.labels)
    return "{" + ", ".join(pairs) + "}"


def any_value(value: Any) -> dict[str, Any]:
    """A value as OTLP's JSON has it; nil is the text that Tempo writes for it."""
    match value:
        case None:
            return {"stringValue": "nil"}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [any_value(item) for item in value]}}
    return {"stringValue": str(value)}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nil" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _trace(trace: FoundTrace, summary: Summary) -> dict[str, Any]:
    spansets = [_spanset(spanset) for spanset in trace.spansets]
    return {
        "traceID": trace.trace_id.lstrip("0"),
        "rootServiceName": summary.service,
        "rootTraceName": summary.root,
        "startTimeUnixNano": str(summary.start),
        "durationMs": summary.duration // MILLISECOND,
        "spanSet": spansets[0],
        "spanSets": spansets,
        "serviceStats": {
            name: {"spanCount": spans} | ({"errorCount": errors} if errors else {})
            for name, (spans, errors) in summary.services.items()
        },
    }


def _spanset(spanset: Spanset) -> dict[str, Any]:
    made: dict[str, Any] = {"spans": [_span(span) for span in spanset.spans], "matched": spanset.matched}
    if spanset.attributes:
        made["attributes"] = _pairs(spanset.attributes)
    return made


def _span(span: FoundSpan) -> dict[str, Any]:
    made: dict[str, Any] = {
        "spanID": span.span_id,
        "name": span.name,
        "startTimeUnixNano": str(span.start),
        "durationNanos": str(span.duration),
    }
    if span.attributes:
        made["attributes"] = _pairs(span.attributes)
    return made


def _pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    # The scope is not part of a name here, as Grafana makes columns of these names.
    return [
        {"key": name.partition(".")[2] if name[0] != "b" and "." in name else name, "value": any_value(value)}
        for name, value in attributes.items()
    ]
