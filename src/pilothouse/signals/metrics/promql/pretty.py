"""A query on several lines where one would be too long, as Prometheus' `format_query` lays it out."""

from __future__ import annotations

from pilothouse.signals.metrics.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Node,
    Paren,
    Subquery,
    Unary,
)
from pilothouse.signals.metrics.promql.printing import aggregation_head, operator, subquery_range, write

_WIDTH = 100


def pretty(node: Node, level: int = 0) -> str:
    """The expression, indented by two blanks a level."""
    indent = "  " * level
    line = write(node)
    if len(line) <= _WIDTH:
        return indent + line
    match node:
        case Aggregation():
            parts = [pretty(part, level + 1) for part in (node.parameter, node.expression) if part is not None]
            inner = ",\n".join(parts)
            return f"{indent}{aggregation_head(node)}(\n{inner}\n{indent})"
        case Binary():
            left, right = pretty(node.left, level + 1), pretty(node.right, level + 1)
            return f"{left}\n{indent}{operator(node)}\n{right}"
        case Call() if node.arguments:
            inner = ",\n".join(pretty(argument, level + 1) for argument in node.arguments)
            return f"{indent}{node.function.name}(\n{inner}\n{indent})"
        case Paren():
            return f"{indent}(\n{pretty(node.expression, level + 1)}\n{indent})"
        case Subquery():
            return f"{pretty(node.expression, level)}{subquery_range(node)}"
        case Unary():
            return f"{indent}{node.operator}{pretty(node.expression, level).lstrip()}"
    return indent + line
