-- No index of words: hour, identity and time narrow, then the body is scanned. The hour comes first, since most
-- questions are about the last minutes of many streams; granules are small, so that a stream's hour is little to read.
-- When a record was observed is kept as its distance from its time, which is small or always the same. What has the
-- default codec is compressed by the size of its part, and again, harder, when it is older (engine/retention.py).
CREATE TABLE logs (
    identity UInt64,
    time DateTime64(9, 'UTC') CODEC(Delta, Default),
    observed_time DateTime64(9, 'UTC') EPHEMERAL,
    observed_after Int64 DEFAULT if(toUnixTimestamp64Nano(observed_time) = 0, -9223372036854775808,
        toUnixTimestamp64Nano(observed_time) - toUnixTimestamp64Nano(time)),
    observed_at DateTime64(9, 'UTC') ALIAS fromUnixTimestamp64Nano(
        if(observed_after = -9223372036854775808, 0, toUnixTimestamp64Nano(time) + observed_after), 'UTC'),
    severity_number UInt8,
    severity_text LowCardinality(String),
    event_name LowCardinality(String),
    body String,
    body_kind LowCardinality(String),
    attributes Map(LowCardinality(String), String),
    kinds LowCardinality(String),
    dropped_attributes_count UInt32,
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    scope_attributes Map(LowCardinality(String), String),
    scope_kinds LowCardinality(String),
    flags UInt32,
    trace_id FixedString(16),
    span_id FixedString(8)
) ENGINE = {MergeTree}
PARTITION BY toDate(time)
ORDER BY (toStartOfHour(time), identity, time)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1, index_granularity = 2048;
