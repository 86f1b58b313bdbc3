"""Two versions of a service by their traces: which operations slowed, and where in the tree they are.

A version's trees begin where a span of it has no parent of the same service and version. An operation is known by its
path: the names from there down to it. So the same database call counts apart under two handlers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.signals.selecting import identities
from pilothouse.signals.selector import equals
from pilothouse.signals.traces.compiling.sources import IN_RANGE
from pilothouse.signals.traces.critical import critical_times
from pilothouse.signals.traces.forests import Leaf, forests
from pilothouse.signals.traces.summaries import service_names

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.timerange import TimeRange

_MILLISECOND = 1e6
_DEEPEST = 64
_SURE = 0.01
Path = tuple[tuple[str, str], ...]
"""Service and name of each operation from the top down."""


@dataclass(frozen=True, slots=True)
class VersionsQuestion:
    """Two versions of a service; of each the newest `limit` traces, with an operation if one is given."""

    service: str
    baseline: str
    candidate: str
    within: TimeRange
    operation: str = ""
    limit: int = 300


@dataclass(slots=True)
class _Seen:
    durations: list[int] = field(default_factory=list)
    own: int = 0
    errors: int = 0


def compare(engine: Engine, question: VersionsQuestion, budget: Budget | None = None) -> dict[str, Any]:
    """Both sides and their operations, in the order of the tree, the one that grew most first on each level.

    `own_ms` is how long a tree waits for the operation itself on its critical path, on average; `change` is of the
    medians; `verdict` is `slower` or `faster` when a rank test is sure of it (p < 0.01), `new` and `gone` when a side
    has no such operation, else the empty string.
    """
    names = service_names(engine)
    sides = []
    for version in (question.baseline, question.candidate):
        known = identities(
            engine, equals(service_name=question.service, service_version=version), question.within, "traces"
        )
        forest = forests(engine, _newest(engine, question, known, budget), budget)
        sides.append(_side(forest, set(known), question.operation, names))
    (base, base_trees), (other, other_trees) = sides
    paths = sorted(base.keys() | other.keys())
    rows = {path: _row(path, base.get(path), other.get(path), (base_trees, other_trees)) for path in paths}
    return {
        "service": question.service,
        "baseline": {"version": question.baseline, "trees": base_trees},
        "candidate": {"version": question.candidate, "trees": other_trees},
        "operations": [rows[path] for path in _in_tree(rows)],
    }


def _newest(engine: Engine, question: VersionsQuestion, known: list[int], budget: Budget | None) -> list[str]:
    parameters: dict[str, Any] = {
        "known": known, "start": question.within.start, "end": question.within.end, "limit": question.limit,
        "operation": question.operation,
    }  # fmt: skip
    found = engine.query(
        f"SELECT lower(hex(trace_id)) AS trace FROM spans WHERE identity IN {{known:Array(UInt64)}} AND {IN_RANGE} "
        "AND ({operation:String} = '' OR name = {operation:String}) "
        "GROUP BY trace_id ORDER BY max(time) DESC LIMIT {limit:UInt32}",
        parameters,
        budget,
    )
    return [str(trace) for trace in found["trace"].to_pylist()]


def _side(
    forest: dict[str, list[Leaf]], known: set[int], operation: str, names: dict[int, str]
) -> tuple[dict[Path, _Seen], int]:
    """What was seen of each path, and in how many trees."""
    found: dict[Path, _Seen] = {}
    trees = 0
    for leaves in forest.values():
        for top in _tops(leaves, known, operation):
            trees += 1
            _see(found, leaves, top, names)
    return found, trees


def _tops(leaves: Sequence[Leaf], known: set[int], operation: str) -> Iterator[Leaf]:
    whose = {leaf.timed.span_id: leaf.identity for leaf in leaves}
    for leaf in leaves:
        if leaf.identity in known and (
            leaf.name == operation if operation else whose.get(leaf.timed.parent) not in known
        ):
            yield leaf


def _see(found: dict[Path, _Seen], leaves: Sequence[Leaf], top: Leaf, names: dict[int, str]) -> None:
    children: dict[str, list[Leaf]] = {}
    for leaf in leaves:
        children.setdefault(leaf.timed.parent, []).append(leaf)
    own = critical_times([leaf.timed for leaf in leaves], top.timed.span_id)
    stack: list[tuple[Leaf, Path]] = [(top, ())]
    met: set[str] = set()
    while stack:
        leaf, above = stack.pop()
        if leaf.timed.span_id in met or len(above) >= _DEEPEST:
            continue
        met.add(leaf.timed.span_id)
        path = (*above, (names.get(leaf.identity, ""), leaf.name))
        seen = found.setdefault(path, _Seen())
        seen.durations.append(leaf.timed.end - leaf.timed.start)
        seen.own += own.get(leaf.timed.span_id, 0)
        seen.errors += leaf.failed
        stack += [(child, path) for child in children.get(leaf.timed.span_id, ())]


def _row(path: Path, base: _Seen | None, other: _Seen | None, trees: tuple[int, int]) -> dict[str, Any]:
    before, after = (_measured(seen, count) for seen, count in zip((base, other), trees, strict=True))
    change = after["p50_ms"] / before["p50_ms"] - 1 if before and after and before["p50_ms"] else None
    service, name = path[-1]
    return {
        "service": service,
        "name": name,
        "depth": len(path) - 1,
        "path": [name for _, name in path],
        "baseline": before,
        "candidate": after,
        "change": change,
        "verdict": _verdict(base, other),
    }


def _measured(seen: _Seen | None, trees: int) -> dict[str, Any] | None:
    if seen is None:
        return None
    p50, p95 = np.quantile(np.asarray(seen.durations), (0.5, 0.95)) / _MILLISECOND
    return {
        "spans": len(seen.durations),
        "per_tree": len(seen.durations) / trees,
        "p50_ms": float(p50),
        "p95_ms": float(p95),
        "own_ms": seen.own / _MILLISECOND / trees,
        "errors": seen.errors,
    }


def _verdict(base: _Seen | None, other: _Seen | None) -> str:
    if base is None or other is None:
        return "new" if base is None else "gone"
    from scipy.stats import mannwhitneyu

    rising = float(np.median(other.durations)) - float(np.median(base.durations))
    if not rising or mannwhitneyu(base.durations, other.durations).pvalue >= _SURE:
        return ""
    return "slower" if rising > 0 else "faster"


def _in_tree(rows: dict[Path, dict[str, Any]]) -> Iterator[Path]:
    """Paths with those below them, the one whose own time grew most first."""
    children: dict[Path, list[Path]] = {}
    for path in rows:
        children.setdefault(path[:-1], []).append(path)
    stack = _by_growth(children.get((), []), rows)
    while stack:
        path = stack.pop()
        yield path
        stack += _by_growth(children.get(path, []), rows)


def _by_growth(paths: list[Path], rows: dict[Path, dict[str, Any]]) -> list[Path]:
    """The one that grew most last, as it is taken first."""

    def growth(path: Path) -> float:
        before, after = rows[path]["baseline"], rows[path]["candidate"]
        return float((after or {"p50_ms": 0.0})["p50_ms"] - (before or {"p50_ms": 0.0})["p50_ms"])

    return sorted(paths, key=lambda path: (growth(path), path))
