"""Fields and scalars as text, for messages and for the labels of series."""

from __future__ import annotations

import json
from typing import Any

from pilothouse.signals.traces.traceql import tree
from pilothouse.signals.traces.traceql.durations import written as duration
from pilothouse.signals.traces.traceql.tree import Type


def written(node: Any) -> str:
    """The text of a field or scalar; it reads as the same."""
    match node:
        case tree.Static():
            return _static(node)
        case tree.Attribute(scope, name, parent):
            quoted = json.dumps(name, ensure_ascii=False) if set(name) & set(' {}()=~!<>&|^,"\\') else name
            return f"{'parent.' if parent else ''}{scope}.{quoted}" if scope else f"{'parent' * parent}.{quoted}"
        case tree.Intrinsic(_, word, parent):
            return f"parent.{word}" if parent else word
        case tree.Unary("exists" | "missing", inner):
            return f"{written(inner)} {'!=' if node.operator == 'exists' else '='} nil"
        case tree.Unary(operator, inner):
            return f"{operator}{_inner(inner)}"
        case tree.Binary(operator, left, right) | tree.ScalarOperation(operator, left, right):
            return f"{_inner(left)} {operator} {_inner(right)}"
        case tree.ScalarFilter(operator, left, right):
            return f"{written(left)} {operator} {written(right)}"
        case tree.Cidr(inner, networks):
            return f"cidr({', '.join([written(inner), *(json.dumps(network) for network in networks)])})"
        case tree.Aggregate(function, inner):
            return f"{function}({written(inner) if inner is not None else ''})"
        case tree.Pipeline(stages):
            return f"({' | '.join(written(stage) for stage in stages)})"
        case tree.Filter(condition):
            return "{ " + written(condition) + " }"
    return type(node).__name__.lower()


def _inner(node: Any) -> str:
    text = written(node)
    return f"({text})" if isinstance(node, tree.Binary | tree.ScalarOperation) else text


def _static(node: tree.Static) -> str:
    match node.type:
        case Type.STRING:
            return json.dumps(node.value, ensure_ascii=False)
        case Type.DURATION:
            return duration(int(node.value or 0))
        case Type.BOOLEAN:
            return "true" if node.value else "false"
        case Type.NIL:
            return "nil"
    return str(node.value)
