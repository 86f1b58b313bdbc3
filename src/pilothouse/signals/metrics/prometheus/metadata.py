"""What is known of each metric: type, unit, help."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.signals.metrics.prometheus.stored import StoredMetrics


def metadata(
    engine: Engine, metrics: StoredMetrics, metric: str = "", per_metric: int = 0, limit: int = 0
) -> dict[str, list[dict[str, str]]]:
    """Each metric's distinct descriptions, by the name of its family."""
    found: dict[str, list[dict[str, str]]] = {}
    sent = engine.query(
        "SELECT name, type, unit, argMax(help, seen) AS help FROM metadata "
        "GROUP BY name, type, unit ORDER BY name, type"
    ).to_pylist()
    helps = engine.query(
        "SELECT name, type, unit, anyLast(description) AS help FROM series GROUP BY name, type, unit"
    ).to_pylist()
    described = {(row["name"], row["type"], row["unit"]): row["help"] for row in helps}
    rows = [(row["name"], {"type": row["type"], "unit": row["unit"], "help": row["help"]}) for row in sent]
    for one in metrics.catalogue.metrics():
        if not one.is_prometheus:
            help_text = described.get((one.name, one.type, one.unit), "")
            rows.append((one.base, {"type": one.prometheus_type, "unit": one.unit, "help": help_text}))
    for name, entry in rows:
        if (metric and name != metric) or (limit and name not in found and len(found) >= limit):
            continue
        entries = found.setdefault(name, [])
        if entry not in entries and (not per_metric or len(entries) < per_metric):
            entries.append(entry)
    return found
