"""A compiled field: its type, and SQL for it."""

from __future__ import annotations

from dataclasses import dataclass

from pilothouse.signals.traces.traceql.tree import NUMERIC, Type


@dataclass(frozen=True, slots=True)
class Value:
    """`sql` is the value, NULL where a span has none; of an attribute it is the text, and `kind` is its letter's SQL
    (see `signals/anyvalue.py`; empty where there is no such attribute).
    """

    type: Type
    sql: str
    kind: str = ""

    def number(self) -> str:
        """As a number, NULL where it is none."""
        if self.type is Type.ATTRIBUTE:
            return f"if({self.kind} IN ('i', 'd'), toFloat64OrNull({self.sql}), NULL)"
        return self.sql if self.type in NUMERIC else "NULL"

    def string(self) -> str:
        """As a string, NULL where it is none."""
        if self.type is Type.ATTRIBUTE:
            return f"if({self.kind} = 's', {self.sql}, NULL)"
        return self.sql if self.type is Type.STRING else "NULL"

    def boolean(self) -> str:
        """As a boolean, NULL where it is none."""
        if self.type is Type.ATTRIBUTE:
            return f"if({self.kind} = 'b', {self.sql} = 'true', NULL)"
        return self.sql if self.type is Type.BOOLEAN else "NULL"

    def there(self) -> str:
        """Whether a span has it."""
        if self.type is Type.ATTRIBUTE:
            return f"{self.kind} NOT IN ('', 'n')"
        return f"isNotNull({self.sql})"

    def text(self) -> str:
        """As text, for labels."""
        if self.type is Type.ATTRIBUTE:
            return self.sql
        if self.type is Type.STATUS:
            return f"transform(toUInt8({self.sql}), [0, 1, 2], ['unset', 'ok', 'error'], '')"
        if self.type is Type.KIND:
            words = "['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']"
            return f"transform(toUInt8({self.sql}), [0, 1, 2, 3, 4, 5], {words}, '')"
        return f"ifNull(toString({self.sql}), '')"

    def letter(self) -> str:
        """The kind's letter of `text`: `t` for a duration, `k` for a status or a kind."""
        fixed = {Type.STRING: "s", Type.BOOLEAN: "b", Type.INT: "i", Type.FLOAT: "d", Type.DURATION: "t"}
        return self.kind if self.type is Type.ATTRIBUTE else f"'{fixed.get(self.type, 'k')}'"
