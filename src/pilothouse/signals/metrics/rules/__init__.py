"""Prometheus' rules: files of them, their evaluation, alerts and where they go, and promtool's unit tests."""
