"""PromQL: parser, planner, and an evaluator on matrices of series by steps.

`engine.evaluate` is the way in. Samples come through `selection.Storage`; nothing here knows where they are kept.
Semantics and messages are those of Prometheus 3.14.
"""
