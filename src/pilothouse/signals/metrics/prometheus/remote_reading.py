"""Remote read: raw samples of the series that another Prometheus asks for, as protobuf.

Messages are those of Prometheus' remote.proto. Only the response type SAMPLES is answered, not streamed XOR chunks.
https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf.message import DecodeError

from pilothouse.signals.metrics.prometheus.asking import ApiError
from pilothouse.signals.metrics.prometheus.histogram_messages import encoded_histogram
from pilothouse.signals.metrics.promql.errors import LimitError
from pilothouse.signals.metrics.promql.labels import Labels, labels_of
from pilothouse.signals.metrics.promql.matcher import Matcher, RegexError
from pilothouse.signals.metrics.promql.matrix import Floats, Ints, occupied
from pilothouse.signals.metrics.protobuf import field, message_classes, varint
from pilothouse.signals.metrics.remote_writing import PROTO

if TYPE_CHECKING:
    from pilothouse.signals.metrics.promql.selection import Selection, Storage

_PROTO = """
message LabelMatcher { int32 type = 1; string name = 2; string value = 3; }
message Query { int64 start_timestamp_ms = 1; int64 end_timestamp_ms = 2; repeated LabelMatcher matchers = 3; }
message ReadRequest { repeated Query queries = 1; repeated int32 accepted_response_types = 2; }
message QueryResult { repeated TimeSeries timeseries = 1; }
message ReadResponse { repeated QueryResult results = 1; }
"""
_CLASSES = message_classes("pilothouse.remote_read", PROTO + _PROTO)
ReadRequest, ReadResponse = _CLASSES["ReadRequest"], _CLASSES["ReadResponse"]
_OPERATORS = ("=", "!=", "=~", "!~")
_SAMPLES = 0
# Between these (1971 and 2109) a time has six bytes as a varint, so that all samples are written at once.
_SIX_BYTES = 1 << 35, 1 << 42
_SAMPLE = np.dtype([("head", "u1", 3), ("value", "<f8"), ("tag", "u1"), ("time", "u1", 6)])


def request_of(body: bytes) -> Any:
    """A request, decompressed. Raises `ApiError`."""
    try:
        request = ReadRequest.FromString(body)
    except DecodeError:
        raise ApiError("bad_data", "body: this is not a prometheus.ReadRequest") from None
    accepted = request.accepted_response_types
    if accepted and _SAMPLES not in accepted:
        raise ApiError("bad_data", f"accepted_response_types: only SAMPLES (0) is answered, not {list(accepted)}")
    return request


def answered(storage: Storage, request: Any, external_labels: Mapping[str, str], most: int) -> bytes:
    """The encoded response. Raises `ApiError`, and `LimitError` for more than `most` samples."""
    parts, samples = [], 0
    for query in request.queries:
        matchers = [_matcher(one, external_labels) for one in query.matchers]
        found = storage.select(matchers, query.start_timestamp_ms, query.end_timestamp_ms)
        samples += found.size
        if samples > most:
            raise LimitError(f"exceeded sample limit ({most})")
        parts.append(field(0x0A, b"".join(field(0x0A, series) for series in _series(found, external_labels))))
    return b"".join(parts)


def _matcher(said: Any, external_labels: Mapping[str, str]) -> Matcher:
    """A matcher; one that asks for our external label asks for series that do not have it themselves."""
    if not 0 <= said.type < len(_OPERATORS):
        raise ApiError("bad_data", f"matchers: there is no type {said.type}")
    operator = _OPERATORS[said.type]
    if operator == "=" and external_labels.get(said.name) == said.value:
        return Matcher(said.name, "=", "")
    try:
        return Matcher(said.name, operator, said.value)
    except RegexError as error:
        raise ApiError("bad_data", f"matchers: {error}") from None


def _series(found: Selection, external_labels: Mapping[str, str]) -> Iterator[bytes]:
    """Each series as the content of a TimeSeries."""
    for row, labels in enumerate(found.labels):
        span = slice(int(found.offsets[row]), int(found.offsets[row + 1]))
        times, values = found.times[span], found.values[span]
        told = [_labels(labels_of({**external_labels, **labels.map}) if external_labels else labels)]
        if found.histograms is not None:
            cells = found.histograms[span]
            native = occupied(cells)
            told += [
                field(0x22, encoded_histogram(cell, at))
                for cell, at in zip(cells[native], times[native].tolist(), strict=True)
            ]
            times, values = times[~native], values[~native]
        told.append(encoded_samples(times, values))
        yield b"".join(told)


def _labels(labels: Labels) -> bytes:
    return b"".join(
        field(0x0A, field(0x0A, name.encode()) + field(0x12, value.encode("utf-8", "replace")))
        for name, value in labels.pairs
    )


def encoded_samples(times: Ints, values: Floats) -> bytes:
    """Samples as fields of a TimeSeries; the bits of a value stay, so that a stale marker stays one."""
    if not len(times):
        return b""
    values = np.ascontiguousarray(values, dtype="<f8")
    if times.min() < _SIX_BYTES[0] or times.max() >= _SIX_BYTES[1]:
        return b"".join(
            field(0x12, b"\x09" + value.tobytes() + b"\x10" + varint(at))
            for at, value in zip(times.tolist(), values, strict=True)
        )
    records = np.zeros(len(times), _SAMPLE)
    records["head"] = (0x12, _SAMPLE.itemsize - 2, 0x09)
    records["value"] = values
    records["tag"] = 0x10
    for place in range(6):
        more = 0x80 if place < 5 else 0
        records["time"][:, place] = (times >> (7 * place)) & 0x7F | more
    return records.tobytes()
