"""Measures Pilothouse through its real ports: `python -m bench` writes `bench/RESULTS.md`."""
