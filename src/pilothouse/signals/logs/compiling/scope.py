"""What is known of a line in the middle of a pipeline, as SQL expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pilothouse.engine.model import Parameter

# The columns that show as structured metadata beside the attributes (as Loki's OTLP endpoint names them).
COLUMNS = {
    "severity_text": "nullIf(toString(severity_text), '')",
    "severity_number": "if(severity_text != '', toString(severity_number), NULL)",
    "detected_level": (
        "if(severity_number = 0, NULL, ['trace', 'debug', 'info', 'warn', 'error', 'fatal']"
        "[intDiv(least(severity_number, 24) - 1, 4) + 1])"
    ),
    "scope_name": "nullIf(toString(scope_name), '')",
    "trace_id": "if(trace_id = toFixedString('', 16), NULL, lower(hex(trace_id)))",
    "span_id": "if(span_id = toFixedString('', 8), NULL, lower(hex(span_id)))",
}


# A label that is not there; of a type, so that all functions take it.
NOTHING = "CAST(NULL, 'Nullable(String)')"


class NotInSQLError(Exception):
    """A stage or label that SQL cannot do exactly; never seen outside of this room."""


Extract = Callable[[str], str]


@dataclass
class Scope:
    """The state of a line between two stages.

    A label's expression is a Nullable(String): NULL when there is no such label. `bindings` are the WITH clause's
    aliases, `extracts` the parsers so far (each gives a key's expression), `set` what stages set or removed (None).
    `hard` conditions hold for every wanted line; `soft` ones may be wrong where one of `doubts` holds. `fractions` say
    for a label when its text may be written differently from the line.
    """

    streams: Mapping[int, Mapping[str, str]]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    bindings: list[tuple[str, str]] = field(default_factory=list)
    hard: list[str] = field(default_factory=list)
    soft: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    fractions: dict[str, list[str]] = field(default_factory=dict)
    extracts: list[Extract] = field(default_factory=list)
    set: dict[str, str | None] = field(default_factory=dict)
    kept: list[frozenset[str]] = field(default_factory=list)
    line: str = "body"
    error: str = ""
    exact: bool = True
    _known: dict[tuple[str, int], str] = field(default_factory=dict)

    def bind(self, value: Parameter, kind: str = "String") -> str:
        """A parameter for a value of the user's."""
        name = f"q{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"

    def alias(self, expression: str) -> str:
        """A name for an expression that is used more than once."""
        name = f"_x{len(self.bindings)}"
        self.bindings.append((name, expression))
        return name

    def label(self, name: str) -> str:
        """The label's value at this place."""
        if name in ("__error__", "__error_details__"):
            raise NotInSQLError(name)
        if name in self.set:
            return self.set[name] or NOTHING
        if any(name not in kept for kept in self.kept):
            return NOTHING
        key = (name, len(self.extracts))
        if key not in self._known:
            self._known[key] = self.alias(self._label(name))
        return self._known[key]

    def _label(self, name: str) -> str:
        """What the line came with wins over what was parsed; then that has a suffix."""
        found = [expression for expression in (self._stream(name), self._metadata(name)) if expression]
        found += [extract(name) for extract in self.extracts]
        if name.endswith("_extracted") and self.extracts:
            bare = name.removesuffix("_extracted")
            base = [expression for expression in (self._stream(bare), self._metadata(bare)) if expression]
            if base:
                there = f"coalesce({', '.join(base)}) IS NOT NULL"
                found += [f"if({there}, {extract(bare)}, NULL)" for extract in self.extracts]
        return f"coalesce({', '.join(found)}, NULL)" if found else NOTHING

    def _stream(self, name: str) -> str:
        """A stream's label is known for every identity before anything is read."""
        values = {identity: labels[name] for identity, labels in self.streams.items() if name in labels}
        if not values:
            return ""
        if len(set(values.values())) == 1 and len(values) == len(self.streams):
            return f"CAST({self.bind(next(iter(values.values())))}, 'Nullable(String)')"
        identities = self.bind(list(values), "Array(UInt64)")
        texts = self.bind(list(values.values()), "Array(String)")
        return f"nullIf(transform(identity, {identities}, {texts}, ''), '')"

    def _metadata(self, name: str) -> str:
        column = COLUMNS.get(name, "")
        if re.search(r"[_:]", name):
            key = f"arrayFirst(key -> match(key, {self.bind(_any_key(name))}), attributes.keys)"
        else:
            key = self.bind(name)
        value = f"if(mapContains(attributes, {key}), attributes[{key}], NULL)"
        return f"coalesce({value}, {column})" if column else value

    def add(self, condition: str) -> None:
        """Only lines that meet this go on."""
        (self.soft if self.extracts else self.hard).append(condition)

    def doubt_text(self, name: str) -> None:
        """The label's text itself matters here, not only the number that it says."""
        for known in (name, name.removesuffix("_extracted")):
            self.doubts += self.fractions.get(known, [])

    def errors(self, condition: str) -> None:
        """Lines that meet the condition have an error from here on, unless they had one."""
        self.error = f"({self.error} OR {condition})" if self.error else f"({condition})"

    def where(self) -> list[str]:
        """The conditions that every wanted line meets."""
        if not self.soft or "1" in self.doubts:
            return self.hard
        soft = " AND ".join(self.soft)
        return [*self.hard, f"({soft})" if not self.doubts else f"(({soft}) OR {self.doubt()})"]

    def doubt(self) -> str:
        """Whether SQL may be wrong about a line."""
        unique = dict.fromkeys(self.doubts)
        return f"({' OR '.join(unique)})" if unique else "0"

    def with_clause(self) -> str:
        """`WITH a AS x, ...`, or nothing."""
        if not self.bindings:
            return ""
        return "WITH " + ", ".join(f"{expression} AS {name}" for name, expression in self.bindings) + " "


def _any_key(name: str) -> str:
    """Which keys become this name: an underscore may have been any character that a name may not have."""
    return "^(?s:" + "".join("[^a-zA-Z0-9:]" if letter == "_" else re.escape(letter) for letter in name) + ")$"
