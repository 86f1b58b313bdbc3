"""Tempo's metrics summary: of the servers' spans that fit, how many, how many failed and how long, by group.

Tempo documentation, "Metrics summary API"; of the numbers of a value's type, `traceql.enum_statics` there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.signals.anyvalue import from_text
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import TimeRange
from pilothouse.signals.traces.compiling.fields import Fields
from pilothouse.signals.traces.compiling.scope import Scope
from pilothouse.signals.traces.compiling.sources import source
from pilothouse.signals.traces.series.measuring import condition_of
from pilothouse.signals.traces.traceql import check, parse, tree
from pilothouse.signals.traces.traceql.tree import Type
from pilothouse.signals.traces.traceql.writing import written

if TYPE_CHECKING:
    from pilothouse.engine import Engine

MOST_GROUPS = 1000
_MOST_KEYS = 5
_SERVER = 2
# Tempo's own numbers of statuses and kinds, which are not OTLP's.
_STATUSES = {"error": 0, "ok": 1, "unset": 2}
_KINDS = {"unspecified": 0, "internal": 1, "client": 2, "server": 3, "producer": 4, "consumer": 5}
_QUANTILES = ("p50", "p90", "p95", "p99")


def summary(engine: Engine, query: tree.Pipeline, keys: str, within: TimeRange) -> list[dict[str, Any]]:
    """Most spans first; `keys` are fields of TraceQL with commas between them. Durations are nanoseconds, as text."""
    wanted = _fields(keys)
    scope = Scope(engine, within)
    fields = Fields(scope)
    values = [fields.single(field) for field in wanted]
    where = condition_of(scope, query)
    columns = "".join(
        f", toString({value.text()}) AS t{place}, toString({value.letter()}) AS k{place}"
        for place, value in enumerate(values)
    )
    groups = ", ".join(f"t{place}, k{place}" for place in range(len(values)))
    rows = engine.query(
        f"SELECT {groups}, count() AS spans, countIf(failed) AS errors, "
        f"quantilesTDigest(0.5, 0.9, 0.95, 0.99)(length) AS took "
        f"FROM (SELECT status_code = 2 AS failed, duration AS length{columns} FROM {source(scope)} "
        f"WHERE ({where}) AND kind = {_SERVER}) "
        f"GROUP BY {groups} ORDER BY spans DESC, {groups} LIMIT {MOST_GROUPS}",
        scope.parameters,
        scope.budget,
    ).to_pylist()
    return [_summary(row, wanted, [value.type for value in values]) for row in rows]


def _fields(keys: str) -> list[tree.Field]:
    if not keys.strip():
        raise BadRequestError("groupBy: this parameter is needed; for example groupBy=name,span.http.route", "groupBy")
    # The grammar knows lists of fields from select().
    query = parse(f"{{ }} | select({keys})")
    check(query)
    stages = query.root.stages if isinstance(query.root, tree.Pipeline) else ()
    if len(stages) != 2 or not isinstance(stages[1], tree.Select):
        raise BadRequestError("groupBy: not a list of fields", "groupBy")
    if len(stages[1].fields) > _MOST_KEYS:
        raise BadRequestError(f"groupBy: at most {_MOST_KEYS} fields", "groupBy")
    return list(stages[1].fields)


def _summary(row: dict[str, Any], wanted: list[tree.Field], types: list[Type]) -> dict[str, Any]:
    made: dict[str, Any] = {"spanCount": str(row["spans"])}
    if row["errors"]:
        made["errorSpanCount"] = str(row["errors"])
    made["series"] = [
        {"key": written(field), "value": _static(row[f"t{place}"], row[f"k{place}"], types[place])}
        for place, field in enumerate(wanted)
    ]
    took = zip(_QUANTILES, row["took"], strict=True)
    return made | {name: str(round(length)) for name, length in took}


def _static(text: str, letter: str, type_: Type) -> dict[str, Any]:
    if letter in ("", "n"):
        return {}
    if type_ is Type.STATUS:
        return {"type": 8, "status": _STATUSES.get(text, 0)}
    if type_ is Type.KIND:
        return {"type": 9, "kind": _KINDS.get(text, 0)}
    if type_ is Type.DURATION:
        return {"type": 7, "d": str(int(float(text)))}
    value = from_text(text, letter) if letter in ("i", "d", "b") else text
    match value:
        case bool():
            return {"type": 6, "b": value}
        case int():
            return {"type": 3, "n": str(value)}
        case float():
            return {"type": 4, "f": value}
    return {"type": 5, "s": value}
