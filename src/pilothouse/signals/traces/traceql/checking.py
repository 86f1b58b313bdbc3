"""Whether the types of a query fit together."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from pilothouse.signals.traces.traceql import tree
from pilothouse.signals.traces.traceql.errors import TypeMismatchError
from pilothouse.signals.traces.traceql.intrinsics import TYPES
from pilothouse.signals.traces.traceql.tree import NUMERIC, Type
from pilothouse.signals.traces.traceql.writing import written

_COMPARING = frozenset({"=", "!=", "<", "<=", ">", ">=", "=~", "!~"})
_BOOLEAN = _COMPARING | {"&&", "||"}
_ORDERING = frozenset({"=", "!=", "<", "<=", ">", ">="})
_NUMBER_OPERATORS = _ORDERING | {"+", "-", "*", "/", "%", "^"}
_ALLOWED: dict[Type, frozenset[str]] = {
    Type.BOOLEAN: frozenset({"&&", "||", "=", "!="}),
    Type.STRING: _ORDERING | {"=~", "!~"},
    Type.STATUS: frozenset({"=", "!="}),
    Type.KIND: frozenset({"=", "!="}),
    Type.NIL: frozenset({"=", "!="}),
    Type.ATTRIBUTE: _BOOLEAN | _NUMBER_OPERATORS,
} | dict.fromkeys(NUMERIC, _NUMBER_OPERATORS)


def check(query: tree.Query) -> None:
    """Raise `TypeMismatchError` when the query can never be answered."""
    _check_root(query.root)


def type_of(node: Any) -> Type:
    """The type of a field or scalar."""
    match node:
        case tree.Static():
            return node.type
        case tree.Attribute():
            return Type.ATTRIBUTE
        case tree.Intrinsic():
            # A parent may be missing.
            return Type.ATTRIBUTE if node.parent or node.name == "span:parent" else TYPES[node.name]
        case tree.Unary("-", inner):
            return type_of(inner)
        case tree.Unary() | tree.Cidr():
            return Type.BOOLEAN
        case tree.Aggregate("count"):
            return Type.INT
        case tree.Aggregate():
            return type_of(node.field)
        case tree.Pipeline():
            return type_of(node.stages[-1])
        case tree.Binary() | tree.ScalarOperation():
            if node.operator in _BOOLEAN:
                return Type.BOOLEAN
            left = type_of(node.left)
            return type_of(node.right) if left is Type.ATTRIBUTE else left
    raise AssertionError(node)


def _check_root(node: Any) -> None:
    match node:
        case tree.Pipeline(stages):
            for stage in stages:
                _check_stage(stage)
        case tree.Measure() | tree.Compare():
            _check_root(node.source)
            _check_series(node)
        case tree.SeriesOperation(_, left, right):
            for part in (left, right):
                if isinstance(part, tree.Compare):
                    raise TypeMismatchError("compare() cannot be combined with other series")
                _check_root(part)
    for after in getattr(node, "after", ()):
        _check_after(node, after)


def _check_after(node: Any, after: tree.After) -> None:
    if isinstance(node, tree.Compare):
        raise TypeMismatchError("nothing may follow compare()")
    if isinstance(after, tree.Ranking) and after.count < 1:
        raise TypeMismatchError(f"{after.function}() must have a limit greater than 0")


def _check_series(node: tree.Measure | tree.Compare) -> None:
    if isinstance(node, tree.Compare):
        _check_stage(node.selection)
        if node.values < 1:
            raise TypeMismatchError("compare() top number of values must be integer greater than 0")
        if (node.start or node.end) and node.end <= node.start:
            raise TypeMismatchError("compare() end timestamp must be greater than the start timestamp")
        return
    if node.field is not None and type_of(node.field) not in (*NUMERIC, Type.ATTRIBUTE):
        raise TypeMismatchError(f"{node.function}() needs a number: {written(node.field)}")
    if any(not 0 <= quantile <= 1 for quantile in node.quantiles):
        raise TypeMismatchError("quantile must be between 0 and 1")


def _check_stage(stage: Any) -> None:
    match stage:
        case tree.Filter(condition):
            _check_field(condition)
            if type_of(condition) not in (Type.ATTRIBUTE, Type.BOOLEAN):
                raise TypeMismatchError(
                    f"span filter field expressions must resolve to a boolean: {{ {written(condition)} }}"
                )
        case tree.SpansetOperation(_, left, right):
            _check_stage(left)
            _check_stage(right)
        case tree.Pipeline():
            _check_root(stage)
        case tree.ScalarFilter() | tree.Aggregate():
            _check_scalar(stage)
        case tree.Group(field):
            if not _references_span(field):
                raise TypeMismatchError(f"grouping field expressions must reference the span: by({written(field)})")
            _check_field(field)
        case tree.Select(fields):
            for field in fields:
                _check_field(field)


def _check_scalar(node: Any) -> None:
    match node:
        case tree.Aggregate(_, None):
            return
        case tree.Aggregate(_, field):
            _check_field(field)
            if type_of(field) not in (*NUMERIC, Type.ATTRIBUTE):
                raise TypeMismatchError(f"aggregate field expressions must resolve to a number type: {written(node)}")
            if not _references_span(field):
                raise TypeMismatchError(f"aggregate field expressions must reference the span: {written(node)}")
        case tree.Pipeline():
            _check_root(node)
        case tree.ScalarOperation() | tree.ScalarFilter():
            _check_scalar(node.left)
            _check_scalar(node.right)
            _check_operands(node)


def _check_field(node: Any) -> None:
    match node:
        case tree.Binary(operator, left, right):
            _check_field(left)
            _check_field(right)
            _check_operands(node)
            if operator in ("=~", "!~"):
                _check_expression(right)
        case tree.Unary(operator, inner):
            _check_field(inner)
            _check_unary(operator, inner)
        case tree.Cidr(inner, networks):
            _check_field(inner)
            if type_of(inner) not in (Type.STRING, Type.ATTRIBUTE):
                raise TypeMismatchError(f"cidr() requires a string attribute as its first argument: {written(node)}")
            for network in networks:
                _check_network(network)


def _check_unary(operator: str, inner: Any) -> None:
    type_ = type_of(inner)
    service = inner == tree.Attribute("resource", "service.name")
    if operator == "missing" and ((isinstance(inner, tree.Intrinsic) and not _of_parent(inner)) or service):
        raise TypeMismatchError(f"{written(inner)} is always there, so it cannot be nil")
    if type_ is Type.ATTRIBUTE:
        return
    if (operator == "-" and type_ not in NUMERIC) or (operator == "!" and type_ is not Type.BOOLEAN):
        raise TypeMismatchError(f"illegal operation for the given type: {operator}{written(inner)}")


def _of_parent(inner: tree.Intrinsic) -> bool:
    return inner.parent or inner.name == "span:parent"


def _check_operands(node: Any) -> None:
    left, right = type_of(node.left), type_of(node.right)
    both = {left, right}
    if len(both) > 1 and not both <= NUMERIC and not both & {Type.ATTRIBUTE, Type.NIL}:
        raise TypeMismatchError(f"binary operations must operate on the same type: {written(node)}")
    if any(node.operator not in _ALLOWED[type_] for type_ in both):
        raise TypeMismatchError(f"illegal operation for the given types: {written(node)}")


def _check_expression(node: Any) -> None:
    if not isinstance(node, tree.Static):
        raise TypeMismatchError(f"a regular expression must be a literal: {written(node)}")
    try:
        re.compile(str(node.value))
    except (re.error, OverflowError, RecursionError):
        # Python's expressions differ from RE2's in little; the engine has the last word.
        raise TypeMismatchError(f"invalid regex: {node.value}") from None


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=False)
        if "/" not in text:
            raise ValueError
    except ValueError:
        raise TypeMismatchError(f"cidr() has an invalid prefix {text!r}") from None


def _references_span(node: Any) -> bool:
    match node:
        case tree.Attribute() | tree.Intrinsic():
            return True
        case tree.Binary(_, left, right):
            return _references_span(left) or _references_span(right)
        case tree.Unary(_, inner) | tree.Cidr(inner, _):
            return _references_span(inner)
    return False
