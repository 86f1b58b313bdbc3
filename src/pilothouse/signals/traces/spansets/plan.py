"""What a pipeline needs of each span: its conditions, numbers and labels, as columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pilothouse.signals.traces.compiling.fields import Fields
from pilothouse.signals.traces.spansets.nesting import nested, parts, relaxed
from pilothouse.signals.traces.traceql import tree

_NEGATED = frozenset({"!>", "!>>", "!<", "!<<", "!~"})
_DEEP = frozenset({">>", "<<", "!>>", "!<<", "&>>", "&<<"})


@dataclass(slots=True)
class Plan:
    """The columns of a pipeline: `conditions` (0 or 1), `numbers` and `labels` (text and letter), by their nodes.

    Nodes that need nested sets are made of other columns (`spansets/nesting.py`): conditions then hold wherever they
    may, `parts` are the conditions within them, and other nodes are `numbers_made` and `labels_made`.
    """

    conditions: dict[tree.Filter, str] = field(default_factory=dict)
    parts: dict[Any, str] = field(default_factory=dict)
    numbers: dict[Any, str] = field(default_factory=dict)
    labels: dict[Any, tuple[str, str]] = field(default_factory=dict)
    selected: list[tree.Attribute | tree.Intrinsic] = field(default_factory=list)
    numbers_made: list[tree.Field] = field(default_factory=list)
    labels_made: list[tree.Field] = field(default_factory=list)
    deep: bool = False
    exact: bool = True

    def columns(self) -> dict[str, str]:
        """The SQL of all columns by their names: c0, b0, n0, t0 and k0 onwards."""
        found = {f"c{place}": sql for place, sql in enumerate(self.conditions.values())}
        found |= {f"b{place}": sql for place, sql in enumerate(self.parts.values())}
        found |= {f"n{place}": f"toFloat64({sql})" for place, sql in enumerate(self.numbers.values())}
        for place, (text, letter) in enumerate(self.labels.values()):
            found |= {f"t{place}": f"toString({text})", f"k{place}": f"toString({letter})"}
        return found


def plan(pipeline: tree.Pipeline, fields: Fields) -> Plan:
    """The plan of a pipeline. Raises `TraceqlError` for what cannot be compiled."""
    made = Plan()
    _add(made, pipeline, fields)
    return made


def needed(node: Any, made: Plan) -> str:
    """A condition over a trace's `c` columns, aggregated, without which the pipeline finds nothing in it."""
    match node:
        case tree.Filter():
            return f"max(c{list(made.conditions).index(node)}) = 1"
        case tree.Pipeline(stages):
            return " AND ".join(f"({needed(stage, made)})" for stage in stages)
        case tree.SpansetOperation("||", left, right):
            return f"({needed(left, made)}) OR ({needed(right, made)})"
        case tree.SpansetOperation(operator, left, right):
            return (
                needed(right, made) if operator in _NEGATED else f"({needed(left, made)}) AND ({needed(right, made)})"
            )
    return "1"


def _add(made: Plan, node: Any, fields: Fields) -> None:
    match node:
        case tree.Pipeline(stages):
            for stage in stages:
                _add(made, stage, fields)
        case tree.Filter(condition):
            made.conditions.setdefault(node, relaxed(condition, fields))
            if nested(condition):
                _add_parts(made, condition, fields)
        case tree.SpansetOperation(operator, left, right):
            made.exact = made.exact and operator in ("&&", "||")
            made.deep = made.deep or operator in _DEEP
            _add(made, left, fields)
            _add(made, right, fields)
        case tree.ScalarFilter(_, left, right):
            made.exact = False
            _add(made, left, fields)
            _add(made, right, fields)
        case tree.ScalarOperation(_, left, right):
            _add(made, left, fields)
            _add(made, right, fields)
        case tree.Aggregate(_, inner) if inner is not None:
            if nested(inner):
                _add_parts(made, inner, fields)
                made.numbers_made.append(inner)
            else:
                made.numbers.setdefault(inner, fields.value(inner).number())
        case tree.Group(inner):
            _add_label(made, inner, fields)
        case tree.Select(inners):
            for inner in inners:
                made.selected.append(inner)
                _add_label(made, inner, fields)


def _add_parts(made: Plan, node: Any, fields: Fields) -> None:
    """A trace is numbered whole, so that all of its spans are read."""
    made.deep, made.exact = True, False
    for what, inner in parts(node):
        if what == "condition":
            made.parts.setdefault(inner, fields.condition(inner))
        else:
            made.numbers.setdefault(inner, fields.value(inner).number())


def _add_label(made: Plan, inner: Any, fields: Fields) -> None:
    if nested(inner):
        exact = made.exact
        _add_parts(made, inner, fields)
        made.labels_made.append(inner)
        made.exact = exact
        return
    value = fields.single(inner)
    made.labels.setdefault(inner, (value.text(), value.letter()))
