-- What merges make of spans, measured in docs/adr/0131: a merged part of more than 12 MB has a file for each column, so
-- that the next merge reads and writes column after column; some sixteen parts of a size are merged at once; and a map is
-- kept in two buckets of keys, not four, as the attributes of one span are read from all of them.
ALTER TABLE spans MODIFY SETTING min_bytes_for_wide_part = 12000000, min_level_for_wide_part = 1, merge_selector_base = 16,
    max_buckets_in_map = 2;
