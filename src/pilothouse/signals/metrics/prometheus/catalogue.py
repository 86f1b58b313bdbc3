"""Which metrics there are, and what they are called in PromQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pilothouse.signals.metrics.prometheus.naming import metric_name
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher

if TYPE_CHECKING:
    from pilothouse.engine import Engine

# The scope of series that came with Prometheus' own names and labels: by remote write or from a scrape.
PROMETHEUS_SCOPE = "prometheus"
CUMULATIVE = 2
# A new metric may stay unknown for so many seconds.
_FRESH = 1.0

Part = Literal["value", "native", "bucket", "count", "sum", "quantile", "info"]


@dataclass(frozen=True)
class Metric:
    """One metric as it is stored. `type` is OpenTelemetry's, `unit` as it was sent."""

    name: str
    type: str
    unit: str
    temporality: int
    is_monotonic: bool
    is_prometheus: bool

    @cached_property
    def base(self) -> str:
        """Its name in Prometheus, without the suffixes of parts."""
        if self.is_prometheus:
            return self.name
        return metric_name(self.name, self.unit, self.is_monotonic, self.type == "gauge")

    @cached_property
    def parts(self) -> tuple[tuple[str, Part], ...]:
        """The names under which its series can be selected, and what each one shows."""
        base = self.base
        if self.type in ("gauge", "sum"):
            return ((base, "value"),)
        if self.is_prometheus or self.type == "exponential_histogram":
            return ((base, "native"),)
        if self.type == "histogram":
            return ((f"{base}_bucket", "bucket"), (f"{base}_count", "count"), (f"{base}_sum", "sum"))
        return ((base, "quantile"), (f"{base}_count", "count"), (f"{base}_sum", "sum"))

    @property
    def prometheus_type(self) -> str:
        """The type as Prometheus' metadata names it."""
        if self.type == "sum":
            return "counter" if self.is_monotonic else "gauge"
        return "histogram" if "histogram" in self.type else self.type


TARGET_INFO = Metric("target_info", "info", "", 0, False, False)


class Catalogue:
    """The metrics of a store, read again when they are older than a second. May be used from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._metrics: tuple[Metric, ...] = ()
        self._read_at = -_FRESH

    def metrics(self) -> tuple[Metric, ...]:
        """All metrics, by name."""
        with self._lock:
            if time.monotonic() - self._read_at > _FRESH:
                self._metrics = self._read()
                self._read_at = time.monotonic()
            return self._metrics

    def matching(self, matchers: Sequence[Matcher]) -> list[tuple[Metric, str, Part]]:
        """The metrics whose name fits, each with that name and the part it shows."""
        named = [matcher for matcher in matchers if matcher.label == NAME]
        found: list[tuple[Metric, str, Part]] = [
            (metric, name, part)
            for metric in self.metrics()
            for name, part in metric.parts
            if all(matcher.matches(name) for matcher in named)
        ]
        if all(matcher.matches(TARGET_INFO.name) for matcher in named):
            found.append((TARGET_INFO, TARGET_INFO.name, "info"))
        return found

    def _read(self) -> tuple[Metric, ...]:
        rows = self._engine.query(
            f"SELECT DISTINCT name, type, unit, temporality, is_monotonic, "
            f"scope_name = '{PROMETHEUS_SCOPE}' AS is_prometheus FROM series ORDER BY name, type, unit"
        ).to_pylist()
        return tuple(
            Metric(
                row["name"], row["type"], row["unit"], row["temporality"], bool(row["is_monotonic"]),
                bool(row["is_prometheus"]),
            )
            for row in rows
        )  # fmt: skip
