-- No index of words: identity and time narrow, then the body is scanned.
CREATE TABLE logs (
    identity UInt64 CODEC(ZSTD(1)),
    time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    observed_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    severity_number UInt8,
    severity_text LowCardinality(String),
    event_name LowCardinality(String),
    body String CODEC(ZSTD(1)),
    body_kind LowCardinality(String),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    kinds LowCardinality(String),
    dropped_attributes_count UInt32 CODEC(ZSTD(1)),
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    scope_attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    scope_kinds LowCardinality(String),
    flags UInt32 CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(ZSTD(1))
) ENGINE = {MergeTree}
PARTITION BY toDate(time)
ORDER BY (identity, time)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;
