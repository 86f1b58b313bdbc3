"""Fields that speak of nested sets, which no row tells: arrays, made of columns of the engine where it knows more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilothouse.signals.traces.compiling.fields import Fields, is_nested_set, tells_roots
from pilothouse.signals.traces.spansets.family import Family, Mask, Places, nested_sets
from pilothouse.signals.traces.traceql import tree
from pilothouse.signals.traces.traceql.checking import type_of

Numbers = NDArray[np.float64]
Labels = tuple[NDArray[np.object_], NDArray[np.object_]]
OPERATORS: dict[str, Any] = {
    "=": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.fmod, "^": np.power,
}  # fmt: skip
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_PLACES = {"span:nestedSetLeft": 0, "span:nestedSetRight": 1, "span:nestedSetParent": 2}


def nested(node: Any) -> bool:
    """Whether a field needs nested sets, beyond telling roots from others."""
    match node:
        case tree.Binary(_, left, right):
            return not tells_roots(node) and (nested(left) or nested(right))
        case tree.Unary(_, inner) | tree.Cidr(inner, _):
            return nested(inner)
    return is_nested_set(node)


def relaxed(node: tree.Field, fields: Fields) -> str:
    """SQL that holds wherever a condition may hold, whatever the nested sets are."""
    match node:
        case tree.Binary("&&" | "||" as operator, left, right):
            word = "AND" if operator == "&&" else "OR"
            return f"({relaxed(left, fields)} {word} {relaxed(right, fields)})"
    return "1" if nested(node) else fields.condition(node)


def parts(node: tree.Field) -> Iterator[tuple[str, tree.Field]]:
    """What the engine has to tell of a field that needs nested sets: its `condition`s and its `number`s."""
    if not nested(node):
        yield ("condition" if type_of(node) is tree.Type.BOOLEAN else "number"), node
        return
    match node:
        case tree.Binary("&&" | "||", left, right):
            for inner in (left, right):
                yield from parts(inner) if nested(inner) else [("condition", inner)]
        case tree.Binary(_, left, right):
            for inner in (left, right):
                yield from parts(inner) if nested(inner) else [("number", inner)]
        case tree.Unary(_, inner):
            yield from parts(inner)


@dataclass(frozen=True)
class Nesting:
    """The spans' family and what the engine told of them, from which the fields that need nested sets are computed."""

    family: Family
    traces: Places
    conditions: dict[Any, Mask]
    told: dict[Any, Numbers]

    @cached_property
    def _sets(self) -> tuple[Places, Places, Places]:
        return nested_sets(self.family, self.traces)

    def holds(self, node: tree.Field) -> Mask:
        """Where a condition holds."""
        if node in self.conditions:
            return self.conditions[node]
        match node:
            case tree.Binary("&&", left, right):
                return self.holds(left) & self.holds(right)
            case tree.Binary("||", left, right):
                return self.holds(left) | self.holds(right)
            case tree.Binary(operator, left, right) if operator in _COMPARISONS:
                first, second = self.numbers(left), self.numbers(right)
                fits = OPERATORS[operator](first, second) & ~np.isnan(first) & ~np.isnan(second)
                return np.asarray(fits, dtype=bool)
            case tree.Unary("!", inner):
                return ~self.holds(inner)
            case tree.Unary("exists" | "missing" as operator, inner):
                return np.asarray(np.isnan(self.numbers(inner)) == (operator == "missing"), dtype=bool)
        return np.zeros(len(self.traces), dtype=bool)

    def numbers(self, node: tree.Field) -> Numbers:
        """A field's numbers, NaN where there is none."""
        if node in self.told:
            return self.told[node]
        match node:
            case tree.Intrinsic(name, _, parent):
                found = self._sets[_PLACES[name]].astype(np.float64)
                return np.where(self.family.parent >= 0, found[self.family.parent], np.nan) if parent else found
            case tree.Unary("-", inner):
                return -self.numbers(inner)
            case tree.Binary(operator, left, right) if operator in OPERATORS:
                with np.errstate(all="ignore"):
                    made = OPERATORS[operator](self.numbers(left), self.numbers(right)).astype(np.float64)
                return np.where(np.isinf(made), np.nan, made)
        return np.full(len(self.traces), np.nan)

    def labels(self, node: tree.Field) -> Labels:
        """A field's values as texts, each with the letter of its kind."""
        type_ = type_of(node)
        if type_ is tree.Type.BOOLEAN:
            return np.where(self.holds(node), "true", "false").astype(object), self._letters("b")
        found = self.numbers(node)
        if type_ is tree.Type.FLOAT:
            return found.astype(str).astype(object), np.where(np.isnan(found), "", "d").astype(object)
        whole = np.nan_to_num(found).astype(np.int64).astype(str)
        return np.where(np.isnan(found), "", whole).astype(object), np.where(np.isnan(found), "", "i").astype(object)

    def _letters(self, letter: str) -> NDArray[np.object_]:
        return np.full(len(self.traces), letter, dtype=object)
