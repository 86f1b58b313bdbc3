"""What a span must have to fit a condition at all, told from few columns.

The engine reads one key of an attribute map fast when nothing else of the map is asked for. So a search asks this first
(PREWHERE), and the whole condition, with the kinds of values, only of the spans that are left: a sixth of the time.
What must equal a text or a whole number is looked for in the index `said` before that (docs/adr/0086).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.signals.traces.traceql import tree
from pilothouse.signals.traces.traceql.tree import NUMERIC, Type

if TYPE_CHECKING:
    from pilothouse.signals.traces.compiling.fields import Fields
    from pilothouse.signals.traces.compiling.scope import Scope

_ESCAPED = re.compile(r"[\\\x00-\x1f]")
# Whole numbers below this are written with all their digits, as integers and as floating-point numbers.
_EXACT = 10**15
_OWN_COLUMNS = frozenset({"span:name", "span:duration", "span:status", "span:kind", "span:statusMessage"})


@dataclass(frozen=True, slots=True)
class Told:
    """SQL over the columns of `spans` that holds for every span that fits, and what the index is asked beside it (both
    empty when nothing can be told).
    """

    sql: str = ""
    hint: str = ""

    def whole(self) -> str:
        """Both, as one condition."""
        return f"({self.sql}) AND {self.hint}" if self.hint else self.sql


NOTHING = Told()


def either(told: Iterable[Told]) -> Told:
    """What holds where one of these does. The index is asked only when each asks it, or it could leave nothing out: to
    read it for nothing costs as much as the rest of a search.
    """
    found = list(told)
    if NOTHING in found:
        return NOTHING
    hinted = all(one.hint for one in found)
    return Told(_joined("OR", (one.sql for one in found)), _joined("OR", (one.hint for one in found)) if hinted else "")


def necessary(node: tree.Field, fields: Fields, scope: Scope) -> Told:
    """What every span that fits a condition must have."""
    match node:
        case tree.Binary("&&", left, right):
            both = [necessary(left, fields, scope), necessary(right, fields, scope)]
            return Told(
                _joined("AND", (one.sql for one in both if one.sql)), _joined("AND", (o.hint for o in both if o.hint))
            )
        case tree.Binary("||", left, right):
            return either([necessary(left, fields, scope), necessary(right, fields, scope)])
        case tree.Binary(_, tree.Intrinsic(name, _, False), tree.Static()) if name in _OWN_COLUMNS:
            return Told(fields.condition(node))
        case tree.Binary(_, tree.Attribute("resource", _, False), tree.Static()):
            return Told(fields.condition(node))
        case tree.Binary(operator, tree.Attribute("span" | "" as where, name, False), tree.Static() as literal):
            if where == "" and scope.resource(name) is not None:
                return NOTHING
            key = scope.bound(name, "String")
            found = _of_value(_column_of(name, key, scope), operator, literal, scope)
            said = _text_of(literal) if operator == "=" and found else ""
            return Told(found, _said(key, scope.bound(said, "String")) if said else "")
    return NOTHING


def _joined(word: str, parts: Iterable[str]) -> str:
    found = list(parts)
    return f" {word} ".join(f"({one})" for one in found) if len(found) > 1 else "".join(found)


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
    """Empty when nothing can be told."""
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
    return ""
