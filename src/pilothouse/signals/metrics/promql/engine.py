"""The way in: a query as text, and its value."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from pilothouse.signals.metrics.promql.annotations import Annotations
from pilothouse.signals.metrics.promql.evaluating import Evaluator, Run, Settings
from pilothouse.signals.metrics.promql.matrix import Floats, Ints, Matrix, merged
from pilothouse.signals.metrics.promql.nodes import Node, Text, bare, value_type
from pilothouse.signals.metrics.promql.parser import parse
from pilothouse.signals.metrics.promql.planning import Grid, plan
from pilothouse.signals.metrics.promql.selection import Selection, Storage
from pilothouse.signals.metrics.promql.statistics import Statistics
from pilothouse.signals.metrics.promql.windows import stale_mask

Kind = Literal["vector", "matrix", "scalar", "string"]


@dataclass(slots=True)
class Value:
    """What a query evaluates to. Only the fields of its `kind` are set.

    A `vector` has one step. A `matrix` of a range query is `matrix` on `steps`; of an instant query that asks for raw
    samples it is `samples`. `scalars` are the values of a scalar at each step.
    """

    kind: Kind
    steps: Ints
    annotations: Annotations
    matrix: Matrix | None = None
    samples: Selection | None = None
    scalars: Floats | None = None
    text: str = ""
    statistics: Statistics = field(default_factory=Statistics)


def evaluate(
    storage: Storage, query: str | Node, grid: Grid, settings: Settings | None = None,
    stopped: Callable[[], bool] = lambda: False, is_range: bool | None = None,
) -> Value:  # fmt: skip
    """The value of a query on a grid; raises `PromqlError`. `stopped` is asked now and then whether to give up.

    `is_range` says that a range query is meant even though the grid has a single step.
    """
    begun = time.perf_counter()
    node = parse(query) if isinstance(query, str) else query
    chosen = settings or Settings()
    run = Run(storage, chosen, grid, stopped=stopped, deadline=time.monotonic() + chosen.timeout)
    planned = plan(node, grid)
    ready = time.perf_counter()
    value = _evaluated(run, planned, grid, not grid.is_instant if is_range is None else is_range)
    took = value.statistics = run.statistics
    took.preparing, took.evaluating = ready - begun, time.perf_counter() - ready
    took.peak, took.counted = run.samples, chosen.counted
    return value


def _evaluated(run: Run, node: Node, grid: Grid, is_range: bool) -> Value:
    evaluator = Evaluator(run, grid)
    steps, remarks = evaluator.steps, run.annotations
    match value_type(node):
        case "string":
            inner = bare(node)
            assert isinstance(inner, Text)
            return Value("string", steps, remarks, text=inner.value)
        case "scalar":
            return Value("scalar", steps, remarks, scalars=evaluator.scalar(node))
        case "matrix":
            selection = evaluator.samples_of(node)
            assert isinstance(selection, Selection)
            return Value("matrix", steps, remarks, samples=_inside(selection, node, evaluator))
    matrix = _cleaned(evaluator.vector(node))
    return Value("matrix" if is_range else "vector", steps, remarks, matrix=matrix.sorted() if is_range else matrix)


def _cleaned(matrix: Matrix) -> Matrix:
    """With the names dropped that were only marked so."""
    if not matrix.drop_name.any():
        return merged(matrix)
    pairs = zip(matrix.labels, matrix.drop_name, strict=True)
    return matrix.relabelled([labels.nameless() if drop else labels for labels, drop in pairs])


def _inside(selection: Selection, node: Node, evaluator: Evaluator) -> Selection:
    """Raw samples without stale markers and without series that have nothing else."""
    drop = getattr(selection, "drop_name", None)
    kept = ~stale_mask(selection.values)
    offsets = np.concatenate(([0], np.cumsum(kept)))[selection.offsets]
    rows = np.flatnonzero(np.diff(offsets))
    labels = selection.labels
    if drop is not None:
        labels = [one.nameless() if dropped else one for one, dropped in zip(labels, drop, strict=True)]
    return Selection(
        [labels[row] for row in rows],
        np.concatenate(([0], offsets[1:][rows])).astype(np.int64),
        selection.times[kept],
        selection.values[kept],
        None if selection.histograms is None else selection.histograms[kept],
    )
