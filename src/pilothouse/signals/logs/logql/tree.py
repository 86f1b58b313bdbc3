"""The nouns of LogQL: what a query says, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass

from pilothouse.signals.selector import Matcher

# -- Stages of a pipeline


@dataclass(frozen=True, slots=True)
class Needle:
    """What a line filter looks for: text (or an expression), or with `ip` an address, a range or a CIDR."""

    text: str
    ip: bool = False


@dataclass(frozen=True, slots=True)
class LineFilter:
    """`|=`, `!=`, `|~`, `!~`, `|>`, `!>`; any needle of an `or` chain is enough (none of them, when negated)."""

    operator: str
    needles: tuple[Needle, ...]


@dataclass(frozen=True, slots=True)
class Json:
    """`| json`, or with expressions (label, path) only those."""

    expressions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Logfmt:
    """`| logfmt`, with its flags, or with expressions (label, key) only those."""

    strict: bool = False
    keep_empty: bool = False
    expressions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Regexp:
    """`| regexp`: named groups become labels."""

    expression: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """`| pattern`: captures become labels."""

    expression: str


@dataclass(frozen=True, slots=True)
class Unpack:
    """`| unpack`: the inverse of promtail's pack stage."""


@dataclass(frozen=True, slots=True)
class StringTest:
    """A label against a string or an expression; `operator` is `=`, `!=`, `=~`, `!~`."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class NumberTest:
    """A label against a number; `unit` is empty, `duration` (value in nanoseconds) or `bytes`."""

    label: str
    operator: str
    value: float
    unit: str = ""
    written: str = ""


@dataclass(frozen=True, slots=True)
class IpTest:
    """A label that holds an address against an address, a range or a CIDR; `=` or `!=`."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Both:
    """Both tests must hold."""

    left: Test
    right: Test


@dataclass(frozen=True, slots=True)
class Either:
    """One of the tests must hold."""

    left: Test
    right: Test


Test = StringTest | NumberTest | IpTest | Both | Either


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """`| status >= 500 and method = "GET"`."""

    test: Test


@dataclass(frozen=True, slots=True)
class LineFormat:
    """`| line_format`: the line anew, from a Go template."""

    template: str


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """`| label_format`: (label, other label or template, whether it is a template)."""

    items: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Decolorize:
    """`| decolorize`: without ANSI sequences."""


@dataclass(frozen=True, slots=True)
class Drop:
    """`| drop`: labels by name, or where they match."""

    names: tuple[str, ...] = ()
    matchers: tuple[StringTest, ...] = ()


@dataclass(frozen=True, slots=True)
class Keep:
    """`| keep`: only these labels."""

    names: tuple[str, ...] = ()
    matchers: tuple[StringTest, ...] = ()


Stage = (
    LineFilter | Json | Logfmt | Regexp | Pattern | Unpack | LabelFilter | LineFormat | LabelFormat | Decolorize
    | Drop | Keep
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unwrap:
    """`| unwrap label`: the sample's value; `conversion` is empty, `duration`, `duration_seconds` or `bytes`."""

    label: str
    conversion: str = ""
    filters: tuple[LabelFilter, ...] = ()


# -- Queries


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A stream selector with its pipeline."""

    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouping:
    """`by` or (with `without`) `without` these labels."""

    labels: tuple[str, ...]
    without: bool = False


@dataclass(frozen=True, slots=True)
class RangeAggregation:
    """`rate({...} [5m] offset 1h)` and its kin; `span` and `offset` in nanoseconds."""

    operator: str
    query: LogQuery
    span: int
    offset: int = 0
    unwrap: Unwrap | None = None
    grouping: Grouping | None = None
    parameter: float | None = None


@dataclass(frozen=True, slots=True)
class VectorAggregation:
    """`sum by (label) (...)`, `topk(5, ...)`, `sort(...)`."""

    operator: str
    inner: Query
    grouping: Grouping | None = None
    parameter: int | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """How the two sides of a binary operation find each other."""

    labels: tuple[str, ...] = ()
    on: bool = False
    group: str = ""
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    """An operation on two sides; with `returns_bool` a comparison gives 0 or 1."""

    operator: str
    left: Query
    right: Query
    returns_bool: bool = False
    matching: Matching | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True, slots=True)
class VectorOf:
    """`vector(1)`: one series without labels."""

    value: float


@dataclass(frozen=True, slots=True)
class LabelReplace:
    """`label_replace(v, target, replacement, source, expression)`, as in Prometheus."""

    inner: Query
    target: str
    replacement: str
    source: str
    expression: str


Metric = RangeAggregation | VectorAggregation | Binary | Number | VectorOf | LabelReplace
Query = LogQuery | Metric
