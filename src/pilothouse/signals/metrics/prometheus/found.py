"""A series that a selector found."""

from __future__ import annotations

from dataclasses import dataclass

from pilothouse.signals.metrics.prometheus.metric import Metric, Part
from pilothouse.signals.metrics.promql.labels import Labels


@dataclass(frozen=True, slots=True)
class Found:
    """Its number in the tables, its metric and what of it is wanted, and its labels."""

    number: int
    metric: Metric
    part: Part
    labels: Labels
