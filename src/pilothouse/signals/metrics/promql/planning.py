"""What is settled before evaluation: durations that are computed, `start()` and `end()`, and what is the same at
every step."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pilothouse.signals.metrics.promql.errors import ExecutionError
from pilothouse.signals.metrics.promql.instant_functions import DATES
from pilothouse.signals.metrics.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Constant,
    Duration,
    MatrixSelector,
    Node,
    Number,
    Paren,
    Subquery,
    Text,
    Timing,
    Unary,
    VectorSelector,
    bare,
)
from pilothouse.signals.metrics.promql.positions import Position
from pilothouse.signals.metrics.promql.ranging import ANCHORED, SMOOTHED

# Their results depend on the time of evaluation even when their arguments do not.
_TIMELY = frozenset((*DATES, "predict_linear", "time", "timestamp"))


@dataclass(frozen=True, slots=True)
class Grid:
    """The steps of a query: from `start` to `end` every `step`, all in milliseconds. An instant query has one step."""

    start: int
    end: int
    step: int

    @property
    def is_instant(self) -> bool:
        return self.start == self.end


def plan(node: Node, grid: Grid) -> Node:
    """The expression ready for evaluation on a grid. Raises `ExecutionError`."""
    planned, constant = _Planner(grid).visit(node)
    return Constant(planned) if constant else planned


class _Planner:
    def __init__(self, grid: Grid) -> None:
        self._grid = grid

    def visit(self, node: Node) -> tuple[Node, bool]:
        """The planned node, and whether it is the same at every step."""
        match node:
            case Number() | Text() | Duration() | Constant():
                return node, True
            case VectorSelector():
                timing = self._timing(node.timing)
                return replace(node, timing=timing), timing.at is not None
            case MatrixSelector():
                vector, constant = self.visit(node.vector)
                assert isinstance(vector, VectorSelector)
                return replace(node, vector=vector, range=self._positive(node.range, node.range_expression)), constant
            case Subquery():
                return self._subquery(node)
            case Paren() | Unary():
                inner, constant = self.visit(node.expression)
                return replace(node, expression=inner), constant
            case Aggregation():
                inner, constant = self.visit(node.expression)
                parameter, fixed = (None, True) if node.parameter is None else self.visit(node.parameter)
                if constant and not fixed:
                    inner = Constant(inner)
                return replace(node, expression=inner, parameter=parameter), constant and fixed
            case Binary():
                return self._binary(node)
            case Call():
                return self._call(node)

    def _binary(self, node: Binary) -> tuple[Node, bool]:
        (left, left_constant), (right, right_constant) = self.visit(node.left), self.visit(node.right)
        if left_constant and right_constant:
            return replace(node, left=left, right=right), True
        return replace(node, left=_held(left, left_constant), right=_held(right, right_constant)), False

    def _call(self, node: Call) -> tuple[Node, bool]:
        name = node.function.name
        _check_extension(node)
        visited = [self.visit(argument) for argument in node.arguments]
        constant = name not in _TIMELY and all(fixed for _, fixed in visited)
        if constant or name == "info":
            return replace(node, arguments=tuple(inner for inner, _ in visited)), constant
        return replace(node, arguments=tuple(_held(inner, fixed) for inner, fixed in visited)), False

    def _subquery(self, node: Subquery) -> tuple[Node, bool]:
        inner, constant = self.visit(node.expression)
        timing = self._timing(node.timing)
        step = node.step
        if node.step_expression is not None:
            step = self._positive(0, node.step_expression)
        planned = replace(
            node,
            expression=_held(inner, constant),
            timing=timing,
            range=self._positive(node.range, node.range_expression),
            step=step,
        )
        return planned, timing.at is not None

    def _timing(self, timing: Timing) -> Timing:
        offset = timing.offset
        if timing.offset_expression is not None:
            offset = self._milliseconds(timing.offset_expression)
        at = timing.at
        if at == "start":
            at = self._grid.start
        elif at == "end":
            at = self._grid.end
        return Timing(offset, None, at)

    def _positive(self, fixed: int, expression: Duration | None) -> int:
        if expression is None:
            return fixed
        value = self._milliseconds(expression)
        if value <= 0:
            raise _wrong(expression.position, "duration must be greater than 0")
        return value

    def _milliseconds(self, expression: Duration) -> int:
        seconds = self._seconds(expression)
        if not abs(seconds) < 9.2e9:
            raise _wrong(expression.position, "duration is out of range")
        return int(seconds * 1000)

    def _seconds(self, node: Duration | Number) -> float:
        if isinstance(node, Number):
            return node.value
        values = [self._seconds(operand) for operand in node.operands]
        match node.operator:
            case "step":
                return 0.0 if self._grid.is_instant else self._grid.step / 1000
            case "range":
                return (self._grid.end - self._grid.start) / 1000
            case "min_of" | "min":
                return min(values)
            case "max_of" | "max":
                return max(values)
            case "-" if len(values) == 1:
                return -values[0]
        left, right = values
        if node.operator in "/%" and right == 0:
            raise _wrong(node.position, "division by zero" if node.operator == "/" else "modulo by zero")
        try:
            return {
                "+": lambda: left + right,
                "-": lambda: left - right,
                "*": lambda: left * right,
                "/": lambda: left / right,
                "%": lambda: math.fmod(left, right),
                "^": lambda: math.pow(left, right),
            }[node.operator]()
        except (OverflowError, ValueError):
            raise _wrong(node.position, "duration is out of range") from None


def _held(node: Node, constant: bool) -> Node:
    return Constant(node) if constant and not isinstance(node, Number | Text | Constant) else node


def _check_extension(node: Call) -> None:
    for argument in node.arguments:
        inner = bare(argument)
        if not isinstance(inner, MatrixSelector) or not inner.vector.extension:
            continue
        allowed = ANCHORED if inner.vector.extension == "anchored" else SMOOTHED
        if node.function.name not in allowed:
            raise ExecutionError(
                f"{inner.vector.extension} modifier can only be used with: {', '.join(allowed)} - "
                f"not with {node.function.name}"
            )


def _wrong(position: Position, message: str) -> ExecutionError:
    return ExecutionError(f"{position.start}:{position.end}: {message}")
