"""The questions to `series`, `samples` and `distributions`. Increases and windows are made by ClickHouse."""

from __future__ import annotations

from pilothouse.releases.reading import MILLISECONDS_SQL, window_sql, within_sql

MOST_SERIES = 20_000

_TIME = within_sql(3)
_WINDOW = window_sql(MILLISECONDS_SQL)
_ORDERED = "PARTITION BY series ORDER BY time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW"

SERIES = f"""
SELECT name, series, identity, any(attributes) AS labels, type, unit, temporality, is_monotonic,
       max(last_seen) AS seen
FROM series WHERE identity IN {{identities:Array(UInt64)}}
  AND NOT (startsWith(name, 'traces_spanmetrics_') OR startsWith(name, 'traces.span.metrics.'))
GROUP BY name, series, identity, type, unit, temporality, is_monotonic
ORDER BY name, series LIMIT {MOST_SERIES + 1}"""
"""All series of some identities but those made of spans, which are judged themselves."""

INTERVAL = f"""
SELECT quantileExact(0.9)(step) AS seconds FROM (
    SELECT (max(t) - min(t)) / (count() - 1) / 1000 AS step FROM (
        SELECT series, toUnixTimestamp64Milli(time) AS t FROM samples
        WHERE series IN {{series:Array(UInt64)}} AND {_TIME}
        UNION ALL
        SELECT series, toUnixTimestamp64Milli(time) AS t FROM distributions
        WHERE series IN {{series:Array(UInt64)}} AND {_TIME}
    ) GROUP BY series HAVING count() > 1
)"""
"""How far apart the points of a series are (seconds, the slowest tenth left out)."""

LEVELS = f"""
SELECT series, {_WINDOW} AS w, avg(value) AS amount FROM samples
WHERE series IN {{series:Array(UInt64)}} AND {_TIME} AND isFinite(value) GROUP BY series, w"""

# Births: each series counts its windows from when its process was born.
LEVELS_AT_AGE = """
WITH {series:Array(UInt64)} AS known, {births:Array(Int64)} AS births
SELECT series, toInt32(floor((age - {first_age:Int64}) / {width:Int64})) AS w, avg(value) AS amount
FROM (
    SELECT series, value,
           toUnixTimestamp64Milli(time) * 1000000 - transform(series, known, births, toInt64(0)) AS age
    FROM samples WHERE series IN {series:Array(UInt64)} AND isFinite(value)
      AND time >= fromUnixTimestamp64Nano({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Nano({end:Int64}, 'UTC')
)
WHERE age >= {first_age:Int64} AND age < {last_age:Int64} GROUP BY series, w"""

# A counter that falls, or that says that it began anew, was reset: what it shows is all increase (as in Prometheus).
# A series that began within the windows counts from zero; of another one, the first point only says where it was.
_INCREASE = """multiIf(temporality = 1, value, isNull(previous), if({born}, value, 0),
    value < previous OR (start_time > previous_start AND start_time > previous_time), value, value - previous)"""
_BORN = "toUnixTimestamp64Milli(start_time) * 1000000 >= {start:Int64}"

_NUMBERS = f"""
SELECT series, time, start_time, value,
       transform(series, {{series:Array(UInt64)}}, {{temporalities:Array(UInt8)}}, 2) AS temporality,
       lagInFrame(toNullable(value)) OVER w AS previous, lagInFrame(start_time) OVER w AS previous_start,
       lagInFrame(time) OVER w AS previous_time
FROM samples WHERE series IN {{series:Array(UInt64)}} AND {_TIME} AND isFinite(value)
WINDOW w AS ({_ORDERED})"""

INCREASES = f"""
SELECT series, {_WINDOW} AS w, sum({_INCREASE.format(born=_BORN)}) AS amount FROM ({_NUMBERS}) GROUP BY series, w"""

_POINTS = f"""
SELECT series, time, start_time, count AS value, assumeNotNull(sum) AS total, bounds, bucket_counts,
       transform(series, {{series:Array(UInt64)}}, {{temporalities:Array(UInt8)}}, 2) AS temporality,
       lagInFrame(toNullable(count)) OVER w AS previous, lagInFrame(assumeNotNull(sum)) OVER w AS previous_total,
       lagInFrame(bucket_counts) OVER w AS previous_buckets, lagInFrame(bounds) OVER w AS previous_bounds,
       lagInFrame(start_time) OVER w AS previous_start, lagInFrame(time) OVER w AS previous_time
FROM distributions WHERE series IN {{series:Array(UInt64)}} AND {_TIME}
WINDOW w AS ({_ORDERED})"""

_WHOLE = """(temporality = 1 OR isNull(previous) OR value < previous OR previous_bounds != bounds
    OR (start_time > previous_start AND start_time > previous_time))"""

DISTRIBUTIONS = f"""
SELECT series, w, bounds, sum(n) AS n, sum(added) AS added, sumForEach(counts) AS counts FROM (
    SELECT series, {_WINDOW} AS w, bounds,
           toInt64(value) - if({_WHOLE}, 0, toInt64(assumeNotNull(previous))) AS n,
           if({_WHOLE}, total, total - previous_total) AS added,
           if({_WHOLE}, arrayMap(c -> toInt64(c), bucket_counts),
              arrayMap((c, p) -> toInt64(c) - toInt64(p), bucket_counts,
                       arrayResize(previous_buckets, length(bucket_counts)))) AS counts
    FROM ({_POINTS}) WHERE temporality = 1 OR isNotNull(previous) OR {_BORN}
) GROUP BY series, w, bounds"""
