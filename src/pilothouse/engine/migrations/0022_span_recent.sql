-- The spans stored last, so that one that is sent again, alone or among others, is stored once (docs/adr/0074).
-- A segment is held against at most a million of them: an hour of 300 spans a second.
CREATE TABLE span_recent (
    span UInt64
) ENGINE = Memory SETTINGS min_rows_to_keep = 500000, max_rows_to_keep = 1000000;

CREATE MATERIALIZED VIEW span_recent_made TO span_recent AS
SELECT cityHash64(trace_id, span_id, kind, identity) AS span FROM spans;
