-- What merges do again and again, measured in docs/adr/0150. Some sixteen parts of log lines are merged at once, so that a
-- line is written fewer times in its life. And no statistics of columns are made: each merge counted the distinct
-- values of every column anew, and no question of ours is decided by them.
ALTER TABLE logs MODIFY SETTING merge_selector_base = 16, auto_statistics_types = '';
ALTER TABLE spans MODIFY SETTING auto_statistics_types = '';
ALTER TABLE samples MODIFY SETTING auto_statistics_types = '';
ALTER TABLE distributions MODIFY SETTING auto_statistics_types = '';
ALTER TABLE profile_samples MODIFY SETTING auto_statistics_types = '';
