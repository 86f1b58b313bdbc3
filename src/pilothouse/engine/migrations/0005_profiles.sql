-- One row a profile and sample type.
CREATE TABLE profiles (
    identity UInt64 CODEC(ZSTD(1)),
    type LowCardinality(String),
    unit LowCardinality(String),
    time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    duration UInt64 CODEC(ZSTD(1)),
    period Int64 CODEC(ZSTD(1)),
    period_type LowCardinality(String),
    period_unit LowCardinality(String),
    samples UInt32 CODEC(ZSTD(1)),
    total Int64 CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1))
) ENGINE = {MergeTree}
PARTITION BY toDate(time)
ORDER BY (identity, type, time)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

-- A profile of an identity is known by its time. Within an hour the same stacks stand together: they compress to
-- almost nothing, and summing them is a run, not a lookup.
CREATE TABLE profile_samples (
    identity UInt64 CODEC(ZSTD(1)),
    type LowCardinality(String),
    time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    stack UInt64 CODEC(ZSTD(1)),
    value Int64 CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1))
) ENGINE = {MergeTree}
PARTITION BY toDate(time)
ORDER BY (identity, type, toStartOfHour(time), stack, time)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

-- The same values once more, summed by minute over all processes that are alike but for the instance (`cohort`): most
-- questions are about a service or a version, and this is what they read. A twentieth of the rows at 50 processes.
CREATE TABLE profile_minutes (
    cohort UInt64 CODEC(ZSTD(1)),
    type LowCardinality(String),
    time DateTime('UTC') CODEC(Delta, ZSTD(1)),
    stack UInt64 CODEC(ZSTD(1)),
    value Int64 CODEC(ZSTD(1))
) ENGINE = {SummingMergeTree}
PARTITION BY toDate(time)
ORDER BY (cohort, type, toStartOfHour(time), stack, time)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

-- Frames leaf first. All processes of a service share a stack's row, once a month, so that months can be dropped;
-- merges keep one. `inlined` frames were called by the next one without a call; `mappings` are binaries and libraries.
CREATE TABLE profile_stacks (
    service LowCardinality(String),
    stack UInt64,
    month Date,
    functions Array(LowCardinality(String)) CODEC(ZSTD(1)),
    files Array(LowCardinality(String)) CODEC(ZSTD(1)),
    lines Array(UInt32) CODEC(ZSTD(1)),
    mappings Array(LowCardinality(String)) CODEC(ZSTD(1)),
    inlined Array(Bool) CODEC(ZSTD(1))
) ENGINE = {ReplacingMergeTree}
PARTITION BY month
ORDER BY (service, stack)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;
