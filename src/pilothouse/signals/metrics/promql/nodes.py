"""The syntax tree: frozen nodes, each with its position in the query. Times are in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

from pilothouse.signals.metrics.promql.functions import Function
from pilothouse.signals.metrics.promql.matcher import Matcher
from pilothouse.signals.metrics.promql.positions import NOWHERE, Position

ValueType = Literal["scalar", "vector", "matrix", "string"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number, or a duration in seconds (`is_duration`)."""

    value: float
    position: Position = NOWHERE
    is_duration: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    value: str
    position: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Duration:
    """Arithmetic on durations; `operator` may also be `step`, `range`, `min` or `max`. One operand: unary."""

    operator: str
    operands: tuple[Duration | Number, ...]
    position: Position = NOWHERE
    wrapped: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """`offset` and `@` of a selector or subquery. `at` is a time or `start`/`end` of the query."""

    offset: int = 0
    offset_expression: Duration | None = None
    at: int | Literal["start", "end"] | None = None

    @property
    def has_offset(self) -> bool:
        return self.offset != 0 or self.offset_expression is not None


@dataclass(frozen=True, slots=True)
class VectorSelector:
    """Series by name and matchers, at an instant. `extension` is `anchored` or `smoothed`."""

    name: str
    matchers: tuple[Matcher, ...]
    position: Position = NOWHERE
    timing: Timing = Timing()
    extension: Literal["", "anchored", "smoothed"] = ""


@dataclass(frozen=True, slots=True)
class MatrixSelector:
    """Series over a range of time."""

    vector: VectorSelector
    range: int
    range_expression: Duration | None = None
    position: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Subquery:
    """An expression evaluated over a range, every `step` (0: the default interval)."""

    expression: Node
    range: int
    range_expression: Duration | None = None
    step: int = 0
    step_expression: Duration | None = None
    position: Position = NOWHERE
    timing: Timing = Timing()


@dataclass(frozen=True, slots=True)
class Call:
    """A function call."""

    function: Function
    arguments: tuple[Node, ...]
    position: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Aggregation:
    """`operator` by (or without) labels; `parameter` for those that take one."""

    operator: str
    expression: Node
    parameter: Node | None = None
    grouping: tuple[str, ...] = ()
    without: bool = False
    position: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Matching:
    """How two vectors are matched. `card` is from left to right; `fill` are values for what is missing."""

    card: Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"] = "one-to-one"
    labels: tuple[str, ...] = ()
    on: bool = False
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two expressions; `matching` only between vectors."""

    operator: str
    left: Node
    right: Node
    matching: Matching | None = None
    return_bool: bool = False

    @property
    def position(self) -> Position:
        return Position(self.left.position.start, self.right.position.end)


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign."""

    operator: str
    expression: Node
    position: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Paren:
    """An expression in parentheses."""

    expression: Node
    position: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Constant:
    """An expression that is the same at every step: evaluated once. The planner puts it in."""

    expression: Node

    @property
    def position(self) -> Position:
        return self.expression.position


Node = (
    Number | Text | Duration | VectorSelector | MatrixSelector | Subquery | Call | Aggregation | Binary | Unary
    | Paren | Constant
)  # fmt: skip


def value_type(node: Node) -> ValueType:
    """What an expression evaluates to."""
    match node:
        case Number() | Duration():
            return "scalar"
        case Text():
            return "string"
        case VectorSelector() | Aggregation():
            return "vector"
        case MatrixSelector() | Subquery():
            return "matrix"
        case Call():
            return node.function.returns
        case Binary():
            both = value_type(node.left), value_type(node.right)
            return "scalar" if both == ("scalar", "scalar") else "vector"
        case _:
            return value_type(node.expression)


def bare(node: Node) -> Node:
    """Without parentheses and planner's wrappers."""
    while isinstance(node, Paren | Constant):
        node = node.expression
    return node


def children(node: Node) -> Iterator[Node]:
    """The direct parts of an expression, left to right."""
    match node:
        case Call():
            yield from node.arguments
        case Aggregation():
            if node.parameter is not None:
                yield node.parameter
            yield node.expression
        case Binary():
            yield node.left
            yield node.right
        case MatrixSelector():
            yield node.vector
        case Subquery() | Unary() | Paren() | Constant():
            yield node.expression


def walk(node: Node) -> Iterator[Node]:
    """The expression and all its parts, outermost first."""
    yield node
    for child in children(node):
        yield from walk(child)


def field_names(node: Node) -> tuple[str, ...]:
    """The names of a node's own fields."""
    return tuple(item.name for item in fields(node))
