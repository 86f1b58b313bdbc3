"""What is grammatical and still no query: types, arguments, vector matching."""

from __future__ import annotations

from typing import NoReturn

from pilothouse.signals.metrics.promql.errors import ParseError
from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Node,
    Subquery,
    Unary,
    VectorSelector,
    children,
    value_type,
)
from pilothouse.signals.metrics.promql.numbers import quote
from pilothouse.signals.metrics.promql.positions import Position
from pilothouse.signals.metrics.promql.tokens import COMPARISONS, SET_OPERATORS

_SAID = {"vector": "instant vector", "matrix": "range vector", "scalar": "scalar", "string": "string"}


def check(node: Node, text: str) -> None:
    """Raise `ParseError` for the first thing that cannot be, innermost first."""
    _Check(text).visit(node)


class _Check:
    def __init__(self, text: str) -> None:
        self._text = text

    def visit(self, node: Node) -> None:
        if isinstance(node, Call) and node.function.name == "info" and len(node.arguments) > 1:
            self._info(node)
            return
        for child in children(node):
            self.visit(child)
        match node:
            case Aggregation():
                self._aggregation(node)
            case Binary():
                self._binary(node)
            case Call():
                self._call(node)
            case Unary():
                if value_type(node.expression) not in ("scalar", "vector"):
                    said = quote(_SAID[value_type(node.expression)])
                    self._fail(
                        f"unary expression only allowed on expressions of type scalar or instant vector, got {said}",
                        node.position,
                    )
            case Subquery():
                if value_type(node.expression) != "vector":
                    self._fail(
                        f"subquery is only allowed on instant vector, got {value_type(node.expression)} instead",
                        node.position,
                    )
            case VectorSelector():
                self._selector(node)

    def _fail(self, message: str, position: Position) -> NoReturn:
        raise ParseError(message, position, self._text)

    def _expect(self, node: Node, wanted: str, context: str) -> None:
        if (found := value_type(node)) != wanted:
            self._fail(f"expected type {_SAID[wanted]} in {context}, got {_SAID[found]}", node.position)

    def _aggregation(self, node: Aggregation) -> None:
        self._expect(node.expression, "vector", "aggregation expression")
        if node.parameter is not None:
            wanted = "string" if node.operator == "count_values" else "scalar"
            self._expect(node.parameter, wanted, "aggregation parameter")

    def _call(self, node: Call) -> None:
        function, given = node.function, len(node.arguments)
        least = len(function.arguments) - (1 if function.variadic else 0)
        most = len(function.arguments) if not function.variadic else least + function.variadic
        name = quote(function.name)
        if not function.variadic and given != least:
            self._fail(f"expected {least} argument(s) in call to {name}, got {given}", node.position)
        if given < least:
            self._fail(f"expected at least {least} argument(s) in call to {name}, got {given}", node.position)
        if function.variadic > 0 and given > most:
            self._fail(f"expected at most {most} argument(s) in call to {name}, got {given}", node.position)
        for place, argument in enumerate(node.arguments):
            wanted = function.arguments[min(place, len(function.arguments) - 1)]
            self._expect(argument, wanted, f"call to function {name}")

    def _info(self, node: Call) -> None:
        self.visit(node.arguments[0])
        selector = node.arguments[1]
        if len(node.arguments) > 2:
            self._fail(f'expected at most 2 argument(s) in call to "info", got {len(node.arguments)}', node.position)
        self._expect(node.arguments[0], "vector", 'call to function "info"')
        if value_type(selector) != "vector":
            self._fail(
                f'expected type instant vector in call to function "info", got {_SAID[value_type(selector)]}',
                node.position,
            )
        if not isinstance(selector, VectorSelector) or selector.name:
            self._fail("expected label selectors only, got vector selector instead", selector.position)

    def _selector(self, node: VectorSelector) -> None:
        if node.name:
            for matcher in node.matchers[:-1]:
                if matcher.label == NAME:
                    self._fail(
                        f"metric name must not be set twice: {quote(node.name)} or {quote(matcher.value)}",
                        node.position,
                    )
        elif all(matcher.matches("") for matcher in node.matchers):
            self._fail("vector selector must contain at least one non-empty matcher", node.position)

    def _binary(self, node: Binary) -> None:
        left, right = value_type(node.left), value_type(node.right)
        operator, matching = node.operator, node.matching
        assert matching is not None
        if node.return_bool and operator not in COMPARISONS:
            self._fail("bool modifier can only be used on comparison operators", self._gap(node))
        if operator in COMPARISONS and not node.return_bool and left == right == "scalar":
            self._fail("comparisons between scalars must use BOOL modifier", self._gap(node))
        for label in matching.labels:
            if matching.on and label in matching.include:
                self._fail(f"label {quote(label)} must not occur in ON and GROUP clause at once", self._gap(node))
        for side, kind in ((node.left, left), (node.right, right)):
            if kind not in ("scalar", "vector"):
                self._fail("binary expression must contain only scalar and instant vector types", side.position)
        filled = matching.fill_left is not None or matching.fill_right is not None
        if "scalar" in (left, right):
            if matching.labels:
                self._fail("vector matching only allowed between instant vectors", node.position)
            if operator in SET_OPERATORS:
                self._fail(f"set operator {quote(operator)} not allowed in binary scalar expression", node.position)
            if filled:
                self._fail("filling in missing series only allowed between instant vectors", node.position)
        elif operator in SET_OPERATORS:
            if matching.card != "one-to-one":
                self._fail(f"no grouping allowed for {quote(operator)} operation", node.position)
            if filled:
                self._fail("filling in missing series not allowed for set operators", node.position)

    def _gap(self, node: Binary) -> Position:
        start, end = node.left.position.end, node.right.position.start - 1
        while self._text[start : start + 1].isspace():
            start += 1
        while end > start and self._text[end : end + 1].isspace():
            end -= 1
        return Position(start, end)
