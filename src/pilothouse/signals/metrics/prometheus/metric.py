"""A metric as it is stored, and what it is called in PromQL."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pilothouse.signals.metrics.prometheus.naming import metric_name

# The scope of series that came with Prometheus' own names and labels: by remote write or from a scrape.
PROMETHEUS_SCOPE = "prometheus"
CUMULATIVE = 2

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
