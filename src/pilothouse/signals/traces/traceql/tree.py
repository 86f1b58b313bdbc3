"""A TraceQL query as a tree of frozen nodes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Type(Enum):
    """The type of a value; ATTRIBUTE means that each span's own value decides."""

    NIL = "nil"
    ATTRIBUTE = "attribute"
    INT = "int"
    FLOAT = "float"
    DURATION = "duration"
    STRING = "string"
    BOOLEAN = "boolean"
    STATUS = "status"
    KIND = "kind"


NUMERIC = frozenset({Type.INT, Type.FLOAT, Type.DURATION})


@dataclass(frozen=True, slots=True)
class Static:
    """A literal: durations in nanoseconds, statuses and kinds by their words."""

    type: Type
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Attribute:
    """`span.http.method`; `scope` is empty for `.http.method`, `parent` for `parent.http.method`."""

    scope: str
    name: str
    parent: bool = False


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """A field that every span has, by its scoped name (`span:duration`); `word` is how the query wrote it."""

    name: str
    word: str
    parent: bool = False


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`, `!x`, and `exists` or `missing` for a comparison with nil."""

    operator: str
    inner: Field


@dataclass(frozen=True, slots=True)
class Binary:
    """A comparison, an arithmetic or a boolean operation on fields."""

    operator: str
    left: Field
    right: Field


@dataclass(frozen=True, slots=True)
class Cidr:
    """`cidr(field, "10.0.0.0/8", ...)`: the field is an address within one of the networks."""

    inner: Field
    networks: tuple[str, ...]


Field = Static | Attribute | Intrinsic | Unary | Binary | Cidr


@dataclass(frozen=True, slots=True)
class Filter:
    """`{ condition }`."""

    condition: Field


@dataclass(frozen=True, slots=True)
class SpansetOperation:
    """`&&`, `||`, or a structural operator between two spansets."""

    operator: str
    left: Spansets
    right: Spansets


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`count()`, `avg(field)` and so on over the spans of a spanset."""

    function: str
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class ScalarOperation:
    """Arithmetic on scalars."""

    operator: str
    left: Scalar
    right: Scalar


@dataclass(frozen=True, slots=True)
class ScalarFilter:
    """Keeps the spansets for which a comparison of scalars holds."""

    operator: str
    left: Scalar
    right: Scalar


@dataclass(frozen=True, slots=True)
class Group:
    """`by(field)`: one spanset for each value."""

    field: Field


@dataclass(frozen=True, slots=True)
class Coalesce:
    """`coalesce()`: the spansets of a trace become one again."""


@dataclass(frozen=True, slots=True)
class Select:
    """`select(fields)`: what to answer beside the spans."""

    fields: tuple[Attribute | Intrinsic, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages one after the other; the last may be an aggregate when the pipeline is a scalar."""

    stages: tuple[Stage, ...]


Spansets = Filter | SpansetOperation | Pipeline
Scalar = Static | Aggregate | ScalarOperation | Pipeline
Stage = Filter | SpansetOperation | ScalarFilter | Group | Coalesce | Select | Aggregate | Pipeline


@dataclass(frozen=True, slots=True)
class Ranking:
    """`topk(n)` or `bottomk(n)`."""

    function: str
    count: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """Keeps the points for which the comparison with a number holds."""

    operator: str
    value: float


After = Ranking | Threshold


@dataclass(frozen=True, slots=True)
class Measure:
    """`rate() by (...)` and its kind: from spans to series, with what is done to the series afterwards."""

    source: Pipeline
    function: str
    field: Attribute | Intrinsic | None = None
    by: tuple[Attribute | Intrinsic, ...] = ()
    quantiles: tuple[float, ...] = ()
    after: tuple[After, ...] = ()


@dataclass(frozen=True, slots=True)
class Compare:
    """`compare({selection}, values, start, end)`: how the attributes of the selection differ from those of the rest."""

    source: Pipeline
    selection: Filter
    values: int = 10
    start: int = 0
    end: int = 0
    after: tuple[After, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesOperation:
    """Arithmetic between series, or between series and a number."""

    operator: str
    left: Series
    right: Series
    after: tuple[After, ...] = ()


Series = Measure | Compare | SeriesOperation | float


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query: a pipeline to search with, or series to compute; `hints` are the words of `with (...)`."""

    root: Pipeline | Measure | Compare | SeriesOperation
    hints: tuple[tuple[str, Static], ...] = ()
