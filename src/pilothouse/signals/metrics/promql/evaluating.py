"""Evaluation: from a planned expression to a matrix of series by steps.

Every node is evaluated at all steps at once. Samples come through `Storage`; what Prometheus does a step at a time is
done here on whole matrices, with the same result.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from pilothouse.signals.metrics.promql import annotations as say
from pilothouse.signals.metrics.promql import buckets, instant_functions, ranging
from pilothouse.signals.metrics.promql.aggregating import aggregate, count_values, grouped, select
from pilothouse.signals.metrics.promql.annotations import Annotations
from pilothouse.signals.metrics.promql.arithmetic import CHANGING, Cells, combine, on_numbers
from pilothouse.signals.metrics.promql.errors import ExecutionError, LimitError, StoppedError, TimedOutError
from pilothouse.signals.metrics.promql.extending import ExtendedWindow
from pilothouse.signals.metrics.promql.hinting import COUNTS_ONLY, with_resets
from pilothouse.signals.metrics.promql.info import Enrichment
from pilothouse.signals.metrics.promql.labels import EMPTY, Labels, is_label, labels_of, nameless
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher
from pilothouse.signals.metrics.promql.matching import VectorOperation, set_operation
from pilothouse.signals.metrics.promql.matrix import (
    Bools,
    Floats,
    Ints,
    Matrix,
    Objects,
    empty,
    joined,
    matrix_of,
    merged,
)
from pilothouse.signals.metrics.promql.native_ranges import Remarks
from pilothouse.signals.metrics.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Constant,
    MatrixSelector,
    Node,
    Number,
    Paren,
    Subquery,
    Text,
    Timing,
    Unary,
    VectorSelector,
    bare,
    value_type,
    walk,
)
from pilothouse.signals.metrics.promql.numbers import format_open_metrics, quote
from pilothouse.signals.metrics.promql.planning import Grid
from pilothouse.signals.metrics.promql.positions import Position
from pilothouse.signals.metrics.promql.rates import interpolated
from pilothouse.signals.metrics.promql.relabelling import label_join, label_replace, sorted_by_labels
from pilothouse.signals.metrics.promql.selection import Gridded, Selection, Storage, Windowing
from pilothouse.signals.metrics.promql.statistics import Statistics
from pilothouse.signals.metrics.promql.tokens import COMPARISONS, SET_OPERATORS
from pilothouse.signals.metrics.promql.windows import Windows, bounds_in, stale_mask, windows_of

# Fewer steps than this are quicker from the samples themselves.
_WORTH_GRIDDING = 2
TOO_MANY = "query processing would load too many samples into memory in query execution"


@dataclass(slots=True)
class Settings:
    """How queries are evaluated. Times in milliseconds; `delayed_names`: drop names only in the end.

    `counted`: count the samples of all windows, which costs a second statement where the store works windows out.
    """

    lookback: int = 300_000
    default_interval: int = 60_000
    max_samples: int = 50_000_000
    timeout: float = 120.0
    delayed_names: bool = False
    use_start_times: bool = False
    counted: bool = False


@dataclass(slots=True)
class Run:
    """One query under way: what it has found worth remarking and used up; `stopped` tells when nobody waits for it."""

    storage: Storage
    settings: Settings
    query: Grid
    annotations: Annotations = field(default_factory=Annotations)
    samples: int = 0
    deadline: float = 0.0
    stopped: Callable[[], bool] = lambda: False
    statistics: Statistics = field(default_factory=Statistics)

    def check(self, samples: int = 0) -> None:
        """Raise when the query has used more than it may."""
        self.samples += samples
        if self.samples > self.settings.max_samples:
            raise LimitError(TOO_MANY)
        if self.deadline and time.monotonic() > self.deadline:
            raise TimedOutError("query timed out in expression evaluation")
        if self.stopped():
            raise StoppedError("query was canceled in expression evaluation")


class Evaluator:
    """Evaluates on one grid; subqueries and constants get evaluators on grids of their own."""

    def __init__(self, run: Run, grid: Grid) -> None:
        self._run, self._grid = run, grid
        self._counts_only = False
        self.steps: Ints = np.arange(grid.start, grid.end + 1, max(grid.step, 1), dtype=np.int64)
        if grid.is_instant:
            self.steps = self.steps[:1]

    # Values.

    def vector(self, node: Node) -> Matrix:
        """The value of an expression of type vector."""
        self._run.check()
        result = self._vector(node)
        self._run.check(int(result.present.sum()))
        return result

    def scalar(self, node: Node) -> Floats:
        """The value of an expression of type scalar, at each step."""
        match node:
            case Number():
                return np.full(len(self.steps), node.value)
            case Paren():
                return self.scalar(node.expression)
            case Constant():
                return np.full(len(self.steps), self._once().scalar(node.expression)[0])
            case Unary():
                inner = self.scalar(node.expression)
                return -inner if node.operator == "-" else inner
            case Binary():
                return on_numbers(node.operator, self.scalar(node.left), self.scalar(node.right))
            case Call():
                return self._scalar_call(node)
        raise ExecutionError(f"not a scalar: {type(node).__name__}")

    def samples_of(self, node: Node) -> Matrix | Selection:
        """The raw samples of a range selector or subquery, for an instant query that asks for just them."""
        inner = bare(node)
        assert isinstance(inner, MatrixSelector | Subquery)
        selection, _ = self._range_samples(inner)
        self._run.statistics.queryable += int((~stale_mask(selection.values)).sum())
        return selection

    def _vector(self, node: Node) -> Matrix:
        match node:
            case VectorSelector():
                return self._selected(node)
            case Call():
                return self._call(node)
            case Aggregation():
                return self._aggregation(node)
            case Binary():
                return self._binary(node)
            case Unary():
                return self._unary(node)
            case Paren():
                return self._vector(node.expression)
            case Constant():
                queryable = self._run.statistics.queryable
                matrix = self._repeated(self._once().vector(node.expression))
                # Prometheus counts what is worked out once for every step that it is of.
                again = self._run.statistics.queryable - queryable
                self._run.statistics.queryable += again * (len(self.steps) - 1)
                return matrix
        raise ExecutionError(f"not a vector: {type(node).__name__}")

    def _once(self) -> Evaluator:
        once = Evaluator(self._run, Grid(self._grid.start, self._grid.start, self._grid.step))
        once._counts_only = self._counts_only
        return once

    def _repeated(self, matrix: Matrix) -> Matrix:
        count = len(self.steps)
        histograms = matrix.histograms
        return Matrix(
            matrix.labels,
            np.repeat(matrix.values, count, axis=1),
            np.repeat(matrix.present, count, axis=1),
            None if histograms is None else np.repeat(histograms, count, axis=1),
            matrix.drop_name,
        )

    def _nameless(self, matrix: Matrix) -> Matrix:
        """Without names: at once, or marked so for later."""
        if self._run.settings.delayed_names:
            return Matrix(
                matrix.labels, matrix.values, matrix.present, matrix.histograms, np.ones(len(matrix.labels), bool)
            )
        return matrix.relabelled(nameless(matrix.labels))

    # Selectors.

    def _references(self, timing: Timing) -> Ints:
        """The times that a selector looks at, for each step."""
        base = self.steps if timing.at is None else np.full(len(self.steps), timing.at, dtype=np.int64)
        result: Ints = base - timing.offset
        return result

    def _read(self, matchers: tuple[Matcher, ...] | list[Matcher], start: int, end: int) -> Selection:
        selection = self._run.storage.select(matchers, start, end)
        self._run.check(selection.size)
        self._run.statistics.read += selection.size
        return with_resets(selection) if self._counts_only else selection

    def _selected(self, node: VectorSelector) -> Matrix:
        references = self._references(node.timing)
        lookback = self._run.settings.lookback
        if not node.extension and (found := self._gridded("latest", node.matchers, references, lookback)):
            self._run.statistics.queryable += int(found.present.sum())
            return matrix_of(found.labels, found.values, found.present)
        after = lookback if node.extension else 0
        selection = self._read(node.matchers, int(references.min()) - lookback + 1, int(references.max()) + after)
        if node.extension:
            return self._smoothed(selection, references, node.position)
        places, present = self._latest(selection, references)
        values = np.where(present, selection.values[places], 0.0) if selection.size else np.zeros(present.shape)
        histograms = None
        if selection.histograms is not None:
            histograms = np.where(present, selection.histograms[places], np.array(None, dtype=object))
        return matrix_of(selection.labels, values, present, histograms)

    def _latest(self, selection: Selection, references: Ints) -> tuple[Ints, Bools]:
        """For each series and step the newest sample not older than the lookback, unless it is a stale marker."""
        if not selection.size:
            shape = (len(selection.labels), len(references))
            return np.zeros(shape, np.int64), np.zeros(shape, bool)
        places = bounds_in(selection.offsets, selection.times, references) - 1
        found = places >= selection.offsets[:-1, None]
        places = np.maximum(places, 0)
        fresh = selection.times[places] > (references - self._run.settings.lookback)[None, :]
        present = found & fresh & ~stale_mask(selection.values)[places]
        self._run.statistics.queryable += int(present.sum())
        return places, present

    def _smoothed(self, selection: Selection, references: Ints, position: Position) -> Matrix:
        """Values interpolated between the samples around each step."""
        lookback = self._run.settings.lookback
        windows = windows_of(selection, references, self.steps, 0, "smoothed", lookback)
        floats, histograms = windows.floats, None
        values, present = np.zeros(windows.shape), floats.counts > 0
        for row, column in zip(*np.nonzero(present), strict=True):
            low, high = floats.low[row, column], floats.high[row, column]
            times, window = floats.times[low:high], floats.values[low:high]
            place = int(np.searchsorted(times, references[column], side="right")) - 1
            if place < 0:
                present[row, column] = False
            elif place == len(times) - 1 or times[place] == references[column]:
                values[row, column] = window[place]
            else:
                values[row, column] = interpolated(times, window, place, int(references[column]), False)
        if windows.histograms is not None:
            histograms = self._smoothed_histograms(windows, present, position)
        return matrix_of(selection.labels, values, present, histograms)

    def _smoothed_histograms(self, windows: Windows, present: Bools, position: Position) -> Objects:
        """The same for native histograms; `present` is brought up to date."""
        found: Objects = np.full(windows.shape, None, dtype=object)
        samples = windows.histograms
        assert samples is not None
        for row, column in zip(*np.nonzero(samples.counts > 0), strict=True):
            remarks = Remarks(self._run.annotations, windows.labels[row].name, position)
            present[row, column] = False
            if windows.floats.counts[row, column]:
                remarks.warn(say.mixed_floats)
                continue
            low, high = samples.low[row, column], samples.high[row, column]
            end = int(windows.ends[column])
            window = ExtendedWindow(samples.times[low:high], samples.values[low:high], end, end, True)
            found[row, column] = window.value(remarks)
            present[row, column] = found[row, column] is not None
        return found

    def _range_samples(self, node: MatrixSelector | Subquery) -> tuple[Selection, Ints]:
        """What a range vector is made of, and where its windows end."""
        if isinstance(node, Subquery):
            return self._subquery(node)
        ends = self._references(node.vector.timing)
        lookback = self._run.settings.lookback
        before = lookback if node.vector.extension else 0
        after = lookback if node.vector.extension == "smoothed" else 0
        start, end = int(ends.min()) - node.range - before + 1, int(ends.max()) + after
        selection = self._read(node.vector.matchers, start, end)
        if not self._run.settings.use_start_times:
            selection.starts = None
        return selection, ends

    def _subquery(self, node: Subquery) -> tuple[Selection, Ints]:
        ends = self._references(node.timing)
        step = node.step or self._run.settings.default_interval
        begin = int(ends.min()) - node.range
        start = begin // step * step + step
        end = int(ends.max())
        if start > end:
            return _selection_of(empty(0), np.zeros(0, np.int64)), ends
        self._run.check((end - start) // step)
        inner = Evaluator(self._run, Grid(start, end, step))
        if start == end:
            inner.steps = np.array([start], dtype=np.int64)
        queryable = self._run.statistics.queryable
        selection = _selection_of(inner.vector(node.expression), inner.steps)
        # Of a subquery Prometheus counts the points that it makes, in the windows of what is around it.
        self._run.statistics.queryable = queryable
        return selection, ends

    # Functions.

    def _scalar_call(self, node: Call) -> Floats:
        query = self._run.query
        match node.function.name:
            case "time":
                return self.steps / 1000
            case "max_of" | "min_of" as name:
                extreme = np.maximum if name == "max_of" else np.minimum
                result: Floats = extreme(self.scalar(node.arguments[0]), self.scalar(node.arguments[1]))
                return result
            case "pi":
                return np.full(len(self.steps), np.pi)
            case "start":
                return np.full(len(self.steps), query.start / 1000)
            case "end":
                return np.full(len(self.steps), query.end / 1000)
            case "range":
                return np.full(len(self.steps), (query.end - query.start) / 1000)
            case "step":
                return np.full(len(self.steps), 0.0 if query.is_instant else query.step / 1000)
            case _:
                matrix = self.vector(node.arguments[0]).as_floats()
                if not matrix.labels:
                    return np.full(len(self.steps), np.nan)
                sums = np.where(matrix.present, matrix.values, 0.0).sum(axis=0)
                return np.where(matrix.present.sum(axis=0) == 1, sums, np.nan)

    def _call(self, node: Call) -> Matrix:
        before = self._counts_only
        self._counts_only = COUNTS_ONLY.get(node.function.name, before)
        try:
            return self._called(node)
        finally:
            self._counts_only = before

    def _called(self, node: Call) -> Matrix:
        name, arguments = node.function.name, node.arguments
        if "matrix" in node.function.arguments:
            return self._range_function(node)
        if name in instant_functions.MATH:
            matrix = instant_functions.on_numbers(self.vector(arguments[0]), instant_functions.MATH[name])
            return self._nameless(matrix)
        if name in instant_functions.NATIVE:
            matrix = instant_functions.on_histograms(self.vector(arguments[0]), instant_functions.NATIVE[name])
            return self._nameless(matrix)
        function: Callable[[Call], Matrix] = getattr(self, f"_{_METHODS.get(name, name)}")
        return function(node)

    def _gridded(self, name: str, matchers: tuple[Matcher, ...], ends: Ints, length: int) -> Gridded | None:
        """What the store works out itself, where it can."""
        if name == "latest" and len(ends) < _WORTH_GRIDDING:
            return None
        step = int(ends[1] - ends[0]) if len(ends) > 1 else 1
        if step <= 0 or self._run.settings.use_start_times:
            return None
        windows = Windowing(int(ends[0]), step, len(ends), length)
        found = self._run.storage.gridded(name, matchers, windows)
        if found is not None:
            # What the store looks at one after the other is not in memory at once: what it answers counts.
            self._run.check()
            self._run.statistics.read += found.samples
            if name != "latest" and self._run.settings.counted:
                self._count(matchers, windows)
        return found

    def _count(self, matchers: tuple[Matcher, ...], windows: Windowing) -> None:
        """Count the samples of windows that the store works out."""
        counts = self._run.storage.gridded("count_over_time", matchers, windows)
        if counts is not None:
            self._run.statistics.queryable += int(counts.values[counts.present].sum())

    def _range_function(self, node: Call) -> Matrix:
        name = node.function.name
        place = node.function.arguments.index("matrix")
        argument = node.arguments[place]
        scalars = [self.scalar(other) for position, other in enumerate(node.arguments) if position != place]
        inner = bare(argument)
        if not isinstance(inner, MatrixSelector | Subquery):
            raise ExecutionError("not a range vector")
        if isinstance(inner, MatrixSelector) and not inner.vector.extension and not scalars:
            ends = self._references(inner.vector.timing)
            if found := self._gridded(name, inner.vector.matchers, ends, inner.range):
                return self._from_grid(name, found, argument.position)
        selection, ends = self._range_samples(inner)
        extension = inner.vector.extension if isinstance(inner, MatrixSelector) else ""
        windows = windows_of(
            selection, ends, self.steps, inner.range, extension, self._run.settings.lookback
        )  # fmt: skip
        self._run.statistics.queryable += int(windows.floats.counts.sum() + windows.histogram_counts.sum())
        positions = [other.position for other in node.arguments]
        values, present, histograms = ranging.apply(name, windows, scalars, self._run.annotations, positions)
        if name == "absent_over_time":
            return self._absent_at(np.asarray(present.any(axis=0)), inner)
        matrix = matrix_of(windows.labels, values, present, histograms, self._dropped(selection))
        if name in ("last_over_time", "first_over_time"):
            return matrix
        return self._nameless(matrix)

    def _from_grid(self, name: str, found: Gridded, position: Position) -> Matrix:
        if name in ("rate", "increase"):
            ranging.check_counters(found.labels, found.present, self._run.annotations, position)
        matrix = matrix_of(found.labels, found.values, found.present)
        return matrix if name in ("last_over_time", "first_over_time") else self._nameless(matrix)

    def _dropped(self, selection: Selection) -> Bools:
        drop = getattr(selection, "drop_name", None)
        return np.zeros(len(selection.labels), bool) if drop is None else drop

    def _absent_at(self, there: Bools, argument: Node) -> Matrix:
        values = np.ones((1, len(self.steps)))
        return matrix_of([_absent_labels(argument)], values, ~there[None, :])

    def _absent(self, node: Call) -> Matrix:
        matrix = self.vector(node.arguments[0])
        return self._absent_at(np.asarray(matrix.present.any(axis=0)), node.arguments[0])

    def _vector_of_scalar(self, node: Call) -> Matrix:
        values = self.scalar(node.arguments[0])[None, :]
        return matrix_of([EMPTY], values, np.ones(values.shape, bool))

    def _date(self, node: Call) -> Matrix:
        name = node.function.name
        if not node.arguments:
            values = instant_functions.date_part(name, np.trunc(self.steps / 1000))[None, :]
            return matrix_of([EMPTY], values, np.ones(values.shape, bool))
        matrix = self.vector(node.arguments[0])
        return self._nameless(
            instant_functions.on_numbers(matrix, lambda values: instant_functions.date_part(name, values))
        )

    def _timestamp(self, node: Call) -> Matrix:
        argument = bare(node.arguments[0])
        if isinstance(argument, VectorSelector) and not argument.extension:
            references = self._references(argument.timing)
            start = int(references.min()) - self._run.settings.lookback + 1
            selection = self._read(argument.matchers, start, int(references.max()))
            places, present = self._latest(selection, references)
            times = selection.times[places] / 1000 if selection.size else np.zeros(present.shape)
            return self._nameless(matrix_of(selection.labels, times, present))
        matrix = self.vector(node.arguments[0])
        times = np.broadcast_to(self.steps / 1000, matrix.values.shape)
        return self._nameless(matrix_of(matrix.labels, np.array(times), matrix.present))

    def _start_timestamp(self, node: Call) -> Matrix:
        """When the samples of a selector began to count; nothing of an expression, or where starts are not used."""
        argument = bare(node.arguments[0])
        matrix = self.vector(node.arguments[0])
        if not isinstance(argument, VectorSelector) or argument.extension or not self._run.settings.use_start_times:
            return empty(len(self.steps))
        references = self._references(argument.timing)
        start = int(references.min()) - self._run.settings.lookback + 1
        selection = self._read(argument.matchers, start, int(references.max()))
        if not selection.size:
            return matrix
        places, present = self._latest(selection, references)
        starts = np.zeros(len(selection.times)) if selection.starts is None else selection.starts / 1000
        return self._nameless(matrix_of(selection.labels, starts[places], present))

    def _clamp(self, node: Call) -> Matrix:
        name = node.function.name
        bounds = [self.scalar(argument) for argument in node.arguments[1:]]
        endless = np.full(len(self.steps), np.inf)
        low, high = {"clamp_min": (bounds[0], endless), "clamp_max": (-endless, bounds[0])}.get(
            name, (bounds[0], bounds[-1])
        )
        return self._nameless(instant_functions.clamped(self.vector(node.arguments[0]), low, high))

    def _round(self, node: Call) -> Matrix:
        nearest = self.scalar(node.arguments[1]) if len(node.arguments) > 1 else np.ones(len(self.steps))
        matrix = self.vector(node.arguments[0])
        return self._nameless(
            instant_functions.on_numbers(matrix, lambda values: instant_functions.rounded(values, nearest[None, :]))
        )

    def _sort(self, node: Call) -> Matrix:
        matrix = self.vector(node.arguments[0])
        if not self._grid.is_instant:
            self._run.annotations.warn(say.SORT_IN_RANGE, node.position)
        if node.function.name.startswith("sort_by_label"):
            names = [_text(argument) for argument in node.arguments[1:]]
            order = sorted_by_labels(matrix, names, node.function.name.endswith("_desc"))
            return matrix.rows(np.array(order, dtype=np.int64))
        matrix = matrix.as_floats()
        if matrix.steps != 1:
            return matrix
        values = matrix.values[:, 0]
        keys = -values if node.function.name == "sort_desc" else values
        return matrix.rows(np.argsort(np.where(np.isnan(keys), np.inf, keys), kind="stable"))

    def _label_replace(self, node: Call) -> Matrix:
        texts = [_text(argument) for argument in node.arguments[1:]]
        return label_replace(self.vector(node.arguments[0]), *texts)

    def _label_join(self, node: Call) -> Matrix:
        target, separator, *sources = (_text(argument) for argument in node.arguments[1:])
        return label_join(self.vector(node.arguments[0]), target, separator, sources)

    def _histogram_quantile(self, node: Call) -> Matrix:
        wanted = self.scalar(node.arguments[0])
        matrix = self.vector(node.arguments[1])
        annotations = self._run.annotations
        buckets.check_quantiles(wanted, annotations, node.arguments[0].position)
        gathered = buckets.gather(matrix, annotations, node.arguments[1].position)
        positions = node.arguments[0].position, node.arguments[1].position
        function = buckets.Quantiles(wanted, annotations, positions, self._run.settings.delayed_names)
        return self._nameless(buckets.apply(gathered, function.classic, function.native))

    def _histogram_quantiles(self, node: Call) -> Matrix:
        matrix = self.vector(node.arguments[0])
        label = _text(node.arguments[1])
        annotations = self._run.annotations
        gathered = buckets.gather(matrix, annotations, node.arguments[0].position)
        parts = []
        for argument in node.arguments[2:]:
            wanted = self.scalar(argument)
            buckets.check_quantiles(wanted, annotations, argument.position)
            positions = node.arguments[0].position, node.arguments[0].position
            function = buckets.Quantiles(wanted, annotations, positions, self._run.settings.delayed_names)
            found = self._nameless(buckets.apply(gathered, function.classic, function.native))
            for value in np.unique(wanted):
                labels = [one.setting({label: format_open_metrics(float(value))}) for one in found.labels]
                part = Matrix(labels, found.values, found.present, found.histograms, found.drop_name)
                here = (wanted == value) | (np.isnan(wanted) & np.isnan(value))
                parts.append(part.masked(part.present & here[None, :]))
        return merged(joined(parts, len(self.steps)))

    def _histogram_fraction(self, node: Call) -> Matrix:
        lower, upper = self.scalar(node.arguments[0]), self.scalar(node.arguments[1])
        matrix = self.vector(node.arguments[2])
        annotations = self._run.annotations
        gathered = buckets.gather(matrix, annotations, node.arguments[2].position)
        names = self._run.settings.delayed_names
        function = buckets.Fractions(lower, upper, annotations, node.arguments[0].position, names)
        return self._nameless(buckets.apply(gathered, function.classic, function.native))

    def _info(self, node: Call) -> Matrix:
        base = self.vector(node.arguments[0])
        matchers: tuple[Matcher, ...] = ()
        if len(node.arguments) > 1:
            selector = bare(node.arguments[1])
            assert isinstance(selector, VectorSelector)
            matchers = selector.matchers
        enrichment = Enrichment(matchers)
        asked = enrichment.matchers(base)
        references = self._info_times(node.arguments[0])
        if asked is None:
            info, times = empty(len(self.steps)), np.zeros((0, len(self.steps)), np.int64)
        else:
            start = int(references.min()) - self._run.settings.lookback + 1
            selection = self._read(asked, start, int(references.max()))
            places, present = self._latest(selection, references)
            kept = present.any(axis=1)
            times = (selection.times[places] if selection.size else places)[kept]
            cells = None if selection.histograms is None else selection.histograms[places]
            info = matrix_of(selection.labels, np.zeros(present.shape), present, cells)
        return enrichment.enriched(base, info, times)

    def _info_times(self, node: Node) -> Ints:
        for part in walk(node):
            if isinstance(part, VectorSelector):
                return self._references(part.timing)
        return self.steps

    # Operators.

    def _unary(self, node: Unary) -> Matrix:
        matrix = self.vector(node.expression)
        if node.operator == "+":
            return matrix
        histograms = matrix.histograms
        if histograms is not None:
            negate = np.frompyfunc(lambda cell: None if cell is None else cell.scaled(-1.0), 1, 1)
            histograms = negate(histograms)
        return self._nameless(Matrix(matrix.labels, -matrix.values, matrix.present, histograms, matrix.drop_name))

    def _binary(self, node: Binary) -> Matrix:
        left_type, right_type = value_type(node.left), value_type(node.right)
        if left_type == right_type == "vector":
            left, right = self.vector(node.left), self.vector(node.right)
            assert node.matching is not None
            if node.operator in SET_OPERATORS:
                return set_operation(node.operator, left, right, node.matching)
            operation = VectorOperation(node, left, right, self._run.annotations, self._run.settings.delayed_names)
            return operation.result()
        return self._with_scalar(node, swapped=left_type == "scalar")

    def _with_scalar(self, node: Binary, swapped: bool) -> Matrix:
        scalar = Cells(self.scalar(node.left if swapped else node.right)[None, :])
        matrix = self.vector(node.right if swapped else node.left)
        vector = Cells(matrix.values, matrix.histograms)
        left, right = (scalar, vector) if swapped else (vector, scalar)
        cells, kept = combine(node.operator, left, right, matrix.present, self._run.annotations, node.position)
        if node.return_bool:
            values, kept = kept.astype(np.float64), matrix.floats
            return self._nameless(matrix_of(matrix.labels, values, kept, None, matrix.drop_name))
        if node.operator in COMPARISONS:
            return matrix.masked(kept)
        found = matrix_of(matrix.labels, np.array(cells.values), kept, cells.histograms, matrix.drop_name)
        return self._nameless(found) if node.operator in CHANGING else found

    def _aggregation(self, node: Aggregation) -> Matrix:
        if node.operator == "count_values":
            assert node.parameter is not None
            label = _text(node.parameter)
            if not is_label(label):
                raise ExecutionError(f"invalid label name {quote(label)}")
            return count_values(self.vector(node.expression), label, node.grouping, node.without)
        parameter, place = None, Position(0, 0)
        if node.parameter is not None:
            parameter, place = self.scalar(node.parameter), node.parameter.position
        matrix = self.vector(node.expression)
        groups = grouped(matrix.labels, node.grouping, node.without)
        if node.operator in ("topk", "bottomk", "limitk", "limit_ratio"):
            assert parameter is not None
            positions = node.expression.position, place, node.position
            return select(node.operator, matrix, groups, parameter, self._run.annotations, positions)
        found = aggregate(
            node.operator, matrix, groups, parameter, self._run.annotations, (node.expression.position, place)
        )
        if matrix.drop_name.any() and NAME in node.grouping and not node.without:
            dropped = {groups.labels[group] for group in groups.of[matrix.drop_name]}
            found.drop_name = np.array([labels in dropped for labels in found.labels], dtype=bool)
        return found


# Functions that share a method, or whose name is taken.
_METHODS = {
    **dict.fromkeys(
        ["days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year"], "date"
    ),
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max"), "clamp"),
    **dict.fromkeys(("sort", "sort_desc", "sort_by_label", "sort_by_label_desc"), "sort"),
    "vector": "vector_of_scalar",
}


def _text(node: Node) -> str:
    inner = bare(node)
    assert isinstance(inner, Text)
    return inner.value


def _absent_labels(node: Node) -> Labels:
    """What is known of a series that is not there: the labels that the selector wants to be equal to something."""
    inner = bare(node)
    if isinstance(inner, MatrixSelector):
        inner = inner.vector
    if not isinstance(inner, VectorSelector):
        return EMPTY
    found: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in inner.matchers:
        if matcher.label == NAME:
            continue
        if matcher.operator == "=" and matcher.label not in seen:
            found[matcher.label] = matcher.value
            seen.add(matcher.label)
        else:
            found.pop(matcher.label, None)
    return labels_of(found)


class _NamedSelection(Selection):
    """Samples of a subquery: whether each series' name is to be dropped goes with them."""

    __slots__ = ("drop_name",)
    drop_name: Bools


def _selection_of(matrix: Matrix, steps: Ints) -> Selection:
    """The matrix of a subquery as samples."""
    rows, columns = np.nonzero(matrix.present)
    histograms = None if matrix.histograms is None else matrix.histograms[rows, columns]
    values = matrix.values[rows, columns]
    if histograms is not None:
        for place, cell in enumerate(histograms):
            if cell is not None:
                values[place] = 0.0
                if cell.hint in ("reset", "not_reset"):
                    histograms[place] = replace(cell, hint="unknown")
    offsets = np.concatenate(([0], np.cumsum(matrix.present.sum(axis=1)))).astype(np.int64)
    times = steps[columns] if len(steps) else np.zeros(0, np.int64)
    selection = _NamedSelection(matrix.labels, offsets, times, values, histograms)
    selection.drop_name = matrix.drop_name
    return selection
