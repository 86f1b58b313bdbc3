"""From segments of Prometheus remote write requests to `series`, `samples`, `distributions`, `exemplars`, `metadata`.

The journal holds requests of remote write 1.0; the door turns 2.0 into that, with the time since which a series
counts in a field of ours. A series is the set of its labels. Its `job` and `instance` name its resource, by the rules
of OpenTelemetry's Prometheus compatibility, and stay labels too, so that PromQL finds them as they were sent.
"""

from __future__ import annotations

from collections.abc import Callable

from pilothouse.engine import SegmentStatement
from pilothouse.signals.identity import RESOURCE_COLUMNS
from pilothouse.signals.metrics.decimals import divisor_sql, number_sql
from pilothouse.signals.metrics.numbering import series_sql
from pilothouse.signals.segment_rows import selected

SCOPE = "prometheus"

PROTO = """syntax = "proto3";
message Label { string name = 1; string value = 2; }
message Sample { double value = 1; int64 timestamp = 2; }
message Exemplar { repeated Label labels = 1; double value = 2; int64 timestamp = 3; }
message BucketSpan { sint32 offset = 1; uint32 length = 2; }
message Histogram {
  uint64 count_int = 1; double count_float = 2; double sum = 3; sint32 schema = 4; double zero_threshold = 5;
  uint64 zero_count_int = 6; double zero_count_float = 7;
  repeated BucketSpan negative_spans = 8; repeated sint64 negative_deltas = 9; repeated double negative_counts = 10;
  repeated BucketSpan positive_spans = 11; repeated sint64 positive_deltas = 12; repeated double positive_counts = 13;
  int32 reset_hint = 14; int64 timestamp = 15; repeated double custom_values = 16;
}
message TimeSeries {
  repeated Label labels = 1; repeated Sample samples = 2; repeated Exemplar exemplars = 3;
  repeated Histogram histograms = 4; int64 start = 100;
}
message MetricMetadata { int32 type = 1; string metric_family_name = 2; string help = 4; string unit = 5; }
message WriteRequest { repeated TimeSeries timeseries = 1; repeated MetricMetadata metadata = 3; }
"""

_LABELS = "labels Array(Tuple(name String, value String))"
_SPANS = "Array(Tuple(offset Int32, length UInt32))"
_HISTOGRAM = (
    "Tuple(count_int UInt64, count_float Float64, sum Float64, schema Int32, zero_threshold Float64, "
    f"zero_count_int UInt64, zero_count_float Float64, negative_spans {_SPANS}, negative_deltas Array(Int64), "
    f"negative_counts Array(Float64), positive_spans {_SPANS}, positive_deltas Array(Int64), "
    "positive_counts Array(Float64), reset_hint Int32, timestamp Int64, custom_values Array(Float64))"
)
_STALE = "0x7ff0000000000002"
_NAME = "ts.labels.value[indexOf(ts.labels.name, '__name__')]"
_SERIES = series_sql(
    _NAME, f"cityHash64('{SCOPE}', arraySum(arrayMap(label -> cityHash64(label.name, label.value), ts.labels)))"
)
_GAUGE_HINT = 3
_COUNTER = "match(name, '_(total|count|sum|bucket)$')"


def _label(name: str) -> str:
    return f"ts.labels.value[indexOf(ts.labels.name, '{name}')]"


def _structure(fields: str) -> str:
    return f"timeseries Array(Tuple({_LABELS}{', ' + fields if fields else ''}))"


def _time(expression: str) -> str:
    return f"fromUnixTimestamp64Milli({expression}, 'UTC')"


def _statement(
    table: str, columns: tuple[str, ...], select: str, structure: str, by_rows: str = ""
) -> SegmentStatement:
    """`by_rows` is the SELECT for rows that come as columns, a series each (native/written_series.h)."""
    block = selected("remote_write", by_rows, columns) if by_rows else None
    return SegmentStatement(table, columns, select, structure, PROTO, "WriteRequest", block=block)


_ROWS = """(
    SELECT labels['__name__'] AS name, labels['job'] AS job, labels['instance'] AS instance,
           arrayMap((label, text) -> (label, text), CAST(mapKeys(labels), 'Array(String)'), mapValues(labels)) AS said,
           first, last, points
    FROM {rows}
)"""
_SERIES_OF_ROW = series_sql(
    "name", f"cityHash64('{SCOPE}', arraySum(arrayMap(label -> cityHash64(label.1, label.2), said)))"
)


_TIMES = "arrayConcat(ts.samples.timestamp, ts.histograms.timestamp)"
_TIMED = "samples Array(Tuple(timestamp Int64)), histograms Array(Tuple(timestamp Int64, reset_hint Int32))"
# The attributes of the resource that `job` and `instance` name, sorted by key.
_RESOURCE = """arrayFilter(pair -> pair.2 != '', [
    ('service.instance.id', instance),
    ('service.name', if(position(job, '/') > 0, substring(job, position(job, '/') + 1), job)),
    ('service.namespace', if(position(job, '/') > 0, substring(job, 1, position(job, '/') - 1), ''))])"""


def _identity(pairs: str) -> str:
    joined = f"arrayStringConcat(arrayMap(pair -> concat(pair.1, '\\0', pair.2, '\\0'), {pairs}))"
    return f"reinterpretAsUInt64(substring(MD5({joined}), 1, 8))"


def _resources(grouped: str, time: Callable[[str], str]) -> str:
    """Of groups of `pairs` with the `first` and `last` time of each."""
    return f"""SELECT {_identity("pairs")} AS identity, 'metrics' AS signal,
       CAST((pairs.1, pairs.2), 'Map(String, String)') AS attributes, repeat('s', length(pairs)) AS kinds,
       {time("first_time")} AS first_seen, {time("last_time")} AS last_seen
FROM ({grouped})
WHERE identity NOT IN (SELECT identity FROM resources WHERE signal = 'metrics' AND last_seen > now64(3) - 60)"""


RESOURCES = _statement(
    "resources",
    RESOURCE_COLUMNS,
    _resources(
        f"""SELECT {_RESOURCE} AS pairs, min(arrayMin(times)) AS first_time, max(arrayMax(times)) AS last_time
    FROM (
        SELECT {_label("job")} AS job, {_label("instance")} AS instance, {_TIMES} AS times
        FROM {{segment}} ARRAY JOIN timeseries AS ts
    ) WHERE notEmpty(times) GROUP BY pairs""",
        _time,
    ),
    _structure(_TIMED),
    _resources(
        f"SELECT {_RESOURCE} AS pairs, min(first) AS first_time, max(last) AS last_time FROM {_ROWS} GROUP BY pairs",
        str,
    ),
)


# What comes long after it was taken (a sender that catches up, a history that is loaded) is noted every ten minutes of
# its own time.
_NOTED = (
    "OR (first_seen <= (SELECT min(first) FROM {rows}) "
    "AND last_seen > (SELECT max(last) FROM {rows}) - INTERVAL 10 MINUTE)"
)


def _series(grouped: str, time: Callable[[str], str], known: str = "") -> str:
    """Of groups of a series' points: `name`, `pairs`, `job`, `instance`, `native`, `gauge`, first and last time.

    `known` says of which other rows of `series` the segment tells nothing new.
    """
    return f"""SELECT name, series, {_identity(_RESOURCE)} AS identity,
       CAST((pairs.1, pairs.2), 'Map(String, String)') AS attributes, repeat('s', length(pairs)) AS kinds,
       multiIf(native, 'exponential_histogram', {_COUNTER}, 'sum', 'gauge') AS type, '' AS unit, '' AS description,
       toUInt8(if(native, if(gauge, 0, 2), if({_COUNTER}, 2, 0))) AS temporality,
       CAST(NOT native AND {_COUNTER}, 'Bool') AS is_monotonic, '{SCOPE}' AS scope_name, '' AS scope_version,
       {time("first_time")} AS first_seen, {time("last_time")} AS last_seen
FROM ({grouped})
WHERE series NOT IN (SELECT series FROM series WHERE last_seen > now64(3) - INTERVAL 10 MINUTE {known})"""


SERIES = _statement(
    "series",
    (
        "name",
        "series",
        "identity",
        "attributes",
        "kinds",
        "type",
        "unit",
        "description",
        "temporality",
        "is_monotonic",
        "scope_name",
        "scope_version",
        "first_seen",
        "last_seen",
    ),
    _series(
        f"""SELECT series, any(name) AS name, any(pairs) AS pairs, any(job) AS job, any(instance) AS instance, native,
           max(gauge) AS gauge, min(arrayMin(times)) AS first_time, max(arrayMax(times)) AS last_time
    FROM (
        SELECT {_SERIES} AS series, {_NAME} AS name, {_label("job")} AS job, {_label("instance")} AS instance,
               arrayMap(label -> (label.name, label.value),
                        arrayFilter(label -> label.name NOT IN ('', '__name__'), ts.labels))
                   AS pairs,
               notEmpty(ts.histograms) AS native, has(ts.histograms.reset_hint, {_GAUGE_HINT}) AS gauge,
               {_TIMES} AS times
        FROM {{segment}} ARRAY JOIN timeseries AS ts
    ) WHERE notEmpty(times) GROUP BY series, native""",
        _time,
    ),
    _structure(_TIMED),
    _series(
        f"""SELECT series, any(name) AS name,
           any(arrayFilter(label -> label.1 NOT IN ('', '__name__'), said)) AS pairs, any(job) AS job,
           any(instance) AS instance, false AS native, false AS gauge, min(first) AS first_time, max(last) AS last_time
    FROM (SELECT {_SERIES_OF_ROW} AS series, name, said, job, instance, first, last FROM {_ROWS}) GROUP BY series""",
        str,
        _NOTED,
    ),
)

SAMPLES = _statement(
    "samples",
    ("series", "time", "start_time", "number", "divisor"),
    f"""SELECT series, {_time("sample.timestamp")}, {_time("start")}, {number_sql("sample.value", "divisor")},
       {divisor_sql("sample.value")} AS divisor
FROM (
    SELECT {_SERIES} AS series, ts.start AS start, ts.samples AS samples
    FROM {{segment}} ARRAY JOIN timeseries AS ts
) ARRAY JOIN samples AS sample""",
    _structure("samples Array(Tuple(value Float64, timestamp Int64)), start Int64"),
    "SELECT series, p.time, p.start_time, p.number, p.divisor "
    f"FROM (SELECT {_SERIES_OF_ROW} AS series, points FROM {_ROWS}) ARRAY JOIN points AS p",
)


def _indexes(side: str) -> str:
    """The index of each bucket that the spans name, ascending."""
    lengths = f"arrayMap(length -> toInt32(length), h.{side}_spans.length)"
    begins = (
        f"arrayMap((offset, before, length) -> toInt32(offset + before - length), arrayCumSum(h.{side}_spans.offset), "
        f"arrayCumSum({lengths}), {lengths})"
    )
    return (
        "arrayFlatten(arrayMap((begin, length) -> arrayMap(place -> toInt32(begin + place), range(toUInt32(length))), "
        f"{begins}, {lengths}))"
    )


def _dense(indexes: str, counts: str, first: str, count: str) -> str:
    """A count for each bucket from the first to the last, 0 where the spans have a gap."""
    return f"arrayMap(place -> {counts}[indexOf({indexes}, toInt32(place + {first}))], range(toUInt32({count})))"


def _side(side: str) -> tuple[str, str, str]:
    """Of the buckets on one side the offset, the counts as whole numbers, and as they are where they are not."""
    indexes = f"{side}_indexes"
    empty = f"h.schema = -53 OR empty({indexes})"
    # OpenTelemetry counts buckets from one lower than Prometheus.
    offset = f"toInt32(if({empty}, 0, {indexes}[1] - 1))"
    reach = f"if({empty}, 0, {indexes}[-1] - {indexes}[1] + 1)"
    whole = _dense(indexes, f"{side}_counts_given", f"{indexes}[1]", reach)
    exact = _dense(indexes, f"h.{side}_counts", f"{indexes}[1]", f"if(is_float, {reach}, 0)")
    return offset, whole, exact


def _whole(count: str) -> str:
    """A count that is no whole number as the nearest that is one."""
    return f"toUInt64(if(isNaN({count}), 0, round(greatest(0., least({count}, 9e18)))))"


def _given(side: str) -> str:
    """The count of each bucket that the spans name, as a whole number."""
    floats = f"arrayMap(count -> {_whole('count')}, h.{side}_counts)"
    return f"if(is_float, {floats}, arrayMap(count -> toUInt64(count), arrayCumSum(h.{side}_deltas)))"


_POSITIVE_OFFSET, _POSITIVE, _POSITIVE_EXACT = _side("positive")
_NEGATIVE_OFFSET, _NEGATIVE, _NEGATIVE_EXACT = _side("negative")
_EDGES = "if(h.schema = -53, length(h.custom_values) + 1, 0)"
_CUSTOM = _dense("positive_indexes", "positive_counts_given", "0", _EDGES)
_CUSTOM_EXACT = _dense("positive_indexes", "h.positive_counts", "0", f"if(is_float, {_EDGES}, 0)")
# The message's `oneof` does not reach the engine: what has no fraction anywhere is as good as one of whole numbers.
_IS_FLOAT = (
    "h.count_float != 0 OR h.zero_count_float != 0 OR notEmpty(h.positive_counts) OR notEmpty(h.negative_counts)"
)
_EXACT = (
    "if(is_float, arrayConcat([h.count_float, h.zero_count_float], "
    f"{_POSITIVE_EXACT}, {_CUSTOM_EXACT}, {_NEGATIVE_EXACT}), [])"
)

DISTRIBUTIONS = _statement(
    "distributions",
    ("series", "time", "start_time", "flags", "count", "sum", "min", "max", "bounds", "bucket_counts", "scale",
     "zero_count", "zero_threshold", "positive_offset", "positive_counts", "negative_offset", "negative_counts",
     "quantiles", "quantile_values", "exact_counts"),
    f"""SELECT series, {_time("h.timestamp")}, {_time("start")},
       toUInt32(reinterpretAsUInt64(h.sum) = {_STALE}), if(is_float, {_whole("h.count_float")}, h.count_int),
       toNullable(h.sum), NULL, NULL,
       if(h.schema = -53, h.custom_values, []), {_CUSTOM}, if(h.schema = -53, 0, h.schema),
       if(is_float, {_whole("h.zero_count_float")}, h.zero_count_int),
       h.zero_threshold, {_POSITIVE_OFFSET}, {_POSITIVE}, {_NEGATIVE_OFFSET}, {_NEGATIVE},
       CAST([], 'Array(Float64)'), CAST([], 'Array(Float64)'), {_EXACT}
FROM (
    SELECT series, start, h, {_indexes("positive")} AS positive_indexes, {_indexes("negative")} AS negative_indexes,
           {_IS_FLOAT} AS is_float, {_given("positive")} AS positive_counts_given,
           {_given("negative")} AS negative_counts_given
    FROM (
        SELECT {_SERIES} AS series, ts.start AS start, ts.histograms AS histograms
        FROM {{segment}} ARRAY JOIN timeseries AS ts
    ) ARRAY JOIN histograms AS h
)""",
    _structure(f"histograms Array({_HISTOGRAM}), start Int64"),
)  # fmt: skip

_TRACE = "e.labels.value[arrayFirstIndex(name -> lower(replaceAll(name, '_', '')) = 'traceid', e.labels.name)]"
_SPAN = "e.labels.value[arrayFirstIndex(name -> lower(replaceAll(name, '_', '')) = 'spanid', e.labels.name)]"
_OTHERS = "arrayFilter(label -> lower(replaceAll(label.name, '_', '')) NOT IN ('traceid', 'spanid'), e.labels)"

EXEMPLARS = _statement(
    "exemplars",
    ("series", "time", "value", "trace_id", "span_id", "attributes", "kinds"),
    f"""SELECT series, {_time("e.timestamp")}, e.value,
       toFixedString(if(match({_TRACE}, '^[0-9a-fA-F]{{32}}$'), unhex({_TRACE}), ''), 16),
       toFixedString(if(match({_SPAN}, '^[0-9a-fA-F]{{16}}$'), unhex({_SPAN}), ''), 8),
       CAST(({_OTHERS}.name, {_OTHERS}.value), 'Map(String, String)'), repeat('s', length({_OTHERS}))
FROM (
    SELECT {_SERIES} AS series, ts.exemplars AS exemplars FROM {{segment}} ARRAY JOIN timeseries AS ts
) ARRAY JOIN exemplars AS e""",
    _structure(f"exemplars Array(Tuple({_LABELS}, value Float64, timestamp Int64))"),
)

_TYPES = "['unknown', 'counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset']"
METADATA = _statement(
    "metadata",
    ("name", "type", "unit", "help", "seen"),
    f"""SELECT DISTINCT m.metric_family_name AS name, {_TYPES}[toUInt8(greatest(least(m.type, 7), 0)) + 1] AS type,
       m.unit AS unit, m.help AS help, now64(3) AS seen
FROM {{segment}} ARRAY JOIN metadata AS m
WHERE name != '' AND (name, type, unit, help) NOT IN (SELECT name, type, unit, help FROM metadata)""",
    "metadata Array(Tuple(type Int32, metric_family_name String, help String, unit String))",
)

MARKED = (
    ("resources", RESOURCES),
    ("", SERIES),
    ("samples", SAMPLES),
    ("histograms", DISTRIBUTIONS),
    ("exemplars", EXEMPLARS),
    ("metadata", METADATA),
)
"""The statements, each with the mark that asks for it."""
