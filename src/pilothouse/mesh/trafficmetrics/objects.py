"""TrafficMetrics in the form of the specification, and as the tables that kubectl prints."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pilothouse.mesh.model import Name
from pilothouse.mesh.trafficmetrics.measuring import Traffic
from pilothouse.mesh.trafficmetrics.resources import GROUP, Measured

_LATENCIES = ((0.99, "p99_response_latency"), (0.9, "p90_response_latency"), (0.5, "p50_response_latency"))


def metrics_object(traffic: Traffic, kind: Measured, version: str, seconds: int, now: float) -> dict[str, Any]:
    """One TrafficMetrics."""
    stamp = _stamp(now)
    peer = traffic.peer
    resource = _reference(peer.kind, peer.name) if peer else {}
    made: dict[str, Any] = {
        "apiVersion": f"{GROUP}/{version}",
        "kind": "TrafficMetrics",
        "metadata": {**_metadata(kind, traffic.name), "creationTimestamp": stamp},
        "resource": _reference(kind, traffic.name),
        "edge": {"direction": traffic.direction, "side": traffic.side, "resource": resource},
        "timestamp": stamp,
        "window": f"{seconds}s",
        "metrics": _metrics(traffic),
    }
    if traffic.backend:
        apex, name, weight = traffic.backend
        made["backend"] = {"apex": apex, "name": name, "weight": weight}
    return made


def metrics_list(
    rows: Iterable[dict[str, Any]], resource: dict[str, Any], selector: dict[str, str], version: str
) -> dict[str, Any]:
    """A TrafficMetricsList."""
    made: dict[str, Any] = {
        "apiVersion": f"{GROUP}/{version}", "kind": "TrafficMetricsList", "metadata": {}, "resource": resource,
        "items": list(rows),
    }  # fmt: skip
    return made | ({"selector": {"matchLabels": selector}} if selector else {})


def table(rows: Iterable[Traffic], kind: Measured, seconds: int) -> dict[str, Any]:
    """What kubectl prints: a row for each, with the success rate and requests a second."""
    found = list(rows)
    edges, backends = any(row.peer for row in found), any(row.backend for row in found)
    names = ["Name", *(["Direction", "Peer", "Side"] if edges else []), *(["Backend", "Weight"] if backends else []),
             "Success", "RPS", "P50", "P90", "P99"]  # fmt: skip
    columns = [
        {"name": name, "type": "string", "format": "name" if name == "Name" else "", "priority": 0,
         "description": _MEANING.get(name, "")}
        for name in names
    ]  # fmt: skip
    return {
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": columns,
        "rows": [{"cells": _cells(row, edges, backends, seconds), "object": _partial(kind, row.name)} for row in found],
    }  # fmt: skip


_MEANING = {
    "Success": "part of the requests that succeeded",
    "RPS": "requests a second",
    "P50": "median latency",
    "Peer": "the other end of the edge",
    "Side": "whose proxy counted",
}


def _cells(row: Traffic, edges: bool, backends: bool, seconds: int) -> list[Any]:
    cells: list[Any] = [row.name.name]
    if edges:
        peer = f"{row.peer.kind.kind.lower()}/{row.peer.name.name}" if row.peer else ""
        cells += [row.direction, peer, row.side]
    if backends:
        cells += [row.backend[1], row.backend[2]] if row.backend else ["", ""]
    requests = row.succeeded + row.failed
    cells += [f"{row.succeeded / requests:.2%}" if requests else "-", f"{requests / seconds:.1f}rps"]
    return cells + [_duration(row.latency.get(quantile)) for quantile in (0.5, 0.9, 0.99)]


def _duration(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.0f}ms" if milliseconds >= 10 else f"{milliseconds:.1f}ms"


def _metrics(traffic: Traffic) -> list[dict[str, str]]:
    """Quantities: milliseconds in thousandths, counts whole. No latency is said where there was no request."""
    made = [
        {"name": name, "unit": "ms", "value": _quantity(traffic.latency[quantile])}
        for quantile, name in _LATENCIES
        if quantile in traffic.latency
    ]
    return [
        *made,
        {"name": "success_count", "value": str(traffic.succeeded)},
        {"name": "failure_count", "value": str(traffic.failed)},
    ]


def _quantity(milliseconds: float) -> str:
    thousandths = round(milliseconds * 1000)
    return str(thousandths // 1000) if thousandths % 1000 == 0 else f"{thousandths}m"


def _reference(kind: Measured, name: Name) -> dict[str, str]:
    made = {"kind": kind.kind, "name": name.name, "apiVersion": kind.api_version}
    return made | ({"namespace": name.namespace} if kind.namespaced and name.namespace else {})


def _metadata(kind: Measured, name: Name) -> dict[str, str]:
    return {"name": name.name} | ({"namespace": name.namespace} if kind.namespaced and name.namespace else {})


def _partial(kind: Measured, name: Name) -> dict[str, Any]:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": _metadata(kind, name)}


def _stamp(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
