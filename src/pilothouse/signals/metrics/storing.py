"""From segments of OTLP metric requests to `series`, `samples`, `distributions` and `exemplars`.

A series is the identity, the scope, the metric (name, type, unit, temporality, monotonic) and the point's attributes.
Its number is computed here, in the engine, the same way for each of the tables; the attributes' hashes are added up, so
that their order does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable

from pilothouse.engine import SegmentStatement
from pilothouse.signals.announcing import announced_sql
from pilothouse.signals.anyvalue import ATTRIBUTES, IDENTITY, SCHEMA, kinds_sql, map_sql
from pilothouse.signals.metrics.decimals import STALE_BITS, divisor_sql, number_sql
from pilothouse.signals.metrics.numbering import series_sql
from pilothouse.signals.metrics.point_attributes import pairs_sql
from pilothouse.signals.segment_rows import selected

_PROTO = f"""syntax = "proto3";
{SCHEMA}
message Exemplar {{
  repeated KeyValue filtered_attributes = 7; fixed64 time_unix_nano = 2;
  oneof value {{ double as_double = 3; sfixed64 as_int = 6; }} bytes span_id = 4; bytes trace_id = 5;
}}
message Number {{
  repeated bytes attributes = 7; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3;
  oneof value {{ double as_double = 4; sfixed64 as_int = 6; }} repeated Exemplar exemplars = 5; uint32 flags = 8;
}}
message Histogram {{
  repeated bytes attributes = 9; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4;
  optional double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7;
  repeated Exemplar exemplars = 8; uint32 flags = 10; optional double min = 11; optional double max = 12;
}}
message Buckets {{ sint32 offset = 1; repeated uint64 bucket_counts = 2; }}
message Exponential {{
  repeated bytes attributes = 1; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4;
  optional double sum = 5; sint32 scale = 6; fixed64 zero_count = 7; Buckets positive = 8; Buckets negative = 9;
  uint32 flags = 10; repeated Exemplar exemplars = 11; optional double min = 12; optional double max = 13;
  double zero_threshold = 14;
}}
message Quantile {{ double quantile = 1; double value = 2; }}
message Summary {{
  repeated bytes attributes = 7; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4;
  double sum = 5; repeated Quantile quantile_values = 6; uint32 flags = 8;
}}
message Gauge {{ repeated Number data_points = 1; }}
message Sum {{ repeated Number data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }}
message Histograms {{ repeated Histogram data_points = 1; int32 aggregation_temporality = 2; }}
message Exponentials {{ repeated Exponential data_points = 1; int32 aggregation_temporality = 2; }}
message Summaries {{ repeated Summary data_points = 1; }}
message Metric {{
  string name = 1; string description = 2; string unit = 3; Gauge gauge = 5; Sum sum = 7; Histograms histogram = 9;
  Exponentials exponential_histogram = 10; Summaries summary = 11;
}}
message ScopeMetrics {{ Scope scope = 1; repeated Metric metrics = 2; }}
message ResourceMetrics {{ Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }}
message Metrics {{ repeated ResourceMetrics resource_metrics = 1; }}
"""

# A point's attributes are read as they stand, a message of bytes each: hashing them takes half as long so, and what
# they say is wanted only when a series is new.
_LABELS = "attributes Array(String)"
_EXEMPLAR = (
    f"Tuple(filtered_attributes {ATTRIBUTES}, time_unix_nano UInt64, as_double Nullable(Float64), "
    "as_int Nullable(Int64), span_id String, trace_id String)"
)
_BUCKETS = "Tuple(offset Int32, bucket_counts Array(UInt64))"
_TIMES = "start_time_unix_nano UInt64, time_unix_nano UInt64"
_COUNTED = "count UInt64, sum Nullable(Float64), min Nullable(Float64), max Nullable(Float64), flags UInt32"

# What each kind of metric holds beside its points' attributes and exemplars: member, points, metric's own fields.
_NUMBERS = {
    "gauge": (f"{_TIMES}, as_double Nullable(Float64), as_int Nullable(Int64), flags UInt32", ""),
    "sum": (
        f"{_TIMES}, as_double Nullable(Float64), as_int Nullable(Int64), flags UInt32",
        ", aggregation_temporality Int32, is_monotonic Bool",
    ),
}
_DISTRIBUTIONS = {
    "histogram": (
        f"{_TIMES}, {_COUNTED}, bucket_counts Array(UInt64), explicit_bounds Array(Float64)",
        ", aggregation_temporality Int32",
    ),
    "exponential_histogram": (
        f"{_TIMES}, {_COUNTED}, scale Int32, zero_count UInt64, zero_threshold Float64, "
        f"positive {_BUCKETS}, negative {_BUCKETS}",
        ", aggregation_temporality Int32",
    ),
    "summary": (
        f"{_TIMES}, count UInt64, sum Float64, flags UInt32, "
        "quantile_values Array(Tuple(quantile Float64, value Float64))",
        "",
    ),
}
_TEMPORAL = {"sum", "histogram", "exponential_histogram"}


def _structure(kinds: dict[str, tuple[str, str]], point: str, resource: str = IDENTITY) -> str:
    """`point` is put before each kind's own fields of a data point."""
    members = ", ".join(
        f"{kind} Tuple(data_points Array(Tuple({point}{', ' if point and fields else ''}{fields})){own})"
        for kind, (fields, own) in kinds.items()
    )
    return (
        f"resource_metrics Array(Tuple(resource {resource}, scope_metrics Array(Tuple("
        f"scope Tuple(name String, version String), "
        f"metrics Array(Tuple(name String, description String, unit String, {members}))))))"
    )


def _base(name: str, unit: str) -> str:
    """What a metric's series have in common."""
    return f"cityHash64(identity, scope_name, scope_version, {name}, type, {unit}, temporality, is_monotonic)"


def _points(kinds: Iterable[str], columns: str) -> str:
    """A SELECT of the points (`p`) of these kinds, with their metric's columns, identity and series' base.

    A metric has data of one kind only, so that its points are what the kinds' lists make together.
    """
    names = tuple(kinds)
    lists = ", ".join(f"m.{kind}.data_points" for kind in names)
    points = f"arrayConcat({lists})" if len(names) > 1 else lists
    choices = ", ".join(f"notEmpty(m.{kind}.data_points), '{kind}'" for kind in names[:-1])
    type_ = f"multiIf({choices}, '{names[-1]}')" if choices else f"'{names[-1]}'"
    temporal = " + ".join(f"m.{kind}.aggregation_temporality" for kind in names if kind in _TEMPORAL) or "0"
    monotonic = "m.sum.is_monotonic" if "sum" in names else "false"
    return f"""SELECT {columns}
FROM (
    SELECT identity, scope_name, scope_version, m.name AS name, m.unit AS unit, m.description AS description,
           {type_} AS type, toUInt8({temporal}) AS temporality, CAST({monotonic}, 'Bool') AS is_monotonic,
           {points} AS points, {_base("m.name", "m.unit")} AS base
    FROM (
        SELECT identity, sm.metrics AS metrics, sm.scope.name AS scope_name, sm.scope.version AS scope_version
        FROM (
            SELECT rm.resource.identity AS identity, rm.scope_metrics AS scopes
            FROM {{segment}} ARRAY JOIN resource_metrics AS rm
        ) ARRAY JOIN scopes AS sm
    ) ARRAY JOIN metrics AS m
) ARRAY JOIN points AS p"""


def _series_id(attributes: str) -> str:
    return series_sql("name", f"xxh3(base, arraySum(arrayMap(a -> xxh3(a), {attributes})))")


_SERIES_ID = _series_id("p.attributes")
# Rows that come as columns are a series of the segment each, with all its numbers (native/metric_series.h).
_SERIES_OF_ROW = f"WITH {_base('name', 'unit')} AS base SELECT {_series_id('labels')} AS series"
_TIME = "fromUnixTimestamp64Milli(toInt64(intDiv(p.time_unix_nano, 1000000)), 'UTC')"
_START = "fromUnixTimestamp64Milli(toInt64(intDiv(p.start_time_unix_nano, 1000000)), 'UTC')"
# Flag 1 is "no recorded value"; Prometheus' stale marker is the NaN that says the same.
_STALE = f"reinterpretAsFloat64(toUInt64({STALE_BITS}))"
_VALUE = f"if(bitTest(p.flags, 0), {_STALE}, coalesce(p.as_double, toFloat64(p.as_int), 0))"


def _statement(
    table: str, columns: tuple[str, ...], select: str, structure: str, by_rows: str = ""
) -> SegmentStatement:
    """`by_rows` is the SELECT for rows that come as columns."""
    block = selected("metrics", by_rows, columns) if by_rows else None
    return SegmentStatement(table, columns, select, structure, _PROTO, "Metrics", block=block)


_SERIES_COLUMNS = (
    "name", "series", "identity", "attributes", "kinds", "type", "unit", "description", "temporality",
    "is_monotonic", "scope_name", "scope_version", "first_seen", "last_seen",
)  # fmt: skip
_ONE_OF_ALL = (
    "name", "identity", "type", "unit", "description", "temporality", "is_monotonic", "scope_name", "scope_version",
)  # fmt: skip
# A series is noted again only when it has been silent, or noted, for ten minutes; or for points that come late, which
# may be older than all that is noted.
_UNKNOWN = (
    "WHERE {time} < now64(3) - INTERVAL 10 MINUTE "
    "OR series NOT IN (SELECT series FROM series WHERE last_seen > now64(3) - INTERVAL 10 MINUTE)"
)


_PAIRS = f"WITH {pairs_sql('labels')} AS pairs"
_SAID_BY_PAIRS = map_sql("pairs"), kinds_sql("pairs")


def _series(points: str, of: tuple[str, ...], said: tuple[str, str], first: str = "time", last: str = "time") -> str:
    """Each unknown series once, however many of its points a segment holds.

    `of` are columns of the points that tell what it is `said` to be: its attributes and their kinds; `first` and `last`
    say when it spoke.
    """
    alike = ", ".join(f"any({column}) AS {column}" for column in (*_ONE_OF_ALL, *of))
    attributes, kinds = said
    return f"""SELECT name, series, identity, CAST({attributes}, 'Map(String, String)') AS attributes,
       {kinds} AS kinds, type, unit, description, temporality, is_monotonic, scope_name, scope_version,
       first_seen, last_seen
FROM (
    SELECT series, {alike}, min({first}) AS first_seen, max({last}) AS last_seen
    FROM ({points}) AS points {_UNKNOWN.format(time=first)} GROUP BY series
)"""


_ALL = _NUMBERS | _DISTRIBUTIONS

SERIES = _statement(
    "series",
    _SERIES_COLUMNS,
    _PAIRS
    + " "
    + _series(
        _points(_ALL, f"{_SERIES_ID} AS series, {', '.join(_ONE_OF_ALL)}, p.attributes AS labels, {_TIME} AS time"),
        ("labels",),
        _SAID_BY_PAIRS,
    ),
    _structure({kind: ("time_unix_nano UInt64", own) for kind, (_, own) in _ALL.items()}, _LABELS),
    _series(
        f"{_SERIES_OF_ROW}, {', '.join(_ONE_OF_ALL)}, attributes AS said, kinds AS letters, first, last FROM {{rows}}",
        ("said", "letters"),
        ("said", "letters"),
        "first",
        "last",
    ),
)

SAMPLES = _statement(
    "samples",
    ("series", "time", "start_time", "number", "divisor"),
    f"WITH {_VALUE} AS value, {divisor_sql('value')} AS divisor "
    + _points(_NUMBERS, f"{_SERIES_ID} AS series, {_TIME}, {_START}, {number_sql('value', 'divisor')}, divisor"),
    _structure(_NUMBERS, _LABELS),
    "SELECT series, p.time, p.start_time, p.number, p.divisor "
    f"FROM ({_SERIES_OF_ROW}, points FROM {{rows}}) ARRAY JOIN points AS p",
)

# The columns of a distribution, each with what it is where a kind has nothing to say.
_NOTHING = {
    "sum": "CAST(NULL, 'Nullable(Float64)')",
    "min": "CAST(NULL, 'Nullable(Float64)')",
    "max": "CAST(NULL, 'Nullable(Float64)')",
    "bounds": "CAST([], 'Array(Float64)')",
    "bucket_counts": "CAST([], 'Array(UInt64)')",
    "scale": "toInt32(0)",
    "zero_count": "toUInt64(0)",
    "zero_threshold": "toFloat64(0)",
    "positive_offset": "toInt32(0)",
    "positive_counts": "CAST([], 'Array(UInt64)')",
    "negative_offset": "toInt32(0)",
    "negative_counts": "CAST([], 'Array(UInt64)')",
    "quantiles": "CAST([], 'Array(Float64)')",
    "quantile_values": "CAST([], 'Array(Float64)')",
}
_COUNTED_BY = {"sum": "p.sum", "min": "p.min", "max": "p.max"}
_SAID = {
    "histogram": _COUNTED_BY | {"bounds": "p.explicit_bounds", "bucket_counts": "p.bucket_counts"},
    "exponential_histogram": _COUNTED_BY
    | {
        "scale": "p.scale",
        "zero_count": "p.zero_count",
        "zero_threshold": "p.zero_threshold",
        "positive_offset": "p.positive.offset",
        "positive_counts": "p.positive.bucket_counts",
        "negative_offset": "p.negative.offset",
        "negative_counts": "p.negative.bucket_counts",
    },
    "summary": {
        "sum": "toNullable(p.sum)",
        "quantiles": "p.quantile_values.quantile",
        "quantile_values": "p.quantile_values.value",
    },
}


def _distributions(kind: str) -> SegmentStatement:
    columns = _NOTHING | _SAID[kind]
    select = _points((kind,), f"{_SERIES_ID}, {_TIME}, {_START}, p.flags, p.count, {', '.join(columns.values())}")
    structure = _structure({kind: _DISTRIBUTIONS[kind]}, _LABELS)
    return _statement("distributions", ("series", "time", "start_time", "flags", "count", *columns), select, structure)


DISTRIBUTIONS = {kind: _distributions(kind) for kind in _DISTRIBUTIONS}
"""A statement for each kind of distribution, named as OTLP names the member of Metric."""


# An exemplar without a time, or with one that is a month from its point's, counts as old as its point: storage is by
# day, and nothing else bounds how many days a request names.
_EXEMPLAR_TIME = (
    "if(abs(toInt64(e.time_unix_nano) - toInt64(point_time)) > 2592000000000000, point_time, e.time_unix_nano)"
)


def _exemplars(kind: str) -> SegmentStatement:
    points = _points((kind,), f"{_SERIES_ID} AS series, p.time_unix_nano AS point_time, p.exemplars AS exemplars")
    select = f"""SELECT series,
    fromUnixTimestamp64Milli(toInt64(intDiv({_EXEMPLAR_TIME}, 1000000)), 'UTC'),
    coalesce(e.as_double, toFloat64(e.as_int), 0), toFixedString(if(length(e.trace_id) = 16, e.trace_id, ''), 16),
    toFixedString(if(length(e.span_id) = 8, e.span_id, ''), 8), {map_sql("e.filtered_attributes")},
    {kinds_sql("e.filtered_attributes")}
FROM ({points} WHERE notEmpty(p.exemplars)) ARRAY JOIN exemplars AS e"""
    point = f"{_LABELS}, time_unix_nano UInt64, exemplars Array({_EXEMPLAR})"
    columns = ("series", "time", "value", "trace_id", "span_id", "attributes", "kinds")
    return _statement("exemplars", columns, select, _structure({kind: ("", _ALL[kind][1])}, point))


EXEMPLARS = {kind: _exemplars(kind) for kind in _ALL if kind != "summary"}
"""A statement for each kind of metric whose points have exemplars."""

RESOURCES = announced_sql("metrics")
