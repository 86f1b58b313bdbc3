"""Traces: what ingest costs, what a span takes on disk, and how long questions take over millions of spans."""
