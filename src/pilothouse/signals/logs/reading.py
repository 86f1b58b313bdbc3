"""From rows to entries: what a row of `logs` is in LogQL's eyes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pilothouse.signals.logs.pipeline import Entry
from pilothouse.signals.logs.pipeline.json_parsing import label_name

if TYPE_CHECKING:
    from pilothouse.signals.logs.streams import Streams
    from pilothouse.signals.timerange import TimeRange

COLUMNS = (
    "toUnixTimestamp64Nano(time) AS at, identity, body, attributes, toString(severity_text) AS severity_text, "
    "severity_number, toString(scope_name) AS scope_name, trace_id, span_id"
)
_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
_NO_ATTRIBUTES: dict[str, str] = {}


def entries(rows: Any, streams: Streams) -> Iterator[Entry]:
    """The entries of a table or batch with `COLUMNS`."""
    columns = [rows.column(name).to_pylist() for name in _NAMES]
    for at, identity, body, attributes, *rest in zip(*columns, strict=True):
        yield Entry(at, body, streams[identity], metadata(attributes, *rest))


_NAMES = (
    "at", "identity", "body", "attributes", "severity_text", "severity_number", "scope_name", "trace_id", "span_id",
)  # fmt: skip


def metadata(
    attributes: list[tuple[str, str]], text: str, number: int, scope: str, trace: bytes, span: bytes
) -> Mapping[str, str]:
    """A record's own labels: its attributes, and its other fields under the names of Loki's OTLP endpoint."""
    if not (attributes or text or number or scope or any(trace)):
        return _NO_ATTRIBUTES
    found: dict[str, str] = {}
    for name, value in attributes:
        found.setdefault(label_name(name), value)
    if text:
        found.setdefault("severity_text", text)
        found.setdefault("severity_number", str(number))
    if number:
        found.setdefault("detected_level", _LEVELS[(min(number, 24) - 1) // 4])
    if scope:
        found.setdefault("scope_name", scope)
    if any(trace):
        found.setdefault("trace_id", trace.hex())
    if any(span):
        found.setdefault("span_id", span.hex())
    return found


def within_sql(parameters: dict[str, Any], streams: Streams, within: TimeRange) -> list[str]:
    """The conditions that the table's order serves; `within` is from start to just before its end."""
    parameters |= {"identities": list(streams), "from": within.start, "until": within.end}
    return [
        "identity IN {identities:Array(UInt64)}",
        "time >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')",
        "time < fromUnixTimestamp64Nano({until:Int64}, 'UTC')",
    ]
