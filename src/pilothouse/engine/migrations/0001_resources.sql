-- One row a distinct set of resource attributes and signal; merges keep the widest time range.
CREATE TABLE resources (
    identity UInt64,
    signal LowCardinality(String),
    attributes SimpleAggregateFunction(any, Map(String, String)),
    kinds SimpleAggregateFunction(any, String),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = {AggregatingMergeTree}
ORDER BY (identity, signal)
SETTINGS non_replicated_deduplication_window = 10000;
