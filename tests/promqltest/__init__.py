"""Runs Prometheus' test scripts (`*.test`, the promqltest format) against our PromQL engine.

`python -m tests.promqltest FILE...` runs any such file and ends with `N passed, N failed`.
"""
