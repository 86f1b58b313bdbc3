"""What goes in by OTLP is what the tables hold, whatever it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given

from pilothouse.signals.traces.exporting import COLUMNS
from tests.signals.receive import expected_rows as expected
from tests.signals.receive.conftest import Door, examples
from tests.signals.receive.expected_rows import double, sample_value, stored, stored_pairs
from tests.signals.receive.otlp_requests import LOGS, METRICS, TRACES

_RESOURCE = (
    "INNER JOIN (SELECT identity, any(attributes) AS resource, any(kinds) AS resource_kinds FROM resources "
    "GROUP BY identity) AS r USING identity"
)
_SERIES = (
    "INNER JOIN (SELECT series, identity, name, type, unit, temporality, is_monotonic, scope_name, scope_version, "
    "any(attributes) AS labels, any(kinds) AS label_kinds FROM series GROUP BY ALL) AS s USING series " + _RESOURCE
)
_MILLISECONDS = "toUnixTimestamp64Milli(time) AS at, toUnixTimestamp64Milli(start_time) AS since"


def same(found: Iterable[dict[str, Any]], wanted: Iterable[dict[str, Any]]) -> None:
    """Assert that two bags of rows are equal; the order of rows does not matter."""
    have, want = Counter(_fixed(row) for row in found), Counter(_fixed(row) for row in wanted)
    assert have - want == want - have == Counter()


def _fixed(row: dict[str, Any]) -> str:
    return repr(sorted(row.items()))


@examples(8, 600)
@given(request=LOGS)
def test_log_records(one_door: Door, request: Any) -> None:
    one_door.renew()
    assert one_door.send("logs", request).message == ""
    rows = one_door.rows(
        "SELECT * EXCEPT (time, observed_at), toUnixTimestamp64Nano(time) AS at, "
        f"toUnixTimestamp64Nano(observed_at) AS seen FROM logs {_RESOURCE}"
    )
    same(map(_log, rows), expected.log_rows(request))


@examples(8, 600)
@given(request=TRACES)
def test_spans(one_door: Door, request: Any) -> None:
    one_door.renew()
    assert one_door.send("traces", request).message == ""
    rows = one_door.rows(f"SELECT {COLUMNS}, toUnixTimestamp64Nano(time) AS at FROM spans {_RESOURCE}")
    same(map(_span, rows), expected.span_rows(request))


@examples(9, 720)
@given(request=METRICS)
def test_points_and_exemplars(one_door: Door, request: Any) -> None:
    one_door.renew()
    assert one_door.send("metrics", request).message == ""
    samples = one_door.rows(f"SELECT *, reinterpretAsUInt64(value) AS bits, {_MILLISECONDS} FROM samples {_SERIES}")
    same((_series(row) | _times(row) | {"value": sample_value(row["bits"])} for row in samples),
         expected.sample_rows(request))  # fmt: skip
    points = one_door.rows(f"SELECT *, {_MILLISECONDS} FROM distributions {_SERIES}")
    same(map(_distribution, points), expected.distribution_rows(request))
    exemplars = one_door.rows(f"SELECT *, toUnixTimestamp64Milli(time) AS at FROM exemplars {_SERIES}")
    same(map(_exemplar, exemplars), expected.exemplar_rows(request))


@examples(8, 600)
@given(request=LOGS)
def test_identities_follow_the_written_rule(one_door: Door, request: Any) -> None:
    """The architecture page's rule, computed here in Python; how the engine writes a double is its own."""
    one_door.renew()
    one_door.send("logs", request)
    wanted = set()
    for by_resource in request.resource_logs:
        attributes = by_resource.resource.attributes
        if any(by_scope.log_records for by_scope in by_resource.scope_logs):
            if any(pair.value.WhichOneof("value") == "double_value" for pair in attributes):
                return
            wanted.add(expected.identity(attributes))
    assert {row["identity"] for row in one_door.rows("SELECT identity FROM logs")} == wanted


def _log(row: dict[str, Any]) -> dict[str, Any]:
    same_names = ("severity_number", "severity_text", "event_name", "dropped_attributes_count", "flags", "trace_id",
                  "span_id")  # fmt: skip
    return {name: row[name] for name in same_names} | {
        "resource": stored_pairs(row["resource"], row["resource_kinds"]),
        "time": row["at"],
        "observed_time": row["seen"],
        "body": stored(row["body_kind"], row["body"]),
        "attributes": stored_pairs(row["attributes"], row["kinds"]),
        **_scope(row),
    }


def _span(row: dict[str, Any]) -> dict[str, Any]:
    same_names = ("trace_id", "span_id", "parent_span_id", "trace_state", "flags", "name", "kind", "duration",
                  "status_code", "status_message", "dropped_attributes_count", "dropped_events_count",
                  "dropped_links_count")  # fmt: skip
    events = (row["moments"], row["event_names"], row["event_attributes"], row["event_kinds"],
              row["event_dropped_attributes_counts"])  # fmt: skip
    links = (row["link_trace_ids"], row["link_span_ids"], row["link_trace_states"], row["link_attributes"],
             row["link_kinds"], row["link_dropped_attributes_counts"], row["link_flags"])  # fmt: skip
    return {name: row[name] for name in same_names} | {
        "resource": stored_pairs(row["resource"], row["resource_kinds"]),
        "time": row["at"],
        "attributes": stored_pairs(row["attributes"], row["kinds"]),
        **_scope(row),
        "events": [
            (time, name, stored_pairs(pairs, kinds), dropped)
            for time, name, pairs, kinds, dropped in zip(*events, strict=True)
        ],
        "links": [
            (trace, span, state, stored_pairs(pairs, kinds), dropped, flags)
            for trace, span, state, pairs, kinds, dropped, flags in zip(*links, strict=True)
        ],
    }


def _scope(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "scope_name": row["scope_name"],
        "scope_version": row["scope_version"],
        "scope_attributes": stored_pairs(row["scope_attributes"], row["scope_kinds"]),
    }


def _series(row: dict[str, Any]) -> dict[str, Any]:
    names = ("scope_name", "scope_version", "name", "unit", "type", "temporality", "is_monotonic")
    return {name: row[name] for name in names} | {
        "resource": sorted(stored_pairs(row["resource"], row["resource_kinds"])),
        "labels": sorted(stored_pairs(row["labels"], row["label_kinds"])),
    }


def _times(row: dict[str, Any]) -> dict[str, Any]:
    return {"time": row["at"], "start_time": row["since"]}


def _distribution(row: dict[str, Any]) -> dict[str, Any]:
    whole = ("flags", "count", "bucket_counts", "scale", "zero_count", "positive_offset", "positive_counts",
             "negative_offset", "negative_counts")  # fmt: skip
    broken = ("sum", "min", "max", "zero_threshold")
    return (
        _series(row)
        | _times(row)
        | {name: row[name] for name in whole}
        | {name: double(row[name]) for name in broken}
        | {name: [double(value) for value in row[name]] for name in ("bounds", "quantiles", "quantile_values")}
    )


def _exemplar(row: dict[str, Any]) -> dict[str, Any]:
    return _series(row) | {
        "time": row["at"],
        "value": double(row["value"]),
        "trace_id": row["trace_id"],
        "span_id": row["span_id"],
        "filtered": stored_pairs(row["attributes"], row["kinds"]),
    }


def test_a_difference_is_seen() -> None:
    """The comparison itself: one value that differs fails it."""
    row = {"value": double(-0.0)}
    same([row], [row])
    with pytest.raises(AssertionError):
        same([row], [{"value": double(0.0)}])
