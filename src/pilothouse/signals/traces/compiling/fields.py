"""Fields and conditions in SQL. Attributes have the type that each span gives them, so most is decided by the row."""

from __future__ import annotations

import ipaddress
from typing import Any

from pilothouse.signals.traces.compiling.scope import Scope
from pilothouse.signals.traces.compiling.sources import CHILDREN, PARENT, TRACE
from pilothouse.signals.traces.compiling.value import Value
from pilothouse.signals.traces.traceql import tree
from pilothouse.signals.traces.traceql.errors import TraceqlError
from pilothouse.signals.traces.traceql.intrinsics import KINDS, STATUSES, TYPES
from pilothouse.signals.traces.traceql.tree import NUMERIC, Type
from pilothouse.signals.traces.traceql.writing import written

_COLUMNS = {
    "span:name": "{p}name",
    "span:duration": "{p}duration",
    "span:status": "{p}status_code",
    "span:kind": "{p}kind",
    "span:statusMessage": "{p}status_message",
    "span:id": "lower(hex(span_id))",
    "span:parentID": "if(parent_span_id = toFixedString('', 8), '', lower(hex(parent_span_id)))",
    "span:childCount": "child_count",
    "trace:id": "lower(hex(trace_id))",
    "trace:duration": "trace_duration",
    "trace:rootName": "root_name",
    "instrumentation:name": "scope_name",
    "instrumentation:version": "scope_version",
    # Within arrayExists: of the event or link that is looked at.
    "event:name": "e_name",
    "event:timeSinceStart": "(toUnixTimestamp64Nano(e_time) - toUnixTimestamp64Nano(time))",
    "link:traceID": "lower(hex(l_trace))",
    "link:spanID": "lower(hex(l_span))",
}
NEEDS = {
    "trace:duration": TRACE, "trace:rootName": TRACE, "trace:rootService": TRACE, "span:childCount": CHILDREN,
}  # fmt: skip
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">=", "=~", "!~"})
_EVENTS = (
    "arrayExists((e_name, e_time, e_attributes, e_kinds) -> {}, "
    "events.name, events.time, events.attributes, events.kinds)"
)
_LINKS = (
    "arrayExists((l_trace, l_span, l_attributes, l_kinds) -> {}, "
    "links.trace_id, links.span_id, links.attributes, links.kinds)"
)
_NO_NESTED_SET = "nested sets cannot be what series are made of or grouped by"


class Fields:
    """Compiles the fields of one query."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._of_resource = False

    def condition(self, node: tree.Field) -> str:
        """SQL of 0 or 1: whether a span fits."""
        match node:
            case tree.Binary("&&" | "||" as operator, left, right):
                word = "AND" if operator == "&&" else "OR"
                return f"({self.condition(left)} {word} {self.condition(right)})"
            case tree.Binary(operator) if operator in _COMPARISONS:
                return self._comparison(node)
            case tree.Unary("!", tree.Attribute() as inner):
                return f"ifNull(NOT {self.value(inner).boolean()}, 0)"
            case tree.Unary("!", inner):
                return f"NOT {self.condition(inner)}"
            case tree.Unary("exists" | "missing" as operator, inner):
                there = self._over_repeated(inner, lambda: self.value(inner).there())
                return there if operator == "exists" else f"NOT {there}"
            case tree.Cidr(inner, networks):
                return self._over_repeated(inner, lambda: self._within(self.value(inner), networks))
        return self._over_repeated(node, lambda: f"ifNull({self.value(node).boolean()}, 0)")

    def value(self, node: tree.Field) -> Value:
        """A field's value."""
        match node:
            case tree.Static():
                return self._static(node)
            case tree.Attribute():
                return self._attribute(node)
            case tree.Intrinsic():
                return self._intrinsic(node)
            case tree.Unary("-", inner):
                found = self.value(inner)
                return Value(found.type if found.type in NUMERIC else Type.FLOAT, f"(-{found.number()})")
            case tree.Binary(operator, left, right) if operator in "+-*/%^":
                return self._arithmetic(operator, self.value(left), self.value(right))
        return Value(Type.BOOLEAN, self.condition(node))

    def single(self, node: tree.Field) -> Value:
        """A field's value for grouping and selecting: of events and links the first."""
        match _repeated(node):
            case "event":
                element = "(e_name, e_time, e_attributes, e_kinds) -> "
                arrays = "events.name, events.time, events.attributes, events.kinds"
            case "link":
                element = "(l_trace, l_span, l_attributes, l_kinds) -> "
                arrays = "links.trace_id, links.span_id, links.attributes, links.kinds"
            case _:
                return self.value(node)
        found = self.value(node)
        text = f"arrayMap({element}{found.text()}, {arrays})[1]"
        kind = f"arrayMap({element}{found.letter()}, {arrays})[1]"
        return Value(Type.ATTRIBUTE, text, kind)

    def _comparison(self, node: tree.Binary) -> str:
        if not self._of_resource and (folded := self._folded(node)):
            return folded
        return self._over_repeated(node, lambda: self._compared(node))

    def _compared(self, node: tree.Binary) -> str:
        left, right, operator = node.left, node.right, node.operator
        if isinstance(left, tree.Static) and not isinstance(right, tree.Static) and operator not in ("=~", "!~"):
            left, right = right, left
            operator = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(operator, operator)
        if tells_roots(node):
            return f"if(parent_span_id = toFixedString('', 8), -1, 1) {operator} {int(right.value)}"  # type: ignore[union-attr,arg-type]
        value = self.value(left)
        if isinstance(right, tree.Static):
            return self._with_literal(value, operator, right)
        return _between(value, operator, self.value(right))

    def _with_literal(self, value: Value, operator: str, literal: tree.Static) -> str:
        other = self._static(literal)
        if value.type is not Type.ATTRIBUTE:
            return _between(value, operator, other)
        if literal.type is Type.STRING:
            matched = _matched(value.sql, operator, other.sql)
            # Arrays: one element must fit, or none with a negation.
            word, positive = (
                ("NOT arrayExists", operator.replace("!", "=", 1)) if operator[0] == "!" else ("arrayExists", operator)
            )
            positive = {"==": "=", "=~": "=~"}.get(positive, positive)
            elements = f"{word}(x -> {_matched('x', positive, other.sql)}, JSONExtract({value.sql}, 'Array(String)'))"
            return f"(({matched} AND {value.kind} = 's') OR ({value.kind} = 'j' AND {elements}))"
        if literal.type in NUMERIC:
            whole = f"toInt64OrZero({value.sql}) {operator} {other.sql}"
            broken = f"toFloat64OrZero({value.sql}) {operator} {other.sql}"
            elements = f"arrayExists(x -> x {operator} {other.sql}, JSONExtract({value.sql}, 'Array(Float64)'))"
            return (
                f"multiIf({value.kind} = 'i', {whole}, {value.kind} = 'd', {broken}, {value.kind} = 'j', {elements}, 0)"
            )
        if literal.type is Type.BOOLEAN:
            return f"({value.kind} = 'b' AND ({value.sql} = 'true') {operator} {other.sql})"
        return "0"

    def _folded(self, node: tree.Binary) -> str:
        """A comparison of a resource attribute with a literal as the set of identities for which it holds."""
        sides = (node.left, node.right)
        if not any(isinstance(side, tree.Static) for side in sides):
            return ""
        if not any(isinstance(side, tree.Attribute) and side.scope == "resource" and not side.parent for side in sides):
            return ""
        self._of_resource = True
        try:
            found = self._scope.identities(self._compared(node))
        finally:
            self._of_resource = False
        return f"identity IN {self._scope.bound(found, 'Array(UInt64)')}" if found else "0"

    def _over_repeated(self, node: tree.Field, condition: Any) -> str:
        """A condition on an event or a link holds when it holds for one of the span's."""
        match _repeated(node):
            case "event":
                return _EVENTS.format(condition())
            case "link":
                return _LINKS.format(condition())
        return str(condition())

    def _static(self, node: tree.Static) -> Value:
        match node.type:
            case Type.STRING:
                return Value(Type.STRING, self._scope.bound(node.value, "String"))
            case Type.FLOAT:
                return Value(Type.FLOAT, self._scope.bound(node.value, "Float64"))
            case Type.INT | Type.DURATION:
                return Value(node.type, self._scope.bound(node.value, "Int64"))
            case Type.STATUS:
                return Value(Type.STATUS, str(STATUSES.index(str(node.value))))
            case Type.KIND:
                return Value(Type.KIND, str(KINDS.index(str(node.value))))
        return Value(Type.BOOLEAN, "1" if node.value else "0")

    def _attribute(self, node: tree.Attribute) -> Value:
        key = self._scope.bound(node.name, "String")
        prefix, identity = "", "identity"
        if node.parent:
            self._scope.joined.add(PARENT)
            prefix, identity = "p_", "p_identity"
        if self._of_resource:
            return _of_map("attributes", "kinds", key)
        maps = {"event": "e_", "link": "l_", "instrumentation": "scope_"}
        if node.scope in maps:
            return _of_map(f"{maps[node.scope]}attributes", f"{maps[node.scope]}kinds", key)
        of_span = _of_map(f"{prefix}attributes", f"{prefix}kinds", key)
        if node.scope == "span":
            return of_span
        of_resource = self._scope.resource(node.name, identity)
        if node.scope == "resource":
            return of_resource or Value(Type.ATTRIBUTE, "''", "''")
        if of_resource is None:
            return of_span
        has = f"mapContains({prefix}attributes, {key})"
        return Value(
            Type.ATTRIBUTE,
            f"if({has}, {of_span.sql}, {of_resource.sql})",
            f"if({has}, {of_span.kind}, {of_resource.kind})",
        )

    def _intrinsic(self, node: tree.Intrinsic) -> Value:
        if node.name == "span:parent":
            return Value(Type.STRING, "if(parent_span_id = toFixedString('', 8), NULL, lower(hex(parent_span_id)))")
        if is_nested_set(node):
            raise TraceqlError(_NO_NESTED_SET)
        if need := NEEDS.get(node.name):
            self._scope.joined.add(need)
        if node.parent:
            return self._of_parent(node)
        if node.name == "trace:rootService":
            found = self._scope.resource("service.name", "root_identity")
            return Value(Type.STRING, found.sql if found else "''")
        return Value(TYPES[node.name], _COLUMNS[node.name].format(p=""))

    def _of_parent(self, node: tree.Intrinsic) -> Value:
        column = _COLUMNS.get(node.name, "")
        if not column.startswith("{p}"):
            raise TraceqlError(f"{written(node)} is not known of a parent")
        self._scope.joined.add(PARENT)
        return Value(TYPES[node.name], f"if(p_found = 1, {column.format(p='p_')}, NULL)")

    def _arithmetic(self, operator: str, left: Value, right: Value) -> Value:
        known = {left.type, right.type} - {Type.ATTRIBUTE}
        type_ = Type.DURATION if Type.DURATION in known else Type.FLOAT
        first, second = left.number(), right.number()
        match operator:
            case "^":
                return Value(type_, f"pow({first}, {second})")
            case "%":
                return Value(type_, f"if({second} = 0, NULL, toFloat64({first}) % {second})")
            case "/":
                return Value(type_, f"if({second} = 0, NULL, toFloat64({first}) / {second})")
        return Value(type_, f"(toFloat64({first}) {operator} {second})")

    def _within(self, value: Value, networks: tuple[str, ...]) -> str:
        parts = []
        for network in networks:
            normal = str(ipaddress.ip_network(network, strict=False))
            place = self._scope.bound(normal, "String")
            check = "isIPv6String" if ":" in normal else "isIPv4String"
            text = f"ifNull({value.string()}, '')"
            parts.append(f"if({check}({text}), isIPAddressInRange({text}, {place}), 0)")
        return f"({' OR '.join(parts)})"


def _of_map(attributes: str, kinds: str, key: str) -> Value:
    return Value(
        Type.ATTRIBUTE, f"{attributes}[{key}]", f"substring({kinds}, indexOf(mapKeys({attributes}), {key}), 1)"
    )


def _between(left: Value, operator: str, right: Value) -> str:
    known = {left.type, right.type} - {Type.ATTRIBUTE}
    if operator in ("=~", "!~"):
        return f"ifNull({_matched(left.string(), operator, right.sql)}, 0)"
    if known & NUMERIC:
        return f"ifNull({left.number()} {operator} {right.number()}, 0)"
    if Type.STRING in known:
        return f"ifNull({left.string()} {operator} {right.string()}, 0)"
    if Type.BOOLEAN in known:
        return f"ifNull({left.boolean()} {operator} {right.boolean()}, 0)"
    if known:
        same = left.type is right.type
        return f"ifNull({left.sql} {operator} {right.sql}, 0)" if same else "0"
    numbers = f"{left.number()} {operator} {right.number()}"
    strings = f"{left.string()} {operator} {right.string()}"
    booleans = f"{left.boolean()} {operator} {right.boolean()}"
    return f"coalesce({numbers}, {strings}, {booleans}, 0)"


def _matched(text: str, operator: str, other: str) -> str:
    # The whole value must match, as everywhere in TraceQL.
    match operator:
        case "=~":
            return f"match({text}, concat('^(?s:', {other}, ')$'))"
        case "!~":
            return f"NOT match({text}, concat('^(?s:', {other}, ')$'))"
    return f"{text} {operator} {other}"


def _repeated(node: Any) -> str:
    """Whether a field looks at events or at links."""
    match node:
        case tree.Attribute(scope):
            return scope if scope in ("event", "link") else ""
        case tree.Intrinsic(name):
            return name.partition(":")[0] if name.startswith(("event:", "link:")) else ""
        case tree.Unary(_, inner) | tree.Cidr(inner, _):
            return _repeated(inner)
        case tree.Binary(_, left, right):
            return _repeated(left) or _repeated(right)
    return ""


def is_nested_set(node: Any) -> bool:
    """Whether a field is a number of the nested sets."""
    return isinstance(node, tree.Intrinsic) and node.name.startswith("span:nestedSet")


def tells_roots(node: tree.Binary) -> bool:
    """`nestedSetParent` of a root is -1, and at least 1 otherwise: what that decides is told by the parent's id."""
    literal, other = (node.left, node.right) if isinstance(node.left, tree.Static) else (node.right, node.left)
    if not isinstance(other, tree.Intrinsic) or not isinstance(literal, tree.Static):
        return False
    return other.name == "span:nestedSetParent" and not other.parent and literal.value in (-1, 0)
