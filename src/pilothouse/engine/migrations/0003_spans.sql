-- docs/adr/0020 has the measurements behind this layout. In short: events and links share one array of offsets each;
-- lengths of strings stand inside of them (half of an attribute's bytes otherwise); a small part is one file;
-- merged parts keep a map's keys in buckets, so that asking for one attribute does not read all of them;
-- the projection leads from a trace's id to its rows, and small granules and small blocks make each of them cheap to read.
-- The index `said` tells which granules of merged parts may have an attribute with a value (docs/adr/0086); arrays are
-- all one value to it, as their elements are compared.
CREATE TABLE spans (
    identity UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8),
    trace_state String,
    flags UInt32,
    name LowCardinality(String),
    kind UInt8,
    time DateTime64(9, 'UTC') CODEC(Delta, Default),
    duration UInt64,
    status_code UInt8,
    status_message String,
    attributes Map(LowCardinality(String), String),
    kinds LowCardinality(String),
    dropped_attributes_count UInt32,
    dropped_events_count UInt32,
    dropped_links_count UInt32,
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    scope_attributes Map(LowCardinality(String), String),
    scope_kinds LowCardinality(String),
    events Array(Tuple(
        time DateTime64(9, 'UTC'),
        name LowCardinality(String),
        attributes Map(LowCardinality(String), String),
        kinds LowCardinality(String),
        dropped_attributes_count UInt32
    )),
    links Array(Tuple(
        trace_id FixedString(16),
        span_id FixedString(8),
        trace_state String,
        attributes Map(LowCardinality(String), String),
        kinds LowCardinality(String),
        dropped_attributes_count UInt32,
        flags UInt32
    )),
    INDEX said arrayMap((k, v) -> cityHash64(k, if(startsWith(v, '['), '[', v)), mapKeys(attributes), mapValues(attributes))
        TYPE bloom_filter(0.01) GRANULARITY 1,
    PROJECTION by_trace (SELECT trace_id, _part_offset ORDER BY trace_id)
) ENGINE = {MergeTree}
PARTITION BY toDate(time)
ORDER BY (identity, name, time)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1, index_granularity = 1024,
    string_serialization_version = 'single_stream', min_bytes_for_wide_part = 200000000,
    map_serialization_version = 'with_buckets', map_serialization_version_for_zero_level_parts = 'basic',
    map_buckets_min_avg_size = 0, min_compress_block_size = 16384;
