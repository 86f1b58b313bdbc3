-- The spans stored last, so that one that is sent again, alone or among others, is stored once (docs/adr/0074).
-- A segment is held against at most 200,000 of them: the last minute of 2,000 spans a second.
CREATE TABLE span_recent (
    span UInt64
) ENGINE = Memory SETTINGS min_rows_to_keep = 100000, max_rows_to_keep = 200000;

CREATE MATERIALIZED VIEW span_recent_made TO span_recent AS
SELECT cityHash64(trace_id, span_id, kind, identity) AS span FROM spans;
