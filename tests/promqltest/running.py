"""Runs the commands of a script: loads into a store in memory, evaluates, compares."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pilothouse.signals.metrics.promql.engine import Value as Answer
from pilothouse.signals.metrics.promql.engine import evaluate
from pilothouse.signals.metrics.promql.errors import ParseError, PromqlError
from pilothouse.signals.metrics.promql.evaluating import Settings
from pilothouse.signals.metrics.promql.histogram import Histogram
from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.memory import MemoryStorage
from pilothouse.signals.metrics.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    MatrixSelector,
    Node,
    Subquery,
    VectorSelector,
    walk,
)
from pilothouse.signals.metrics.promql.notation import Value
from pilothouse.signals.metrics.promql.numbers import is_stale
from pilothouse.signals.metrics.promql.parser import parse
from pilothouse.signals.metrics.promql.planning import Grid
from tests.promqltest.commands import Clear, Eval, Load, ScriptError, read
from tests.promqltest.custom_buckets import converted

_EPSILON = 1e-6
_SMALLEST_NORMAL = 2.2250738585072014e-308
_MINUTE = 60_000
# Prometheus runs its scripts with these switched on.
SETTINGS = Settings(delayed_names=True, use_start_times=True, max_samples=10_000_000)
_TIMELY = frozenset(
    [
        "days_in_month",
        "day_of_month",
        "day_of_week",
        "day_of_year",
        "hour",
        "minute",
        "month",
        "year",
        "predict_linear",
        "time",
        "timestamp",
        "start",
        "end",
        "range",
        "step",
    ]
)
# What these say is another thing in a range query.
_OF_THE_QUERY = re.compile(r"\b(start|end|range|step)\s*\(\s*\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Result:
    """Whether one command of a script did what it should; `failure` is empty then."""

    line: int
    query: str
    failure: str


_MOST_STEPS = 1_000_000


class MismatchError(Exception):
    """The answer is not what the script expects."""


def run(text: str) -> Iterator[Result]:
    """The results of all evaluations of a script, and of commands that cannot be read."""
    storage = MemoryStorage()
    for command in read(text):
        match command:
            case ScriptError():
                yield Result(0, "", str(command))
            case Clear():
                storage.clear()
            case Load():
                try:
                    _load(storage, command)
                except Exception as error:
                    yield Result(0, "", _broken(error))
            case Eval():
                try:
                    _check(storage, command)
                    yield Result(command.line, command.query, "")
                except MismatchError as error:
                    yield Result(command.line, command.query, str(error))
                except Exception as error:
                    yield Result(command.line, command.query, _broken(error))


def _broken(error: Exception) -> str:
    """What a command came to that is not even wrong: the commands after it are run all the same."""
    return f"cannot be run: {type(error).__name__}: {error}"


def _load(storage: MemoryStorage, command: Load) -> None:
    for series in command.series:
        for place, value in enumerate(series.values):
            if value is not None:
                time = place * command.step
                distance = series.starts[place] if place < len(series.starts) else None
                start = 0 if distance is None else time + distance
                storage.add(series.labels, time, value, start)
    if command.with_custom_buckets:
        for labels, time, histogram in converted(command.series, command.step):
            storage.add(labels, time, histogram)


def _check(storage: MemoryStorage, command: Eval) -> None:
    try:
        node = parse(command.query)
    except ParseError as error:
        _check_failure(command, error)
        return
    if command.is_range:
        if (command.end - command.start) // max(command.step, 1) > _MOST_STEPS:
            raise MismatchError(f"more than {_MOST_STEPS} steps are too many")
        grid = Grid(command.start, command.end, command.step)
        _check_query(storage, command, node, grid)
        return
    at = command.end if command.is_range_vector else command.start
    _check_query(storage, command, node, Grid(at, at, 0))
    if "fail" in command.expects or command.is_range_vector or command.text is not None:
        return
    if not _OF_THE_QUERY.search(command.query):
        _check_in_range(storage, command, node, at)
    for other, time in _fixed_in_time(node, at):
        _check_query(storage, command, other, Grid(time, time, 0))


def _check_query(storage: MemoryStorage, command: Eval, node: Node, grid: Grid) -> None:
    try:
        answer = evaluate(storage, node, grid, SETTINGS, is_range=command.is_range)
    except PromqlError as error:
        _check_failure(command, error)
        return
    if "fail" in command.expects:
        raise MismatchError("expected an error, got none")
    _check_annotations(command, answer)
    _compare(command, answer)


def _check_failure(command: Eval, error: PromqlError) -> None:
    wanted = command.expects.get("fail")
    if not wanted:
        raise MismatchError(f"error: {error}")
    if not wanted[0].met(str(error)):
        raise MismatchError(f"expected error {wanted[0]}, got: {error}")


def _check_in_range(storage: MemoryStorage, command: Eval, node: Node, at: int) -> None:
    """The same must come out at the middle step of a range query."""
    try:
        answer = evaluate(storage, node, Grid(at - _MINUTE, at + _MINUTE, _MINUTE), SETTINGS)
    except PromqlError as error:
        raise MismatchError(f"in range mode: error: {error}") from None
    if "ordered" in command.expects:
        return
    if answer.kind == "scalar":
        assert answer.scalars is not None
        _compare_scalar(command, float(answer.scalars[1]))
    elif answer.matrix is not None:
        middle = answer.matrix
        histograms = None if middle.histograms is None else middle.histograms[:, 1:2]
        column = replace(middle, values=middle.values[:, 1:2], present=middle.present[:, 1:2], histograms=histograms)
        try:
            _compare_series(command, _vector(column.masked(column.present)))
        except MismatchError as error:
            raise MismatchError(f"in range mode: {error}") from None


def _fixed_in_time(node: Node, at: int) -> Iterator[tuple[Node, int]]:
    """The query with `@` on all its selectors, evaluated at other times: the answer must not change."""
    if any(isinstance(part, Call) and part.function.name in _TIMELY for part in walk(node)):
        return
    fixed = _fixed(node, at)
    for time in (0, at // 5, 10 * at):
        yield fixed, time


def _fixed(node: Node, at: int) -> Node:
    match node:
        case VectorSelector():
            return node if node.timing.at is not None else replace(node, timing=replace(node.timing, at=at))
        case MatrixSelector():
            return replace(node, vector=_fixed(node.vector, at))
        case Subquery():
            if node.timing.at is not None:
                return node
            return replace(node, timing=replace(node.timing, at=at), expression=node.expression)
        case Call():
            return replace(node, arguments=tuple(_fixed(argument, at) for argument in node.arguments))
        case Binary():
            return replace(node, left=_fixed(node.left, at), right=_fixed(node.right, at))
        case Aggregation() if node.parameter is not None:
            return replace(node, parameter=_fixed(node.parameter, at), expression=_fixed(node.expression, at))
    if hasattr(node, "expression"):
        return replace(node, expression=_fixed(node.expression, at))
    return node


def _check_annotations(command: Eval, answer: Answer) -> None:
    for kind, word, none in (("warning", "warn", "no_warn"), ("info", "info", "no_info")):
        wanted = command.expects.get(word, [])
        # Scripts since 3.15 expect the place too, with the same words before it.
        placed = any((one.text or one.said).endswith(")") for one in wanted)
        found = answer.annotations.placed(kind, command.query) if placed else answer.annotations.of(kind)
        if none in command.expects and found:
            raise MismatchError(f"unexpected {kind}: {found}")
        if wanted and not found:
            raise MismatchError(f"expected a {kind}, got none")
        for expectation in wanted:
            if not any(map(expectation.met, found)):
                raise MismatchError(f"expected {kind} {expectation}, got {found}")
        for message in found if wanted else ():
            if not any(expectation.met(message) for expectation in wanted):
                raise MismatchError(f"unexpected {kind}: {message}")


def _compare(command: Eval, answer: Answer) -> None:
    match answer.kind:
        case "string":
            if command.text != answer.text:
                raise MismatchError(f"expected {command.text!r}, got {answer.text!r}")
        case "scalar" if not command.is_range:
            assert answer.scalars is not None
            _compare_scalar(command, float(answer.scalars[0]))
        case "scalar":
            assert answer.scalars is not None
            points = dict(zip(answer.steps.tolist(), answer.scalars.tolist(), strict=True))
            _compare_points(command, [(Labels(()), points)])
        case "vector":
            assert answer.matrix is not None
            _compare_series(command, _vector(answer.matrix))
        case "matrix":
            _compare_points(command, _matrix(answer))


def _compare_scalar(command: Eval, value: float) -> None:
    if command.scalar is None:
        raise MismatchError(f"expected series, got the scalar {value}")
    if not _close(command.scalar, value):
        raise MismatchError(f"expected {command.scalar}, got {value}")


def _vector(matrix: object) -> list[tuple[Labels, float | Histogram]]:
    found: list[tuple[Labels, float | Histogram]] = []
    for row, labels in enumerate(matrix.labels):
        cell = None if matrix.histograms is None else matrix.histograms[row, 0]
        found.append((labels, float(matrix.values[row, 0]) if cell is None else cell))
    return found


def _compare_series(command: Eval, found: list[tuple[Labels, float | Histogram]]) -> None:
    if command.scalar is not None:
        raise MismatchError(f"expected the scalar {command.scalar}, got {found}")
    wanted = {labels: (place, values[0]) for place, (labels, values) in enumerate(command.series)}
    for place, (labels, value) in enumerate(found):
        if labels not in wanted:
            raise MismatchError(f"unexpected series {labels} with {value}")
        position, expected = wanted[labels]
        if "ordered" in command.expects and position != place:
            raise MismatchError(f"expected {labels} at position {position + 1}, got it at {place + 1}")
        _compare_value(labels, expected, value)
    for labels in wanted.keys() - {labels for labels, _ in found}:
        raise MismatchError(f"expected series {labels} not found")


def _matrix(answer: Answer) -> list[tuple[Labels, dict[int, float | Histogram]]]:
    found: list[tuple[Labels, dict[int, float | Histogram]]] = []
    if answer.samples is not None:
        samples = answer.samples
        for row, labels in enumerate(samples.labels):
            span = range(samples.offsets[row], samples.offsets[row + 1])
            cells = {
                int(samples.times[place]): samples.values[place]
                if samples.histograms is None or samples.histograms[place] is None
                else samples.histograms[place]
                for place in span
            }
            found.append((labels, cells))
        return found
    matrix = answer.matrix
    assert matrix is not None
    for row, labels in enumerate(matrix.labels):
        cells = {}
        for column in np.flatnonzero(matrix.present[row]):
            cell = None if matrix.histograms is None else matrix.histograms[row, column]
            cells[int(answer.steps[column])] = float(matrix.values[row, column]) if cell is None else cell
        found.append((labels, cells))
    return found


def _compare_points(command: Eval, found: list[tuple[Labels, dict[int, float | Histogram]]]) -> None:
    if command.scalar is not None:
        raise MismatchError(f"expected the scalar {command.scalar}, got series")
    names = [labels for labels, _ in found]
    if names != sorted(names, key=lambda labels: labels.pairs):
        raise MismatchError("series are not sorted by labels")
    wanted = dict(command.series)
    for labels, cells in found:
        if labels not in wanted:
            raise MismatchError(f"unexpected series {labels} with {cells}")
        expected = {
            command.start + place * command.step: value
            for place, value in enumerate(wanted[labels])
            if value is not None
        }
        if set(expected) != set(cells):
            raise MismatchError(f"{labels}: expected samples at {sorted(expected)}, got {cells}")
        for time, value in expected.items():
            _compare_value(labels, value, cells[time])
    for labels in wanted.keys() - set(names):
        raise MismatchError(f"expected series {labels} not found")


def _compare_value(labels: Labels, expected: Value, value: float | Histogram) -> None:
    if isinstance(expected, Histogram) and isinstance(value, Histogram):
        if not _same(expected.compacted(), value.compacted()):
            raise MismatchError(f"{labels}: expected {expected!r}, got {value!r}")
    elif (
        isinstance(expected, Histogram)
        or isinstance(value, Histogram)
        or expected is None
        or not _close(expected, float(value))
    ):
        raise MismatchError(f"{labels}: expected {expected}, got {value}")


def _same(expected: Histogram, value: Histogram) -> bool:
    numbers = [(getattr(expected, name), getattr(value, name)) for name in ("count", "sum", "zero_count")]
    for side in ("positive", "negative"):
        left, right = getattr(expected, side), getattr(value, side)
        if set(left) != set(right):
            return False
        numbers += [(left[index], right[index]) for index in left]
    return (
        expected.schema == value.schema
        and expected.custom == value.custom
        and expected.zero_threshold == value.zero_threshold
        and (expected.hint in ("unknown", value.hint))
        and all(_close(left, right) for left, right in numbers)
    )


def _close(expected: float, value: float) -> bool:
    if is_stale(expected) or is_stale(value):
        return is_stale(expected) and is_stale(value)
    if (expected != expected and value != value) or expected == value:
        return True
    size, distance = abs(expected) + abs(value), abs(expected - value)
    if expected == 0 or value == 0 or size < _SMALLEST_NORMAL:
        return distance < _EPSILON * _SMALLEST_NORMAL
    return distance / min(size, 1.7976931348623157e308) < _EPSILON if math.isfinite(size) else False
