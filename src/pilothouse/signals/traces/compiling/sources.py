"""Where the spans of a question come from: the table, and what is joined to it when a field needs it."""

from __future__ import annotations

from pilothouse.signals.traces.compiling.scope import Scope

TRACE, CHILDREN, PARENT = "trace", "children", "parent"
IN_RANGE = (
    "time >= fromUnixTimestamp64Nano({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Nano({end:Int64}, 'UTC')"
)
# A trace's other spans may lie outside of the range that was asked for.
SLACK = 3600 * 1_000_000_000
AROUND = (
    f"time >= fromUnixTimestamp64Nano({{start:Int64}} - {SLACK}, 'UTC') "
    f"AND time < fromUnixTimestamp64Nano({{end:Int64}} + {SLACK}, 'UTC')"
)
_ROOT = "(parent_span_id != toFixedString('', 8), time)"
_JOINS = {
    TRACE: f"""ANY LEFT JOIN (
        SELECT trace_id, min(time) AS trace_start, argMin(name, {_ROOT}) AS root_name,
               argMin(identity, {_ROOT}) AS root_identity,
               max(toUnixTimestamp64Nano(time) + duration) - min(toUnixTimestamp64Nano(time)) AS trace_duration
        FROM spans WHERE {AROUND} GROUP BY trace_id) AS t USING (trace_id)""",
    CHILDREN: f"""ANY LEFT JOIN (
        SELECT trace_id, parent_span_id AS span_id, count() AS child_count
        FROM spans WHERE {AROUND} GROUP BY trace_id, parent_span_id) AS c USING (trace_id, span_id)""",
    PARENT: f"""ANY LEFT JOIN (
        SELECT trace_id, span_id AS parent_span_id, 1 AS p_found, name AS p_name, duration AS p_duration,
               identity AS p_identity, kind AS p_kind, status_code AS p_status_code,
               status_message AS p_status_message, attributes AS p_attributes, kinds AS p_kinds
        FROM spans WHERE {AROUND}) AS p USING (trace_id, parent_span_id)""",
}


def source(scope: Scope, narrowed: str = "1", first: str = "1") -> str:
    """The relation of all spans in the range (for which `narrowed` holds) with what the compiled fields need.

    `first` is a condition to look at before any other column is read.
    """
    joins = " ".join(_JOINS[part] for part in (TRACE, CHILDREN, PARENT) if part in scope.joined)
    prewhere = f"PREWHERE {first} " if first != "1" else ""
    return f"(SELECT * FROM spans {prewhere}WHERE {IN_RANGE} AND {narrowed}) AS s {joins}"


def rows(scope: Scope, where: str, first: str = "1") -> str:
    """FROM and WHERE of the spans of `source` for which `where` holds."""
    if scope.joined:
        return f"FROM {source(scope, first=first)} WHERE {where}"
    # Through a subquery the engine would read a whole map for one key of it.
    prewhere = f"PREWHERE {first} " if first != "1" else ""
    return f"FROM spans {prewhere}WHERE {IN_RANGE} AND ({where})"
