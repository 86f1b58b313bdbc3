"""What a pipeline needs of each span: its conditions, numbers and labels, as columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pilothouse.signals.traces.compiling.fields import Fields
from pilothouse.signals.traces.traceql import tree

_NEGATED = frozenset({"!>", "!>>", "!<", "!<<", "!~"})
_DEEP = frozenset({">>", "<<", "!>>", "!<<", "&>>", "&<<"})


@dataclass(slots=True)
class Plan:
    """The columns of a pipeline: `conditions` (0 or 1), `numbers` and `labels` (text and letter), by their nodes."""

    conditions: dict[tree.Filter, str] = field(default_factory=dict)
    numbers: dict[Any, str] = field(default_factory=dict)
    labels: dict[Any, tuple[str, str]] = field(default_factory=dict)
    selected: list[tree.Attribute | tree.Intrinsic] = field(default_factory=list)
    nested: bool = False
    deep: bool = False
    exact: bool = True

    def columns(self) -> str:
        """The SQL of all columns, named c0, n0, t0 and k0 onwards."""
        parts = [f"{sql} AS c{place}" for place, sql in enumerate(self.conditions.values())]
        parts += [f"toFloat64({sql}) AS n{place}" for place, sql in enumerate(self.numbers.values())]
        for place, (text, letter) in enumerate(self.labels.values()):
            parts += [f"toString({text}) AS t{place}", f"toString({letter}) AS k{place}"]
        return "".join(f", {part}" for part in parts)


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
            made.conditions.setdefault(node, fields.condition(condition))
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
            made.numbers.setdefault(inner, fields.value(inner).number())
        case tree.Group(inner):
            _add_label(made, inner, fields)
        case tree.Select(inners):
            for inner in inners:
                made.selected.append(inner)
                if isinstance(inner, tree.Intrinsic) and inner.name.startswith("span:nestedSet"):
                    made.nested = made.deep = True
                else:
                    _add_label(made, inner, fields)


def _add_label(made: Plan, inner: Any, fields: Fields) -> None:
    value = fields.single(inner)
    made.labels.setdefault(inner, (value.text(), value.letter()))
