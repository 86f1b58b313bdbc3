"""Metrics as a Prometheus user sees them: names and labels, a store for the PromQL engine, the HTTP API."""
