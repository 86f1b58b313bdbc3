-- Which days were thinned to what is kept longer than so many seconds.
CREATE TABLE thinned_days (
    day Date,
    seconds UInt64
) ENGINE = {MergeTree}
ORDER BY (day, seconds);

-- The traces of the day that is being thinned: those that a longer rule keeps, and those that a rule means at all.
CREATE TABLE thinning_traces (
    kept UInt8,
    trace_id FixedString(16)
) ENGINE = Memory;
