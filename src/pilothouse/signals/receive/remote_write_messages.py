"""The messages of Prometheus remote write, and from version 2.0 to 1.0.

Version 2.0 writes each text once a request and refers to it by number. What is journaled has the texts in place: the
engine reads many requests as one, and numbers of one request mean nothing in another.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.metrics.protobuf import field, message_classes, varint
from pilothouse.signals.metrics.remote_writing import PROTO

_V2 = """
message Exemplar { repeated uint32 labels_refs = 1; double value = 2; int64 timestamp = 3; }
message Metadata { int32 type = 1; uint32 help_ref = 3; uint32 unit_ref = 4; }
message TimeSeries {
  repeated uint32 labels_refs = 1; repeated bytes samples = 2; repeated bytes histograms = 3;
  repeated Exemplar exemplars = 4; Metadata metadata = 5; int64 created_timestamp = 6;
}
message Request { repeated bytes symbols = 4; repeated TimeSeries timeseries = 5; }
"""
_CLASSES = message_classes("pilothouse.remote_write", PROTO)
WriteRequest, Histogram = _CLASSES["WriteRequest"], _CLASSES["Histogram"]
# A field that is not repeated is merged where it comes again: one series with what all series of a request have.
_TOGETHER = PROTO.replace("repeated TimeSeries timeseries", "TimeSeries timeseries")
Together = message_classes("pilothouse.remote_write_together", _TOGETHER)["WriteRequest"]
_COUNTED = "message WriteRequest { repeated bytes timeseries = 1; }"
Counted = message_classes("pilothouse.remote_write_counted", _COUNTED)["WriteRequest"]
_Request = message_classes("pilothouse.remote_write2", _V2)["Request"]


def from_v2(body: bytes) -> bytes:
    """A request of version 2.0 as one of 1.0; raises `BadRequestError`."""
    try:
        request = _Request.FromString(body)
    except DecodeError:
        raise BadRequestError("body: this is not an io.prometheus.write.v2.Request") from None
    symbols = list(request.symbols)
    if body and not symbols:
        raise BadRequestError("body: this is not an io.prometheus.write.v2.Request: it has no symbols")
    if symbols and symbols[0]:
        raise BadRequestError("symbols: the first one must be empty")
    return _Rewriting(symbols).request(request)


class _Rewriting:
    def __init__(self, symbols: list[bytes]) -> None:
        self._symbols = symbols
        self._names = [field(0x0A, symbol) for symbol in symbols]
        self._values = [field(0x12, symbol) for symbol in symbols]
        self._labels: dict[tuple[int, int], bytes] = {}

    def request(self, request: Any) -> bytes:
        parts = []
        described: dict[bytes, bytes] = {}
        try:
            for series in request.timeseries:
                parts.append(field(0x0A, self._series(series)))
                if series.HasField("metadata"):
                    self._describe(series, described)
        except IndexError:
            raise BadRequestError("labels_refs: a number is larger than there are symbols") from None
        parts += [field(0x1A, content) for content in described.values()]
        return b"".join(parts)

    def _series(self, series: Any) -> bytes:
        parts = [self._referred(series.labels_refs)]
        parts += [field(0x12, sample) for sample in series.samples]
        for exemplar in series.exemplars:
            content = self._referred(exemplar.labels_refs)
            content += b"\x11" + _double(exemplar.value) + b"\x18" + varint(exemplar.timestamp)
            parts.append(field(0x1A, content))
        parts += [field(0x22, histogram) for histogram in series.histograms]
        if series.created_timestamp:
            parts.append(b"\xa0\x06" + varint(series.created_timestamp))
        return b"".join(parts)

    def _referred(self, references: Any) -> bytes:
        """Labels by pairs of symbol numbers."""
        numbers = list(references)
        if len(numbers) % 2:
            raise BadRequestError("labels_refs: their count is odd")
        known = self._labels
        parts = []
        for pair in zip(numbers[::2], numbers[1::2], strict=True):
            label = known.get(pair)
            if label is None:
                label = known[pair] = field(0x0A, self._names[pair[0]] + self._values[pair[1]])
            parts.append(label)
        return b"".join(parts)

    def _describe(self, series: Any, described: dict[bytes, bytes]) -> None:
        numbers = list(series.labels_refs)
        names = [self._symbols[number] for number in numbers[::2]]
        if b"__name__" not in names:
            return
        name = self._symbols[numbers[2 * names.index(b"__name__") + 1]]
        metadata = series.metadata
        help_text, unit = self._symbols[metadata.help_ref], self._symbols[metadata.unit_ref]
        if name not in described and (metadata.type or help_text or unit):
            described[name] = (
                b"\x08" + varint(metadata.type) + field(0x12, _family(name, metadata.type))
                + field(0x22, help_text) + field(0x2A, unit)
            )  # fmt: skip


def _family(name: bytes, kind: int) -> bytes:
    """The name that classic histograms and summaries share."""
    if kind in (3, 4, 5):
        for suffix in (b"_bucket", b"_count", b"_sum"):
            if name.endswith(suffix):
                return name.removesuffix(suffix)
    return name


def _double(value: float) -> bytes:
    import struct

    return struct.pack("<d", value)
