"""Scraping as Prometheus does it: targets found and relabelled, asked at their intervals, `up`, staleness."""
