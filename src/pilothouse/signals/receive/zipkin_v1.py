"""Zipkin's first form of a span, as spans of the second: core annotations say the kind and where it happened."""

from __future__ import annotations

from typing import Any

from pilothouse.signals.errors import BadRequestError

_KINDS = {"cs": "CLIENT", "cr": "CLIENT", "sr": "SERVER", "ss": "SERVER", "ms": "PRODUCER", "mr": "CONSUMER"}
_BEGIN, _END = ("cs", "sr", "ms", "mr"), ("cr", "ss")
_REMOTE = {"CLIENT": "sa", "SERVER": "ca", "PRODUCER": "ma", "CONSUMER": "ma"}


def read_v1(span: Any, where: str) -> list[dict[str, Any]]:
    """One span for each kind that its core annotations name: client and server of a call may share one span."""
    if not isinstance(span, dict):
        raise BadRequestError(f"{where}: expected an object")
    notes, binary = (_objects(span, field, where) for field in ("annotations", "binaryAnnotations"))
    kinds = list(dict.fromkeys(_KINDS[note["value"]] for note in notes if note.get("value") in _KINDS))
    return [_span(span, kind, notes, binary) for kind in kinds or [""]]


def _span(span: dict[str, Any], kind: str, notes: list[dict[str, Any]], binary: list[dict[str, Any]]) -> dict[str, Any]:
    core = {note["value"]: note for note in notes if _KINDS.get(str(note.get("value"))) == kind}
    begin = next((core[value] for value in _BEGIN if value in core), None)
    end = next((core[value] for value in _END if value in core), None)
    start = (begin or {}).get("timestamp") or span.get("timestamp") or 0
    length = span.get("duration") or 0
    if begin and end and isinstance(end.get("timestamp"), int) and isinstance(start, int):
        length = max(0, end["timestamp"] - start)
    places = [*core.values(), *notes, *binary]
    local: dict[str, Any] = next((note["endpoint"] for note in places if isinstance(note.get("endpoint"), dict)), {})
    remote = next((note.get("endpoint") for note in binary if kind and note.get("key") == _REMOTE[kind]), None)
    return {
        "traceId": span.get("traceId"),
        "id": span.get("id"),
        "parentId": span.get("parentId"),
        "name": span.get("name"),
        "kind": kind,
        "timestamp": start,
        "duration": length,
        "localEndpoint": local,
        "remoteEndpoint": remote or {},
        "annotations": [note for note in notes if note.get("value") not in _KINDS],
        "tags": {
            str(note.get("key")): _text(note.get("value"))
            for note in binary
            if note.get("key") not in ("sa", "ca", "ma")
        },
    }


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _objects(span: dict[str, Any], field: str, where: str) -> list[dict[str, Any]]:
    found = span.get(field) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise BadRequestError(f"{where}.{field}: expected a list of objects")
    return found
