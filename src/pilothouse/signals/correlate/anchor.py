"""The point to start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pilothouse.signals.errors import NotFoundError
from pilothouse.signals.selecting import Resource, resources
from pilothouse.signals.selector import Selector
from pilothouse.signals.timerange import NANOSECONDS, TimeRange, to_rfc3339

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

Kind = Literal["span", "trace", "metric", "function", "time"]

# A span's neighbours speak a little before and after it: collection intervals, flushes at its end.
_SLACK = 5 * NANOSECONDS
_MOST_SPANS = 10_000


@dataclass(frozen=True, slots=True)
class Anchor:
    """Whom it is about and when; trace and span ids (hexadecimal) where the point has them.

    `selector` is what was asked with, in the selector's own syntax, to be handed on to the other calls.
    """

    kind: Kind
    within: TimeRange
    resources: tuple[Resource, ...]
    selector: str = ""
    trace_id: str = ""
    span_id: str = ""
    metric: str = ""
    function: str = ""

    @property
    def identities(self) -> list[int]:
        """To bind as `{identities:Array(UInt64)}`."""
        return [one.identity for one in self.resources]

    @property
    def parameters(self) -> dict[str, Any]:
        """What the questions of all signals bind."""
        return {
            "identities": self.identities, "start": self.within.start, "end": self.within.end,
            "trace_id": self.trace_id, "span_id": self.span_id, "metric": self.metric, "function": self.function,
        }  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """As `/api/correlate` answers it."""
        said = {"trace_id": self.trace_id, "span_id": self.span_id, "metric": self.metric, "function": self.function}
        return {
            "kind": self.kind,
            "start": to_rfc3339(self.within.start),
            "end": to_rfc3339(self.within.end),
        } | {name: value for name, value in said.items() if value}


def at_trace(engine: Engine, trace_id: str, span_id: str, selector: Selector, budget: Budget | None) -> Anchor:
    """The point of a trace, or of one span of it; raises `NotFoundError` when it is not stored."""
    rows = engine.query(
        "SELECT identity, toUnixTimestamp64Nano(time) AS began, duration, lower(hex(span_id)) AS span FROM spans "
        f"WHERE trace_id = unhex({{trace_id:String}}) LIMIT {_MOST_SPANS}",
        {"trace_id": trace_id},
        budget,
    ).to_pylist()
    chosen = [row for row in rows if not span_id or row["span"] == span_id]
    if not chosen:
        what = f"span {span_id} of trace {trace_id}" if span_id else f"trace {trace_id}"
        raise NotFoundError(f"no {what} is stored")
    within = TimeRange(
        max(min(row["began"] for row in chosen) - _SLACK, 0),
        max(row["began"] + row["duration"] for row in chosen) + _SLACK,
    )
    wanted = {row["identity"] for row in chosen}
    known = tuple(one for one in resources(engine, selector) if one.identity in _kin(engine, wanted))
    return Anchor("span" if span_id else "trace", within, known, "", trace_id, span_id)


def at_time(
    engine: Engine, within: TimeRange, selector: Selector, text: str, metric: str = "", function: str = "",
    budget: Budget | None = None,
) -> Anchor:  # fmt: skip
    """The point of a time range of some resources, of one metric or function of theirs if given.

    Raises `NotFoundError` for a metric or function that none of them ever had.
    """
    kind: Kind = "metric" if metric else "function" if function else "time"
    anchor = Anchor(kind, within, tuple(resources(engine, selector, within)), text, metric=metric, function=function)
    if anchor.resources and kind in _KNOWN and not engine.query(_KNOWN[kind], anchor.parameters, budget).num_rows:
        if metric:
            raise NotFoundError(f"no metric is called {metric[:200]!r} there", "metric")
        raise NotFoundError(f"no function is called {function[:200]!r} there", "function")
    return anchor


_KNOWN = {
    "metric": "SELECT 1 FROM series WHERE name = {metric:String} AND identity IN {identities:Array(UInt64)} LIMIT 1",
    "function": "SELECT 1 FROM profile_stacks WHERE has(functions, {function:String}) LIMIT 1",
}


def _kin(engine: Engine, identities: set[int]) -> set[int]:
    """These identities, and those of the same instance under which other signals speak (a profiler's own labels)."""
    every = resources(engine, Selector())
    names = {_instance(one) for one in every if one.identity in identities} - {None}
    return identities | {one.identity for one in every if _instance(one) in names}


def _instance(resource: Resource) -> tuple[str, str] | None:
    attributes = resource.attributes
    instance = attributes.get("service.instance.id") or attributes.get("k8s.pod.name")
    return (attributes.get("service.name", ""), instance) if instance else None
