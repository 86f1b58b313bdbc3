"""Questions to the log store: which records, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilothouse.signals.rows import attributes, hexadecimal
from pilothouse.signals.selecting import Resource, resources
from pilothouse.signals.timerange import NANOSECONDS, TimeRange, to_rfc3339

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.selector import Selector

_COLUMNS = (
    "toUnixTimestamp64Nano(time) AS nanoseconds, identity, severity_number, severity_text, event_name, body, "
    "body_kind, attributes, kinds, scope_name, trace_id, span_id"
)
_FIRST_SLICE = 300 * NANOSECONDS


@dataclass(frozen=True, slots=True)
class LogQuestion:
    """Which records: of whom, when, with what in the body, at least how severe (OTLP's severity number)."""

    selector: Selector
    within: TimeRange
    contains: tuple[str, ...] = ()
    severity: int = 0
    trace_id: str = ""
    limit: int = 100


def search(engine: Engine, question: LogQuestion, budget: Budget | None = None) -> list[dict[str, Any]]:
    """The newest records that fit, newest first.

    The range is read in slices from its end, each four times as long as the one before, so that a question about a
    month whose answer is in the last minutes reads minutes.
    """
    found = {resource.identity: resource for resource in resources(engine, question.selector, question.within, "logs")}
    records: list[dict[str, Any]] = []
    for within in _slices(question.within) if found else ():
        where, parameters = _condition(question, within, found)
        table = engine.query(
            f"SELECT {_COLUMNS} FROM logs WHERE {where} ORDER BY nanoseconds DESC "
            f"LIMIT {question.limit - len(records)}",
            parameters,
            budget,
        )
        records.extend(_described(row, found) for row in table.to_pylist())
        if len(records) >= question.limit:
            break
    return records


def count(engine: Engine, question: LogQuestion, budget: Budget | None = None) -> int:
    """How many records fit."""
    found = {resource.identity: resource for resource in resources(engine, question.selector, question.within, "logs")}
    if not found:
        return 0
    where, parameters = _condition(question, question.within, found)
    return int(engine.query(f"SELECT count() FROM logs WHERE {where}", parameters, budget).column(0)[0].as_py())


def _slices(within: TimeRange) -> Iterator[TimeRange]:
    end, length = within.end, _FIRST_SLICE
    while end > within.start:
        start = max(within.start, end - length)
        yield TimeRange(start, end)
        end, length = start, length * 4


def _condition(question: LogQuestion, within: TimeRange, found: dict[int, Resource]) -> tuple[str, dict[str, Any]]:
    parts = [
        "identity IN {identities:Array(UInt64)}",
        "time >= fromUnixTimestamp64Nano({start:Int64}, 'UTC')",
        "time < fromUnixTimestamp64Nano({end:Int64}, 'UTC')",
    ]
    parameters: dict[str, Any] = {"identities": list(found), "start": within.start, "end": within.end}
    for place, text in enumerate(question.contains):
        parts.append(f"position(body, {{contains{place}:String}}) > 0")
        parameters[f"contains{place}"] = text
    if question.severity:
        parts.append(f"severity_number >= {int(question.severity)}")
    if question.trace_id:
        parts.append("trace_id = unhex({trace_id:String})")
        parameters["trace_id"] = question.trace_id
    return " AND ".join(parts), parameters


def _described(row: dict[str, Any], found: dict[int, Resource]) -> dict[str, Any]:
    return {
        "time": to_rfc3339(row["nanoseconds"]),
        "severity": row["severity_text"] or severity_name(row["severity_number"]),
        "severity_number": row["severity_number"],
        "body": row["body"],
        "event_name": row["event_name"],
        "attributes": attributes(row["attributes"], row["kinds"]),
        "resource": found[row["identity"]].attributes,
        "scope": row["scope_name"],
        "trace_id": hexadecimal(row["trace_id"]),
        "span_id": hexadecimal(row["span_id"]),
    }


def severity_name(number: int) -> str:
    """OpenTelemetry's short name of a severity number (logs data model, SeverityNumber)."""
    if not number:
        return ""
    return ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")[min(number - 1, 23) // 4]


def severity_number(name: str) -> int | None:
    """The least number of a severity's name; None when there is no such severity."""
    names = {
        "trace": 1,
        "debug": 5,
        "info": 9,
        "warn": 13,
        "warning": 13,
        "error": 17,
        "fatal": 21,
        "critical": 21,
    }
    return names.get(name.lower())
