"""Patterns: lines of the same shape, grouped and counted in the engine when somebody asks.

Numbers, ids, addresses, times and quoted texts are masked; what is left is the shape. Newer shapes are those that an
earlier range does not have, or the lines of other releases.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pilothouse.engine import Budget
from pilothouse.signals.logs.compiling import compiled_stages
from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.reading import within_sql
from pilothouse.signals.logs.streams import streams
from pilothouse.signals.selector import Matcher
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.engine.model import Parameter

MOST = 1000
_LONGEST = 1000
_HEX = "[0-9a-fA-F]"
# What Kubernetes makes names of pods with (apimachinery, rand.SafeEncodeString).
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
# From the most to the least telling; RE2 takes the first that fits. Without groups, with which it takes fifty times as
# long; so that an underscore ends a word all the same, it stands as another character meanwhile.
_MASK = (
    r'"(?:[^"\\]|\\.)*"'
    r"|'[^']*'"
    rf"|\b{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}\b"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"
    rf"|\b(?:[23]{_HEX}{{3}}|[fF][c-eC-E]{_HEX}{{2}})(?::{_HEX}{{0,4}}){{2,7}}"
    rf"|\b{_HEX}{{2}}(?::{_HEX}{{2}}){{5}}\b"
    rf"|-{_SAFE}{{6,10}}-{_SAFE}{{5}}\b"
    rf"|\b0[xX]{_HEX}+"
    # Letters between digits: an id in whatever letters.
    r"|[0-9A-Za-z]*\d[A-Za-z]+\d[0-9A-Za-z]*"
    # Behind a word a sign joins.
    r"|\B[+-]\d+(?:[.,:]\d+)*"
    r"|\d+(?:[.,:]\d+)+"
    rf"|\b{_HEX}*\d{_HEX}*\b"
    r"|\d+"
)
_UNDERSCORE = "\x01"


def masked_sql(text: str, parameters: dict[str, Parameter]) -> str:
    """The shape of a text as SQL; `parameters` gets what it needs."""
    parameters |= {"mask": _MASK, "joint": _UNDERSCORE}
    bare = f"replaceAll({text}, '_', {{joint:String}})"
    return f"replaceAll(replaceRegexpAll({bare}, {{mask:String}}, '<_>'), {{joint:String}}, '_')"


@dataclass(frozen=True, slots=True)
class Shape:
    """A pattern with an example, how many lines have it, and (Unix seconds, lines) over time."""

    pattern: str
    example: str
    total: int
    samples: tuple[tuple[int, int], ...]
    is_new: bool = False

    def described(self) -> dict[str, Any]:
        """As the API answers it."""
        return {
            "pattern": self.pattern, "example": self.example, "total": self.total, "new": self.is_new,
            "samples": [list(point) for point in self.samples],
        }  # fmt: skip


def shapes(
    engine: Engine, query: tree.LogQuery, within: TimeRange, step: int,
    known: tuple[tree.LogQuery, TimeRange] | None = None, budget: Budget | None = None,
) -> list[Shape]:  # fmt: skip
    """The most frequent shapes of the lines that the query's filters leave; those not in `known` are new."""
    rows = _grouped(engine, query, within, step, budget)
    before = {row["pattern"] for row in _grouped(engine, *known, step, budget)} if known else None
    return [
        Shape(
            row["pattern"], row["example"], row["total"],
            tuple(sorted(zip(row["places"], row["counts"], strict=True))),
            before is not None and row["pattern"] not in before,
        )
        for row in rows
    ]  # fmt: skip


def of_release(query: tree.LogQuery, version: str, others: bool = False) -> tree.LogQuery:
    """The query about the lines of one release alone, or of all others."""
    matcher = Matcher("service_version", "!=" if others else "=", version)
    return replace(query, matchers=(*query.matchers, matcher))


def _grouped(
    engine: Engine, query: tree.LogQuery, within: TimeRange, step: int, budget: Budget | None
) -> list[dict[str, Any]]:
    found = streams(engine, query.matchers, within)
    if not found:
        return []
    scope = compiled_stages(found, query.stages)
    parameters: dict[str, Parameter] = dict(scope.parameters) | {"step": max(step // 10**9, 1)}
    shape = masked_sql(f"left(body, {_LONGEST})", parameters)
    where = " AND ".join(within_sql(parameters, found, within) + scope.where())
    sql = (
        "SELECT pattern, any(line) AS example, sum(n) AS total, groupArray(place) AS places, groupArray(n) AS counts "
        f"FROM ({scope.with_clause()}SELECT {shape} AS pattern, "
        "intDiv(toUnixTimestamp(time), {step:UInt32}) * {step:UInt32} AS place, count() AS n, "
        "any(left(body, 2000)) AS line "
        f"FROM logs WHERE {where} GROUP BY pattern, place) GROUP BY pattern ORDER BY total DESC, pattern LIMIT {MOST}"
    )
    rows: list[dict[str, Any]] = engine.query(sql, parameters, budget or Budget(seconds=120, cached=True)).to_pylist()
    return rows
