"""What a span must have to fit a condition at all, told from few columns.

The engine reads one key of an attribute map fast when nothing else of the map is asked for. So a search asks this first
(PREWHERE), and the whole condition, with the kinds of values, only of the spans that are left: a sixth of the time.
What must equal a text or a whole number is looked for in the index `said` before that (docs/adr/0086).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilothouse.signals.traces.traceql import tree
from pilothouse.signals.traces.traceql.tree import NUMERIC, Type

if TYPE_CHECKING:
    from pilothouse.signals.traces.compiling.fields import Fields
    from pilothouse.signals.traces.compiling.scope import Scope

ANYTHING = "1"
_ESCAPED = re.compile(r"[\\\x00-\x1f]")
# Whole numbers below this are written with all their digits, as integers and as floating-point numbers.
_EXACT = 10**15
_OWN_COLUMNS = frozenset({"span:name", "span:duration", "span:status", "span:kind", "span:statusMessage"})


def necessary(node: tree.Field, fields: Fields, scope: Scope) -> str:
    """SQL over the columns of `spans` that holds for every span that fits; `ANYTHING` when nothing can be told."""
    match node:
        case tree.Binary("&&", left, right):
            both = [necessary(left, fields, scope), necessary(right, fields, scope)]
            return " AND ".join(f"({one})" for one in both if one != ANYTHING) or ANYTHING
        case tree.Binary("||", left, right):
            both = [necessary(left, fields, scope), necessary(right, fields, scope)]
            return ANYTHING if ANYTHING in both else " OR ".join(f"({one})" for one in both)
        case tree.Binary(_, tree.Intrinsic(name, _, False), tree.Static()) if name in _OWN_COLUMNS:
            return fields.condition(node)
        case tree.Binary(_, tree.Attribute("resource", _, False), tree.Static()):
            return fields.condition(node)
        case tree.Binary(operator, tree.Attribute("span" | "" as where, name, False), tree.Static() as literal):
            if where == "" and scope.resource(name) is not None:
                return ANYTHING
            key = scope.bound(name, "String")
            found = _of_value(_column_of(name, key, scope), operator, literal, scope)
            said = _text_of(literal) if operator == "=" and found != ANYTHING else ""
            return f"({found}) AND {_said(key, scope.bound(said, 'String'))}" if said else found
    return ANYTHING


def _column_of(name: str, key: str, scope: Scope) -> str:
    """One key's values as a column of its own: so it is read alone, even where the whole map is spoken of as well."""
    # ClickHouse does not undo the escapes of a parameter that is a name.
    plain = not _ESCAPED.search(name)
    return f"attributes.{scope.bound(f'key_{name}', 'Identifier')}" if plain else f"attributes[{key}]"


def _said(key: str, text: str) -> str:
    """What the index is asked, in the very words of its definition; rows are not asked this."""
    return (
        "indexHint(hasAny(arrayMap((k, v) -> cityHash64(k, if(startsWith(v, '['), '[', v)), mapKeys(attributes), "
        f"mapValues(attributes)), [cityHash64({key}, {text}), cityHash64({key}, '[')]))"
    )


def _text_of(literal: tree.Static) -> str:
    """The only text that an equal value is stored as; empty when there may be others (0 and -0, 0.1 and 1e-1)."""
    if literal.type is Type.STRING:
        return "[" if str(literal.value).startswith("[") else str(literal.value)
    whole = literal.type in (Type.INT, Type.DURATION) and 0 < abs(int(literal.value)) < _EXACT  # type: ignore[arg-type]
    return str(literal.value) if whole else ""


def _of_value(value: str, operator: str, literal: tree.Static, scope: Scope) -> str:
    # An array fits when one of its elements does: it is looked at later.
    array = f"startsWith({value}, '[')"
    if literal.type is Type.STRING and literal.value:
        text = scope.bound(literal.value, "String")
        if operator == "=":
            return f"{value} = {text} OR {array}"
        if operator == "=~":
            return f"match({value}, concat('^(?s:', {text}, ')$')) OR {array}"
    if literal.type in NUMERIC and operator in ("=", "<", "<=", ">", ">="):
        other = scope.bound(literal.value, "Float64" if literal.type is Type.FLOAT else "Int64")
        number = f"toInt64OrZero({value}) {operator} {other} OR toFloat64OrZero({value}) {operator} {other}"
        return f"{value} != '' AND ({number} OR {array})"
    return ANYTHING
