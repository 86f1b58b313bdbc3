"""Streams: which there are, and their labels as Loki writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.signals.selecting import resources
from pilothouse.signals.selector import Matcher, Selector, normalised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.engine import Engine
    from pilothouse.signals.timerange import TimeRange

Streams = dict[int, dict[str, str]]


def streams(engine: Engine, matchers: tuple[Matcher, ...], within: TimeRange | None) -> Streams:
    """The labels of each stream (by its identity) that the matchers select and that spoke in the range."""
    found = resources(engine, Selector(matchers), within, "logs")
    return {one.identity: labels_of_resource(one.attributes) for one in found}


def labels_of_resource(attributes: Mapping[str, str]) -> dict[str, str]:
    """Resource attributes as labels: `service.name` is `service_name` (OpenTelemetry, Prometheus compatibility)."""
    return {label_of(name): value for name, value in attributes.items() if value != ""}


def label_of(name: str) -> str:
    """An attribute's name as a label's."""
    label = normalised(name)
    return f"_{label}" if label[:1].isdigit() else label
