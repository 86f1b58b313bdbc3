"""Pilothouse's own metrics, by the OpenTelemetry SDK, in Prometheus' text format at `/metrics`."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import REGISTRY, generate_latest

from pilothouse import __version__

if TYPE_CHECKING:
    from pilothouse.signals.flushing import Intake
    from pilothouse.signals.receive.loki_streams import LokiReceiver
    from pilothouse.signals.receive.otlp import Receiver
    from pilothouse.signals.receive.remote_write import RemoteWriteReceiver


class Measurements:
    """The counters of this process."""

    def __init__(self) -> None:
        self._intakes: list[Intake] = []
        resource = Resource({"service.name": "pilothouse", "service.version": __version__})
        self._provider = MeterProvider([PrometheusMetricReader()], resource, shutdown_on_exit=False)
        self._meter = self._provider.get_meter("pilothouse")
        # Counted here and asked for: adding to a counter of the SDK takes as long as a tenth of a small request.
        self._received: dict[str, tuple[int, int]] = {}
        self._counting = threading.Lock()
        self._meter.create_observable_counter(
            "pilothouse.received.requests", [self._observed(0)], description="telemetry requests accepted"
        )
        self._meter.create_observable_counter(
            "pilothouse.received.size", [self._observed(1)], "By", "bytes of accepted telemetry requests, decompressed"
        )
        self._rejected = self._meter.create_counter(
            "pilothouse.rejected.records", description="records taken out of accepted requests"
        )
        self._stored = self._meter.create_counter("pilothouse.stored.size", "By", "bytes of journal segments stored")
        self._storing = self._meter.create_histogram(
            "pilothouse.storing.duration", "s", "time to store a journal segment"
        )

    def watch(self, intake: Intake, *doors: Receiver | RemoteWriteReceiver | LokiReceiver) -> None:
        """Count what goes through the doors and their journal; those of tenants are counted together."""
        for door in doors:
            door.on_request = self.received
        intake.on_stored = self._on_stored
        self._intakes.append(intake)
        if len(self._intakes) > 1:
            return

        def waiting(options: CallbackOptions) -> Iterable[Observation]:
            kinds = Counter[str]()
            for one in self._intakes:
                kinds.update(one.kept_bytes)
            return [Observation(size, {"kind": kind}) for kind, size in kinds.items()]

        self._meter.create_observable_gauge(
            "pilothouse.journal.size", [waiting], "By", "bytes acknowledged and not stored yet"
        )

    def watch_hazards(self, counts: Callable[[], dict[tuple[str, str, str], int]]) -> None:
        """Count the findings in the watched cluster by rule, state and severity."""

        def found(options: CallbackOptions) -> Iterable[Observation]:
            return [
                Observation(count, {"rule": rule, "state": state, "severity": severity})
                for (rule, state, severity), count in counts().items()
            ]

        self._meter.create_observable_gauge("pilothouse.hazards", [found], description="hazards in the watched cluster")

    def received(self, kind: str, size: int, rejected: int) -> None:
        """Note an accepted request."""
        with self._counting:
            requests, taken = self._received.get(kind, (0, 0))
            self._received[kind] = requests + 1, taken + size
        if rejected:
            self._rejected.add(rejected, {"kind": kind})

    def _observed(self, place: int) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observed(options: CallbackOptions) -> Iterable[Observation]:
            return [Observation(counts[place], {"kind": kind}) for kind, counts in list(self._received.items())]

        return observed

    def exposition(self) -> bytes:
        """All metrics as Prometheus' text."""
        return generate_latest(REGISTRY)

    def close(self) -> None:
        """Stop measuring."""
        self._provider.shutdown()

    def _on_stored(self, kind: str, size: int, seconds: float) -> None:
        self._stored.add(size, {"kind": kind})
        self._storing.record(seconds, {"kind": kind})
