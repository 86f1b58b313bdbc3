"""Which tags there are, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import TimeRange
from pilothouse.signals.traces.compiling.fields import Fields
from pilothouse.signals.traces.compiling.scope import Scope
from pilothouse.signals.traces.compiling.sources import IN_RANGE, source
from pilothouse.signals.traces.series.measuring import condition_of
from pilothouse.signals.traces.traceql import check, parse, tree
from pilothouse.signals.traces.traceql.errors import TraceqlError
from pilothouse.signals.traces.traceql.intrinsics import KINDS, STATUSES, UNSCOPED

if TYPE_CHECKING:
    from pilothouse.engine import Engine

INTRINSICS = (
    "duration", "event:name", "event:timeSinceStart", "instrumentation:name", "instrumentation:version", "kind", "name",
    "rootName", "rootServiceName", "span:duration", "span:kind", "span:name", "span:status", "span:statusMessage",
    "status", "statusMessage", "trace:duration", "trace:rootName", "trace:rootService", "traceDuration",
)  # fmt: skip
_KEYS = "arrayJoin(arrayFlatten(arrayMap(m -> mapKeys(m), {}.attributes)))"
_MAPS = {
    "span": "SELECT arrayJoin(mapKeys(attributes)) AS tag FROM spans WHERE {range}",
    "resource": "SELECT arrayJoin(mapKeys(attributes)) AS tag FROM resources WHERE signal = 'traces'",
    "event": f"SELECT {_KEYS.format('events')} AS tag FROM spans WHERE {{range}}",
    "link": f"SELECT {_KEYS.format('links')} AS tag FROM spans WHERE {{range}}",
    "instrumentation": "SELECT arrayJoin(mapKeys(scope_attributes)) AS tag FROM spans WHERE {range}",
}
_TYPES = {"s": "string", "i": "int", "d": "float", "b": "bool", "t": "duration", "k": "keyword"}


def names(engine: Engine, within: TimeRange, scope: str = "", limit: int = 1000) -> list[dict[str, Any]]:
    """The tags of each scope (or of one)."""
    if scope not in ("", "none", "intrinsic", *_MAPS):
        raise BadRequestError(f"scope: {scope[:40]!r} is none of intrinsic, {', '.join(_MAPS)}", "scope")
    found = []
    for name, sql in _MAPS.items():
        if scope in ("", "none", name):
            table = engine.query(
                f"SELECT DISTINCT tag FROM ({sql.format(range=IN_RANGE)}) ORDER BY tag LIMIT {limit}",
                {"start": within.start, "end": within.end},
            )
            found.append({"name": name, "tags": [str(tag) for tag in table["tag"].to_pylist()]})
    if scope in ("", "none", "intrinsic"):
        found.append({"name": "intrinsic", "tags": list(INTRINSICS)})
    return [entry for entry in found if entry["tags"]]


def values(engine: Engine, within: TimeRange, tag: str, query: str = "", limit: int = 1000) -> list[dict[str, str]]:
    """The values of a tag, most frequent first, among the spans of a query."""
    if tag in ("status", "span:status"):
        return [{"type": "keyword", "value": word} for word in STATUSES]
    if tag in ("kind", "span:kind"):
        return [{"type": "keyword", "value": word} for word in KINDS]
    scope = Scope(engine, within)
    value = Fields(scope).single(_field(tag))
    where = condition_of(scope, _pipeline(query))
    table = engine.query(
        f"SELECT toString({value.text()}) AS text, toString({value.letter()}) AS letter, count() AS spans "
        f"FROM {source(scope)} WHERE ({where}) AND {value.there()} GROUP BY text, letter "
        f"ORDER BY spans DESC, text LIMIT {limit}",
        scope.parameters,
        scope.budget,
    )
    return [{"type": _TYPES.get(row["letter"], "string"), "value": row["text"]} for row in table.to_pylist()]


def _field(tag: str) -> Any:
    """A tag as the query would write it; a bare name is an attribute of any scope."""
    for text in (tag, f".{tag}"):
        try:
            [stage] = parse(f"select({text})").root.stages  # type: ignore[union-attr]
        except (TraceqlError, ValueError):
            continue
        if (
            isinstance(stage, tree.Select)
            and len(stage.fields) == 1
            and (text != tag or tag in UNSCOPED or tag[0] == "." or "." in tag or ":" in tag)
        ):
            return stage.fields[0]
    raise BadRequestError(f"tag: {tag[:60]!r} is not the name of a tag", "tag")


def _pipeline(query: str) -> tree.Pipeline:
    """The spans to look at. A query that is being typed and does not parse yet means all."""
    try:
        parsed = parse(query or "{ }")
        check(parsed)
    except TraceqlError:
        return tree.Pipeline((tree.Filter(tree.Static(tree.Type.BOOLEAN, True)),))
    root = parsed.root
    while not isinstance(root, tree.Pipeline):
        root = root.source if isinstance(root, tree.Measure | tree.Compare) else root.left  # type: ignore[assignment]
    return root
