"""Against the real Prometheus on the same machine, with the same samples: remote write, queries, bytes a sample."""
