-- How often each operation was called and how long it took, as spans are stored: what span metrics are made of.
-- A row is a duration bucket of an operation in one segment; `lower` is the bucket's lower edge in nanoseconds. Rows
-- live in memory, as they are read within the minute and what is made of them counts from the process' start.
CREATE TABLE span_calls (
    stored DateTime64(6, 'UTC'),
    identity UInt64,
    name LowCardinality(String),
    kind UInt8,
    status_code UInt8,
    lower UInt64,
    calls UInt64,
    took UInt64,
    example_trace FixedString(16),
    example_span FixedString(8),
    example_duration UInt64,
    example_time DateTime64(9, 'UTC')
) ENGINE = Memory SETTINGS min_rows_to_keep = 100000, max_rows_to_keep = 200000;

CREATE MATERIALIZED VIEW span_calls_made TO span_calls AS
SELECT now64(6, 'UTC') AS stored, identity, name, kind, status_code,
    roundDown(toUInt64(duration - toUInt8(duration > 0)), [0, 2000000, 4000000, 6000000, 8000000, 10000000, 16000000, 32000000, 50000000,
        64000000, 100000000, 128000000, 200000000, 256000000, 400000000, 512000000, 800000000, 1000000000, 1024000000,
        1400000000, 2000000000, 2048000000, 4096000000, 5000000000, 8192000000, 10000000000, 15000000000,
        16384000000]) AS lower,
    count() AS calls, sum(duration) AS took,
    any(trace_id) AS example_trace, any(span_id) AS example_span, any(duration) AS example_duration,
    any(time) AS example_time
FROM spans GROUP BY identity, name, kind, status_code, lower;
