"""What rules made as remote write requests, on the way to the store."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pilothouse.signals.metrics.prometheus.histogram_messages import encoded_histogram
from pilothouse.signals.metrics.promql.histogram import Histogram
from pilothouse.signals.metrics.protobuf import field, varint
from pilothouse.signals.metrics.rules.alerting import Result
from pilothouse.signals.metrics.scraping.samples import encoded_labels

_A_REQUEST = 20_000


def requests_of(result: Result, at: int) -> Iterator[bytes]:
    """Samples of one time (milliseconds), some thousand series a request."""
    tail = b"\x10" + varint(at)
    parts = []
    for labels, value in result:
        if isinstance(value, Histogram):
            sample = field(0x22, encoded_histogram(value, at))
        else:
            sample = field(0x12, b"\x09" + struct.pack("<d", value) + tail)
        parts.append(field(0x0A, encoded_labels(labels.map) + sample))
    for place in range(0, len(parts), _A_REQUEST):
        yield b"".join(parts[place : place + _A_REQUEST])
