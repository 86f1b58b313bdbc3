-- A series is an identity, a metric and its own attributes; its points carry nothing but the series.
CREATE TABLE series (
    name LowCardinality(String),
    series UInt64,
    identity UInt64,
    attributes SimpleAggregateFunction(any, Map(String, String)),
    kinds SimpleAggregateFunction(any, String),
    type LowCardinality(String),
    unit LowCardinality(String),
    description SimpleAggregateFunction(anyLast, String),
    temporality UInt8,
    is_monotonic Bool,
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    noted SimpleAggregateFunction(max, DateTime64(3, 'UTC')) DEFAULT now64(3)
) ENGINE = {AggregatingMergeTree}
PRIMARY KEY (name, series)
ORDER BY (name, series, identity, type, unit, temporality, is_monotonic, scope_name, scope_version)
SETTINGS non_replicated_deduplication_window = 10000;

-- Most values are whole or have a few decimals. They are kept as whole numbers, `value` times `divisor`, whose
-- differences are small; where that would not give back each bit, `divisor` is 0 (-1 for a stale marker) and `number`
-- holds the bits (docs/adr/0004).
-- A query wants a few series of many: an index entry for 512 rows instead of 8192 halves what that costs, and takes 2 %.
CREATE TABLE samples (
    series UInt64 CODEC(ZSTD(1)),
    time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    start_time DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    number Int64 CODEC(Delta, T64('bit'), ZSTD(1)),
    divisor Float32 CODEC(ZSTD(1)),
    value Float64 ALIAS if(divisor > 0, number / divisor, reinterpretAsFloat64(number))
) ENGINE = {MergeTree}
PARTITION BY toDate(time)
ORDER BY (series, time)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1, index_granularity = 512;

CREATE TABLE distributions (
    series UInt64 CODEC(ZSTD(1)),
    time DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    start_time DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    flags UInt32 CODEC(ZSTD(1)),
    count UInt64 CODEC(ZSTD(1)),
    sum Nullable(Float64) CODEC(ZSTD(1)),
    min Nullable(Float64) CODEC(ZSTD(1)),
    max Nullable(Float64) CODEC(ZSTD(1)),
    bounds Array(Float64) CODEC(ZSTD(1)),
    bucket_counts Array(UInt64) CODEC(ZSTD(1)),
    scale Int32 CODEC(ZSTD(1)),
    zero_count UInt64 CODEC(ZSTD(1)),
    zero_threshold Float64 CODEC(ZSTD(1)),
    positive_offset Int32 CODEC(ZSTD(1)),
    positive_counts Array(UInt64) CODEC(ZSTD(1)),
    negative_offset Int32 CODEC(ZSTD(1)),
    negative_counts Array(UInt64) CODEC(ZSTD(1)),
    quantiles Array(Float64) CODEC(ZSTD(1)),
    quantile_values Array(Float64) CODEC(ZSTD(1))
) ENGINE = {MergeTree}
PARTITION BY toDate(time)
ORDER BY (series, time)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

CREATE TABLE exemplars (
    series UInt64 CODEC(ZSTD(1)),
    time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    value Float64 CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    kinds LowCardinality(String)
) ENGINE = {MergeTree}
PARTITION BY toDate(time)
ORDER BY (series, time)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

-- What Prometheus' senders say of a metric, beside its series.
CREATE TABLE metadata (
    name LowCardinality(String),
    type LowCardinality(String),
    unit LowCardinality(String),
    help String CODEC(ZSTD(1)),
    seen DateTime64(3, 'UTC')
) ENGINE = {ReplacingMergeTree}
ORDER BY (name, type, unit, help)
SETTINGS non_replicated_deduplication_window = 10000;
