-- Native histograms whose counts are no whole numbers (docs/adr/0141): the count, that of the zero bucket, then those of
-- the positive and of the negative buckets. The columns before hold them rounded; of others this is empty.
ALTER TABLE distributions ADD COLUMN exact_counts Array(Float64) CODEC(ZSTD(1));
