"""What stands between braces: comparisons, arithmetic and boolean operations on fields."""

from __future__ import annotations

from pilothouse.signals.traces.traceql import tree
from pilothouse.signals.traces.traceql.cursor import Cursor
from pilothouse.signals.traces.traceql.intrinsics import KINDS, STATUSES, TYPES, UNSCOPED, UNSCOPED_ONLY
from pilothouse.signals.traces.traceql.tokens import Kind, Token
from pilothouse.signals.traces.traceql.tree import NUMERIC, Type

# How tightly operators bind; `!` stands between the sums and the products.
_BINDING = (
    dict.fromkeys(("&&", "||"), 1)
    | dict.fromkeys(("=", "!=", "<", "<=", ">", ">=", "=~", "!~"), 2)
    | dict.fromkeys(("+", "-"), 3)
    | dict.fromkeys(("*", "/", "%"), 5)
    | {"^": 6}
)
_SUM, _NOT = 3, 4
_CONSTANTS = {"minInt": -(2**63), "maxInt": 2**63 - 1}
_NIL = tree.Static(Type.NIL, None)
_NUMBERS = {Kind.INTEGER: Type.INT, Kind.FLOAT: Type.FLOAT, Kind.DURATION: Type.DURATION}


def field(cursor: Cursor, least: int = 0) -> tree.Field:
    """A field expression whose operators bind more tightly than `least`."""
    cursor.deeper()
    left = _operand(cursor)
    while (binding := _BINDING.get(cursor.token.text, 0) if cursor.token.kind is Kind.OPERATOR else 0) > least:
        operator = cursor.take()
        # `^` groups to the right, all others to the left.
        right = field(cursor, binding - 1 if operator.text == "^" else binding)
        left = _binary(cursor, operator, left, right)
    if left == _NIL and least == 0:
        raise cursor.unexpected(": nil may only be compared with = or !=")
    cursor.higher()
    return left


def attribute(cursor: Cursor) -> tree.Attribute | tree.Intrinsic:
    """One attribute or intrinsic."""
    token = cursor.token
    if token.kind is Kind.ATTRIBUTE:
        return _attribute(cursor.take())
    if token.kind is Kind.SCOPED:
        return _scoped(cursor)
    if token.kind is Kind.WORD and token.text in UNSCOPED:
        cursor.take()
        return tree.Intrinsic(UNSCOPED[token.text], token.text)
    raise cursor.unexpected(", expecting an attribute")


def attributes(cursor: Cursor) -> tuple[tree.Attribute | tree.Intrinsic, ...]:
    """A list of them in parentheses."""
    cursor.expect("(")
    found = [attribute(cursor)]
    while cursor.accept(","):
        found.append(attribute(cursor))
    cursor.expect(")")
    return tuple(found)


def static(cursor: Cursor) -> tree.Static | None:
    """A literal, if one is next; nil is none."""
    token = cursor.token
    if token.kind is Kind.STRING:
        cursor.take()
        return tree.Static(Type.STRING, token.value)
    if token.kind in _NUMBERS:
        cursor.take()
        return tree.Static(_NUMBERS[token.kind], token.value)
    return _word(cursor, token) if token.kind is Kind.WORD else None


def _word(cursor: Cursor, token: Token) -> tree.Static | None:
    found: tree.Static | None = None
    if token.text in ("true", "false"):
        found = tree.Static(Type.BOOLEAN, token.text == "true")
    elif token.text in STATUSES:
        found = tree.Static(Type.STATUS, token.text)
    elif token.text in KINDS:
        found = tree.Static(Type.KIND, token.text)
    elif token.text in _CONSTANTS:
        found = tree.Static(Type.INT, _CONSTANTS[token.text])
    if found:
        cursor.take()
    return found


def _operand(cursor: Cursor) -> tree.Field:
    if cursor.accept("("):
        inner = field(cursor)
        cursor.expect(")")
        return inner
    if cursor.accept("-"):
        inner = field(cursor, _SUM)
        if isinstance(inner, tree.Static) and inner.type in NUMERIC:
            return tree.Static(inner.type, -inner.value)  # type: ignore[operator]
        return tree.Unary("-", inner)
    if cursor.accept("!"):
        return tree.Unary("!", field(cursor, _NOT))
    if cursor.accept("nil"):
        return _NIL
    if cursor.at("cidr") and cursor.follows("("):
        return _cidr(cursor)
    if (found := static(cursor)) is not None:
        return found
    if cursor.token.kind is Kind.WORD and cursor.token.text not in UNSCOPED:
        raise cursor.fail(f"unknown identifier: {cursor.token.text}")
    return attribute(cursor)


def _binary(cursor: Cursor, operator: Token, left: tree.Field, right: tree.Field) -> tree.Field:
    if left != _NIL and right != _NIL:
        return tree.Binary(operator.text, left, right)
    if operator.text not in ("=", "!="):
        raise cursor.fail("syntax error: unexpected nil, which may only be compared with = or !=", operator)
    if left == right:
        return tree.Static(Type.BOOLEAN, False)
    return tree.Unary("missing" if operator.text == "=" else "exists", right if left == _NIL else left)


def _cidr(cursor: Cursor) -> tree.Cidr:
    cursor.take()
    cursor.expect("(")
    inner, networks = field(cursor), []
    while cursor.accept(","):
        if cursor.token.kind is not Kind.STRING:
            raise cursor.unexpected(", expecting STRING")
        networks.append(str(cursor.take().value))
    if not networks:
        raise cursor.unexpected(", expecting ,")
    cursor.expect(")")
    return tree.Cidr(inner, tuple(networks))


def _attribute(token: Token) -> tree.Attribute | tree.Intrinsic:
    name = str(token.value)
    if token.parent and not token.scope and name in UNSCOPED:
        return tree.Intrinsic(UNSCOPED[name], name, parent=True)
    return tree.Attribute(token.scope, name, token.parent)


def _scoped(cursor: Cursor) -> tree.Intrinsic:
    token = cursor.token
    if token.text not in TYPES or token.text in UNSCOPED_ONLY:
        raise cursor.fail(f"syntax error: {token.text} is not an intrinsic")
    cursor.take()
    return tree.Intrinsic(token.text, token.text)
