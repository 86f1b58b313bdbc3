"""From tokens to the syntax tree, by precedence climbing.

Grammar and messages follow Prometheus: its `generated_parser.y` is the reference for what is accepted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NoReturn

from pilothouse.signals.metrics.promql.checking import check
from pilothouse.signals.metrics.promql.durations import parse_duration
from pilothouse.signals.metrics.promql.errors import ParseError
from pilothouse.signals.metrics.promql.functions import FUNCTIONS
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher, RegexError
from pilothouse.signals.metrics.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Duration,
    Matching,
    MatrixSelector,
    Node,
    Number,
    Paren,
    Subquery,
    Text,
    Timing,
    Unary,
    VectorSelector,
)
from pilothouse.signals.metrics.promql.numbers import parse_number, quote, unquote
from pilothouse.signals.metrics.promql.positions import Position
from pilothouse.signals.metrics.promql.tokens import WITH_PARAMETER, Token, tokenize

_PRECEDENCE = {
    "or": 1, "and": 2, "unless": 2, "==": 3, "!=": 3, "<": 3, ">": 3, "<=": 3, ">=": 3, "</": 3, ">/": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "atan2": 5, "^": 6,
}  # fmt: skip
_UNARY = 5
_MOST_DEPTH = 200
# Of two durations; without `_of` they were called so before Prometheus 3.11.
_EXTREMES = ("min_of", "max_of", "min", "max")
_MOST_SECONDS = 9_223_372_036.0
# Keywords that may not name a metric.
_RESERVED = frozenset(("bool", "on", "ignoring", "group_left", "group_right", "without", "by"))
_NAMES_TOO = frozenset(("by", "without"))


def parse(text: str) -> Node:
    """The checked syntax tree of a query; raises `ParseError` with the place where it is wrong."""
    parser = Parser(text)
    if parser.peek.kind == "eof":
        raise ParseError("no expression found in input", Position(0, 0), text)
    node = parser.expression()
    parser.finish()
    check(node, text)
    return node


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """The matchers of a series selector such as `up{job="x"}`; raises `ParseError`."""
    parser = Parser(text)
    selector = parser.selector()
    parser.finish()
    return selector.matchers


class Parser:
    """A cursor over the tokens of one query. Also used for series descriptions of test scripts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokenize(text)
        self._place = 0
        self._depth = 0
        self._last_end = 0

    # Tokens.

    @property
    def peek(self) -> Token:
        """The next token; raises when the text cannot be read there."""
        token = self._tokens[self._place]
        if token.kind == "error":
            raise ParseError(token.text, token.position, self.text)
        return token

    def _ahead(self, steps: int = 1) -> Token:
        return self._tokens[min(self._place + steps, len(self._tokens) - 1)]

    def take(self) -> Token:
        """The next token, consumed."""
        token = self.peek
        self._place += 1
        self._last_end = token.end
        return token

    def _accept(self, kind: str) -> Token | None:
        return self.take() if self.peek.kind == kind else None

    def finish(self) -> None:
        """Nothing may be left."""
        if self.peek.kind != "eof":
            self.unexpected()

    def unexpected(self, context: str = "", wanted: str = "") -> NoReturn:
        """Raise Prometheus' `unexpected ... in ..., expected ...` at the next token."""
        token = self.peek
        message = f"unexpected {token.described()}"
        if context:
            message += f" in {context}"
        if wanted:
            message += f", expected {wanted}"
        raise ParseError(message, token.position, self.text)

    def fail(self, message: str, position: Position) -> NoReturn:
        """Raise for something that reads well and means nothing."""
        raise ParseError(message, position, self.text)

    # Expressions.

    def expression(self, least: int = 1) -> Node:
        """An expression of operators that bind at least so strongly."""
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            self.fail("expression is nested too deeply", self.peek.position)
        left = self._unary()
        while True:
            token = self.peek
            strength = _PRECEDENCE.get(token.word, 0) if token.kind == "operator" else 0
            if not strength or strength < least:
                self._depth -= 1
                return left
            self.take()
            return_bool, matching = self._modifiers()
            right = self.expression(strength if token.text == "^" else strength + 1)
            left = Binary(token.word, left, right, matching, return_bool)

    def _unary(self) -> Node:
        token = self.peek
        if token.kind == "operator" and token.text in ("+", "-"):
            self.take()
            inner = self.expression(_UNARY + 1)
            position = Position(token.start, inner.position.end)
            if isinstance(inner, Number):
                return replace(inner, value=-inner.value if token.text == "-" else inner.value, position=position)
            return Unary(token.text, inner, position)
        return self._postfix(self._primary())

    def _postfix(self, node: Node) -> Node:
        while True:
            token = self.peek
            if token.kind == "[":
                node = self._range(node)
            elif token.kind == "keyword" and token.word == "offset":
                self.take()
                node = self._with_offset(node)
            elif token.kind == "keyword" and token.word in ("anchored", "smoothed"):
                self.take()
                node = self._with_extension(node, token.word)  # type: ignore[arg-type]
            elif token.kind == "operator" and token.text == "@":
                self.take()
                node = self._with_at(node)
            else:
                return node

    def _primary(self) -> Node:
        token = self.peek
        after = self._ahead().kind
        match token.kind:
            case "number":
                self.take()
                return Number(self._number(token), token.position)
            case "duration":
                self.take()
                return Number(self._seconds(token), token.position, is_duration=True)
            case "string":
                self.take()
                return Text(unquote(token.text), token.position)
            case "(":
                self.take()
                inner = self.expression()
                if self.peek.kind != ")":
                    self.unexpected()
                return Paren(inner, Position(token.start, self.take().end))
            case "{":
                return self.selector()
            case "aggregator" if after in ("(", "keyword", "aggregator") and after != "{":
                if after == "keyword" and self._ahead().word not in ("by", "without"):
                    return self.selector()
                if after != "aggregator":
                    return self._aggregation()
                return self.selector()
            case "identifier" if after == "(":
                return self._call()
            case "keyword" if token.word in ("start", "end", "step", "range") and after == "(":
                return self._call()
            case "identifier" | "metric" | "aggregator" | "keyword" | "operator":
                return self.selector()
        return self.unexpected()
        return None

    def _number(self, token: Token) -> float:
        try:
            return parse_number(token.text)
        except ValueError:
            self.fail(f"error parsing number: {quote(token.text)}", token.position)

    def _seconds(self, token: Token) -> float:
        try:
            return parse_duration(token.text) / 1000
        except ValueError as error:
            self.fail(str(error), token.position)

    def _call(self) -> Node:
        token = self.take()
        function = FUNCTIONS.get(token.text)
        if not function:
            self.fail(f"unknown function with name {quote(token.text)}", token.position)
        arguments, end = self._arguments()
        return Call(function, arguments, Position(token.start, end))

    def _arguments(self) -> tuple[tuple[Node, ...], int]:
        self.take()
        found: list[Node] = []
        if closing := self._accept(")"):
            return (), closing.end
        while True:
            found.append(self.expression())
            if comma := self._accept(","):
                if self.peek.kind == ")":
                    self.fail("trailing commas not allowed in function call args", comma.position)
                continue
            if self.peek.kind != ")":
                self.unexpected()
            return tuple(found), self.take().end

    def _aggregation(self) -> Node:
        token = self.take()
        grouping: tuple[str, ...] = ()
        without = False
        if self.peek.kind == "keyword":
            without = self.take().word == "without"
            grouping = self._labels()
            if self.peek.kind != "(":
                self.unexpected("aggregation")
            arguments, end = self._arguments()
        else:
            arguments, end = self._arguments()
            if self.peek.kind == "keyword" and self.peek.word in ("by", "without"):
                without = self.take().word == "without"
                grouping = self._labels()
                end = self._last_end
        return self._aggregated(token, arguments, grouping, without, Position(token.start, end))

    def _aggregated(
        self, token: Token, arguments: tuple[Node, ...], grouping: tuple[str, ...], without: bool, position: Position
    ) -> Node:
        if not arguments:
            self.fail("no arguments for aggregate expression provided", position)
        wanted = 2 if token.word in WITH_PARAMETER else 1
        if len(arguments) != wanted:
            self.fail(
                f"wrong number of arguments for aggregate expression provided, expected {wanted}, got {len(arguments)}",
                position,
            )
        parameter = arguments[0] if wanted == 2 else None
        return Aggregation(token.word, arguments[-1], parameter, grouping, without, position)

    def _labels(self) -> tuple[str, ...]:
        """`(a, "b", c)`."""
        if not self._accept("("):
            self.unexpected("grouping opts", '"("')
        found: list[str] = []
        while self.peek.kind != ")":
            found.append(self._label())
            if not self._accept(",") and self.peek.kind != ")":
                self.unexpected("grouping opts", '"," or ")"')
        self.take()
        return tuple(found)

    def _label(self) -> str:
        token = self.peek
        if token.kind == "string":
            return unquote(self.take().text)
        if token.kind == "metric":
            self.fail(f"invalid label name for grouping: {quote(token.text)}", token.position)
        word = token.kind in ("identifier", "keyword", "aggregator") or token.word in ("and", "or", "unless", "atan2")
        if not word:
            self.unexpected("grouping opts", "label")
        return self.take().text

    def _modifiers(self) -> tuple[bool, Matching]:
        """What stands between a binary operator and its right side."""
        return_bool = self._keyword("bool")
        matching = Matching()
        if (on := self._keyword("on")) or self._keyword("ignoring"):
            matching = replace(matching, on=on, labels=self._labels())
            for word, card in (("group_left", "many-to-one"), ("group_right", "one-to-many")):
                if self._keyword(word):
                    include = self._labels() if self.peek.kind == "(" else ()
                    matching = replace(matching, card=card, include=include)  # type: ignore[arg-type]
                    break
        return return_bool, self._fills(matching)

    def _fills(self, matching: Matching) -> Matching:
        while self.peek.kind == "keyword" and self.peek.word in ("fill", "fill_left", "fill_right"):
            if self._ahead().kind != "(":
                break
            word = self.take().word
            self.take()
            value = self._signed("fill modifier", "number")
            if self.peek.kind != ")":
                self.unexpected("fill modifier", '")"')
            self.take()
            if word in ("fill", "fill_left"):
                matching = replace(matching, fill_left=value)
            if word in ("fill", "fill_right"):
                matching = replace(matching, fill_right=value)
        return matching

    def _keyword(self, word: str) -> bool:
        if self.peek.kind == "keyword" and self.peek.word == word:
            self.take()
            return True
        return False

    def _signed(self, context: str, wanted: str) -> float:
        sign = 1.0
        if self.peek.kind == "operator" and self.peek.text in ("+", "-"):
            sign = -1.0 if self.take().text == "-" else 1.0
        token = self.peek
        if token.kind == "number":
            return sign * self._number(self.take())
        if token.kind == "duration":
            return sign * self._seconds(self.take())
        return self.unexpected(context, wanted)
        return None

    # Selectors.

    def selector(self) -> VectorSelector:
        """A metric name, matchers in braces, or both."""
        token = self.peek
        name, matchers = "", []
        if token.kind != "{":
            if token.kind == "keyword" and token.word in _RESERVED - _NAMES_TOO:
                self.unexpected()
            if token.kind == "operator" and token.word not in ("and", "or", "unless"):
                self.unexpected()
            if token.kind not in ("identifier", "metric", "aggregator", "keyword", "operator"):
                self.unexpected()
            name = self.take().text
        if self.peek.kind == "{":
            matchers = self._matchers()
        if name:
            matchers.append(Matcher(NAME, "=", name))
        return VectorSelector(name, tuple(matchers), Position(token.start, self._last_end))

    def _matchers(self) -> list[Matcher]:
        self.take()
        found: list[Matcher] = []
        while self.peek.kind != "}":
            found.append(self._matcher())
            if not self._accept(",") and self.peek.kind != "}":
                self.unexpected("label matching", '"," or "}"')
        self.take()
        return found

    def _matcher(self) -> Matcher:
        token = self.peek
        if token.kind not in ("identifier", "string"):
            self.unexpected("label matching", 'identifier or "}"')
        self.take()
        label = token.text if token.kind == "identifier" else unquote(token.text)
        if self.peek.kind not in ("=", "operator"):
            if token.kind == "string":
                return Matcher(NAME, "=", label)
            self.unexpected("label matching", "label matching operator")
        operator = self.take().text
        if self.peek.kind != "string":
            self.unexpected("label matching", "string")
        value = self.take()
        try:
            return Matcher(label, operator, unquote(value.text))
        except RegexError as error:
            self.fail(str(error), Position(token.start, value.end))

    def _range(self, node: Node) -> Node:
        opening = self.take()
        if self.peek.kind == "]":
            self.unexpected("subquery selector", "number or duration")
        length = self._duration()
        if self._accept("colon"):
            step = None if self.peek.kind == "]" else self._duration()
            if self.peek.kind != "]":
                self.unexpected("subquery selector", '"]"')
            end = self.take().end
            return self._subquery(node, length, step, end)
        if self.peek.kind != "]":
            self.unexpected("subquery or range", '":" or "]"')
        end = self.take().end
        if not isinstance(node, VectorSelector):
            self.fail("ranges only allowed for vector selectors", Position(opening.start, end))
        if node.timing.has_offset:
            self.fail("no offset modifiers allowed before range", Position(opening.start, end))
        if node.timing.at is not None:
            self.fail("no @ modifiers allowed before range", Position(opening.start, end))
        fixed, computed = self._positive(length)
        return MatrixSelector(node, fixed, computed, Position(node.position.start, end))

    def _subquery(self, node: Node, length: Node, step: Node | None, end: int) -> Node:
        fixed, computed = self._positive(length)
        every, computed_step = self._positive(step) if step is not None else (0, None)
        return Subquery(node, fixed, computed, every, computed_step, Position(node.position.start, end))

    def _positive(self, length: Node) -> tuple[int, Duration | None]:
        if isinstance(length, Duration):
            return 0, length
        assert isinstance(length, Number)
        if length.value <= 0:
            self.fail("duration must be greater than 0", length.position)
        return self._milliseconds(length), None

    def _milliseconds(self, number: Number) -> int:
        if not abs(number.value) <= _MOST_SECONDS:
            self.fail("duration out of range", number.position)
        return round(number.value * 1000)

    def _with_offset(self, node: Node) -> Node:
        length = self._offset()
        timing = self._timing(node, "offset modifier must be preceded by an instant vector selector or range vector "
                              "selector or a subquery")  # fmt: skip
        if timing.has_offset:
            self.fail("offset may not be set multiple times", node.position)
        if isinstance(length, Number):
            return self._timed(node, replace(timing, offset=self._milliseconds(length)))
        assert isinstance(length, Duration)
        return self._timed(node, replace(timing, offset_expression=length))

    def _with_at(self, node: Node) -> Node:
        at: int | Literal["start", "end"]
        token = self.peek
        value = 0.0
        if token.kind == "keyword" and token.word in ("start", "end"):
            self.take()
            for bracket in "()":
                if not self._accept(bracket):
                    self.unexpected("@", "timestamp")
            at = "start" if token.word == "start" else "end"
        else:
            value = self._signed("@", "timestamp")
            if not abs(value) < 9.2e15:
                self.fail(f"timestamp out of bounds for @ modifier: {value:f}", node.position)
            at = round(value * 1000)
        timing = self._timing(node, "@ modifier must be preceded by an instant vector selector or range vector "
                              "selector or a subquery")  # fmt: skip
        if timing.at is not None:
            self.fail("@ <timestamp> may not be set multiple times", node.position)
        return self._timed(node, replace(timing, at=at))

    def _with_extension(self, node: Node, word: Literal["anchored", "smoothed"]) -> Node:
        if isinstance(node, MatrixSelector):
            inner = self._with_extension(node.vector, word)
            assert isinstance(inner, VectorSelector)
            return replace(node, vector=inner, position=Position(node.position.start, self._last_end))
        if not isinstance(node, VectorSelector):
            if isinstance(node, Subquery):
                self.fail(f"{word} modifier is not supported for subqueries", node.position)
            self.fail(f"{word} modifier not implemented", node.position)
        if node.extension:
            self.fail("anchored and smoothed modifiers cannot be used together", node.position)
        return replace(node, extension=word, position=Position(node.position.start, self._last_end))

    def _timing(self, node: Node, message: str) -> Timing:
        match node:
            case VectorSelector() | Subquery():
                return node.timing
            case MatrixSelector():
                return node.vector.timing
        return self.fail(message, node.position)
        return None

    def _timed(self, node: Node, timing: Timing) -> Node:
        position = Position(node.position.start, self._last_end)
        if isinstance(node, MatrixSelector):
            return replace(node, vector=replace(node.vector, timing=timing), position=position)
        assert isinstance(node, VectorSelector | Subquery)
        return replace(node, timing=timing, position=position)

    # Durations.

    def _offset(self) -> Node:
        """A number or duration with a sign, or a duration expression in parentheses or of a function."""
        token = self.peek
        if token.kind == "operator" and token.text in ("+", "-"):
            self.take()
            return self._negated(token, self._duration_primary("offset", "number or duration"))
        return self._duration_primary("offset", "number or duration")

    def _duration(self, least: int = 4) -> Duration | Number:
        token = self.peek
        left: Duration | Number
        if token.kind == "operator" and token.text in ("+", "-"):
            self.take()
            left = self._negated(token, self._duration(_UNARY + 1))
        else:
            left = self._duration_primary("subquery selector", "number or duration")
        while True:
            token = self.peek
            strength = _PRECEDENCE.get(token.text, 0) if token.kind == "operator" else 0
            if token.text not in ("+", "-", "*", "/", "%", "^") or strength < least:
                return left
            self.take()
            right = self._duration(strength if token.text == "^" else strength + 1)
            if isinstance(right, Number) and right.value == 0 and token.text in "/%":
                self.fail("division by zero" if token.text == "/" else "modulo by zero", token.position)
            left = Duration(token.text, (left, right), Position(left.position.start, right.position.end))

    def _negated(self, sign: Token, inner: Duration | Number) -> Duration | Number:
        position = Position(sign.start, inner.position.end)
        if isinstance(inner, Number):
            return replace(inner, value=-inner.value if sign.text == "-" else inner.value, position=position)
        return Duration("-", (inner,), position) if sign.text == "-" else inner

    def _duration_primary(self, context: str, wanted: str) -> Duration | Number:
        token = self.peek
        if token.kind == "number":
            return self._bounded(Number(self._number(self.take()), token.position))
        if token.kind == "duration":
            return self._bounded(Number(self._seconds(self.take()), token.position, is_duration=True))
        if token.kind == "(":
            self.take()
            inner = self._duration()
            if self.peek.kind != ")":
                self.unexpected(context, wanted)
            self.take()
            return replace(inner, wrapped=True) if isinstance(inner, Duration) else inner
        if token.word in ("step", "range", *_EXTREMES) and self._ahead().kind == "(":
            return self._duration_function()
        return self.unexpected(context, wanted)
        return None

    def _bounded(self, number: Number) -> Number:
        if not abs(number.value) <= _MOST_SECONDS:
            self.fail("duration out of range", number.position)
        return number

    def _duration_function(self) -> Duration:
        token = self.take()
        self.take()
        operands: list[Duration | Number] = []
        if token.word in _EXTREMES:
            operands.append(self._duration())
            if not self._accept(","):
                self.unexpected("duration expression", '","')
            operands.append(self._duration())
        if self.peek.kind != ")":
            self.unexpected("duration expression", '")"')
        return Duration(token.word, tuple(operands), Position(token.start, self.take().end))
