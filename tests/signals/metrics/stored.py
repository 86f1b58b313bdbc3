"""Puts series into the store by remote write, and waits until they are there."""

from __future__ import annotations

import time
from collections.abc import Iterable

import cramjam

from pilothouse.signals.flushing import Intake
from pilothouse.signals.receive.remote_write import RemoteWriteReceiver
from tests.signals.metrics.real_prometheus import encoded


def store_series(
    receiver: RemoteWriteReceiver, series: Iterable[tuple[dict[str, str], list[tuple[int, float]]]]
) -> None:
    """Write the series and wait until they are on disk."""
    taken = receiver.receive(bytes(cramjam.snappy.decompress_raw(encoded(series))))
    assert not taken.fault
    assert taken.written is not None
    taken.written.result(timeout=60)


def settled(intake: Intake, seconds: float = 60.0) -> None:
    """Wait until all that was journaled is stored."""
    deadline = time.monotonic() + seconds
    while any(intake.kept_bytes.values()):
        assert time.monotonic() < deadline, intake.kept_bytes
        time.sleep(0.02)
