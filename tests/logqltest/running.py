"""Runs cases against the engine and, where lines or numbers are asked, against the slow path as well."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.answering import lines, numbers
from pilothouse.signals.logs.logql import parse, tree
from pilothouse.signals.logs.pipeline import Entry
from pilothouse.signals.logs.searching import LineQuestion
from pilothouse.signals.logs.vectors import Series, Steps
from pilothouse.signals.timerange import TimeRange
from tests.logqltest.filling import fill
from tests.logqltest.reading import Case, CaseError, labels, nanoseconds

if TYPE_CHECKING:
    from pilothouse.engine import Engine

ZERO = 1_700_000_000_000_000_000
_HOUR = 3600 * 10**9


@dataclass
class Outcome:
    """A case's result: no `reason` when it passed."""

    case: Case
    reason: str = ""


class Runner:
    """Runs cases in order; lines are loaded once for all cases that share them."""

    def __init__(self, engine: Engine, slow_every: int = 1) -> None:
        """Of the cases that are asked for numbers, one in `slow_every` goes the slow path as well."""
        self._engine, self._slow_every = engine, slow_every
        self._numbers = 0
        self._loaded: list[Any] | None = None

    def run(self, case: Case) -> Outcome:
        """One case."""
        if self._loaded != case.loaded:
            fill(self._engine, case.loaded, ZERO)
            self._loaded = case.loaded
        try:
            query = parse(case.query)
            # Lines are found in one way only.
            ways = (False,) if isinstance(query, tree.LogQuery) or self._numbers % self._slow_every else (False, True)
            self._numbers += not isinstance(query, tree.LogQuery)
            reasons = [self._compared(case, query, slow) for slow in ways]
        except BadRequestError as error:
            return Outcome(case, _failed(case, str(error)))
        except CaseError as error:
            return Outcome(case, str(error))
        if case.fails:
            return Outcome(case, "expected an error, there was none")
        return Outcome(case, next(filter(None, reasons), ""))

    def _compared(self, case: Case, query: tree.Query, slow: bool) -> str:
        if isinstance(query, tree.LogQuery):
            return _same(case, self._lines(case, query))
        moments = _steps(case)
        value = numbers(self._engine, query, moments, slow=slow).value
        if isinstance(value, float):
            return _same(case, [f"{value:g}"])
        return _same(case, [_series(one) for one in value])

    def _lines(self, case: Case, query: tree.LogQuery) -> list[str]:
        start, end = case.span or (0, case.at or _HOUR)
        within = TimeRange(ZERO + start, ZERO + end)
        found = lines(self._engine, LineQuestion(query, within, case.limit, case.forward))
        return [_line(entry) for entry in found.entries]


def _steps(case: Case) -> Steps:
    if case.span:
        return Steps(ZERO + case.span[0], ZERO + case.span[1], case.step or case.span[1] - case.span[0])
    moment = ZERO + (case.at or 0)
    return Steps(moment, moment, 1)


def _failed(case: Case, message: str) -> str:
    if not case.fails:
        return f"failed: {message}"
    wanted = " ".join(case.expected).removeprefix("msg: ")
    return "" if wanted in message else f"the error is {message!r}"


def _line(entry: Entry) -> str:
    return f"{_labels(entry.labels())} {json.dumps(entry.line, ensure_ascii=False)}"


def _series(series: Series) -> str:
    values = " ".join(
        _number(value) if there else "_" for value, there in zip(series.values.tolist(), series.present, strict=True)
    )
    return f"{_labels(dict(series.labels))} {values}"


def _labels(found: dict[str, str]) -> str:
    pairs = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in sorted(found.items()))
    return "{" + ", ".join(name for name in pairs if not name.startswith("__error_details__=")) + "}"


def _number(value: float) -> str:
    return repr(value)


def _same(case: Case, found: list[str]) -> str:
    """Empty when what was found is what is expected, in any order unless the order is asked for."""
    rows, wanted = [_parsed(text) for text in found], [_parsed(text) for text in case.expected]
    if not case.ordered:
        rows, wanted = sorted(rows, key=_sortable), sorted(wanted, key=_sortable)
    if len(rows) == len(wanted) and all(_equal(row, other) for row, other in zip(rows, wanted, strict=True)):
        return ""
    return "expected\n" + _indented(case.expected) + "\nfound\n" + _indented(found)


def _indented(texts: Iterable[str]) -> str:
    return "\n".join(f"      {text}" for text in texts) or "      nothing"


def _parsed(text: str) -> tuple[dict[str, str], str | list[float | None]]:
    """Labels with a line or with numbers; a lone number has no labels."""
    found, rest = labels(text) if text.startswith("{") else ({}, text)
    if rest.startswith('"'):
        return found, json.loads(rest)
    if rest.startswith("`"):
        return found, rest[1:-1]
    numbers_found: list[float | None] = []
    for part in rest.split():
        value, _, times = part.partition("x") if not part.startswith("0x") else (part, "", "")
        try:
            numbers_found += [None if value == "_" else float(value)] * (int(times) if times else 1)
        except ValueError:
            raise CaseError(f"{text!r} is neither labels with a line in quotes nor with numbers") from None
    return found, numbers_found


def _sortable(row: tuple[dict[str, str], Any]) -> tuple[list[tuple[str, str]], str]:
    return sorted(row[0].items()), row[1] if isinstance(row[1], str) else ""


def _equal(row: tuple[dict[str, str], Any], other: tuple[dict[str, str], Any]) -> bool:
    if row[0] != other[0] or type(row[1]) is not type(other[1]):
        return False
    if isinstance(row[1], str):
        return bool(row[1] == other[1])
    return len(row[1]) == len(other[1]) and all(map(_close, row[1], other[1]))


def _close(value: float | None, other: float | None) -> bool:
    if value is None or other is None:
        return value is other
    return math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-12) or (math.isnan(value) and math.isnan(other))


__all__ = ["CaseError", "Outcome", "Runner", "nanoseconds"]
