"""How fast the error budget is spent: the burn rate over several windows.

A burn rate of 1 spends the budget exactly over the objective's window. The windows and the rates at which a person is
called are those of Google's SRE workbook (chapter 5, multiwindow, multi-burn-rate alerts): 14.4 over 1 h and 5 min, 6
over 6 h and 30 min, 1 over 3 d and 6 h.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pilothouse.engine import Budget, EngineError
from pilothouse.releases.party import Party
from pilothouse.releases.reading import BUDGET, within_sql
from pilothouse.releases.speaking import speakers
from pilothouse.signals.errors import NotFoundError
from pilothouse.signals.metrics.promql.errors import PromqlError

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.slos.objective import Objective

WINDOWS = (300, 1800, 3600, 21_600, 259_200)
_CALLED = ((3600, 300, 14.4, "page"), (21_600, 1800, 6.0, "page"), (259_200, 21_600, 1.0, "ticket"))
_STEPS = 500
_SECOND = 1_000_000_000

_SPANS = f"""SELECT count() AS n, countIf({{bad}}) AS bad FROM spans
WHERE identity IN {{identities:Array(UInt64)}} AND kind IN (2, 5)
  AND ({{operation:String}} = '' OR name = {{operation:String}}) AND {within_sql(9)}"""


def burn_rates(engine: Engine, objective: Objective, now: float) -> list[dict[str, Any]]:
    """For each window: the share that was bad, and the burn rate; null where nothing was measured."""
    found = []
    for seconds in WINDOWS:
        bad = bad_share(engine, objective, now, seconds)
        rate = None if bad is None else bad / objective.budget
        found.append({"window_seconds": seconds, "bad": bad, "burn_rate": rate})
    return found


def alerting(burn: list[dict[str, Any]]) -> str:
    """`page`, `ticket` or nothing, as the workbook's pairs of windows say."""
    rates = {one["window_seconds"]: one["burn_rate"] for one in burn}
    for long, short, most, call in _CALLED:
        if all(rates.get(window) is not None and rates[window] >= most for window in (long, short)):
            return call
    return ""


def bad_share(engine: Engine, objective: Objective, now: float, seconds: float) -> float | None:
    """The share of what was measured in the last seconds that was bad."""
    try:
        if objective.kind in ("availability", "latency"):
            return _of_spans(engine, objective, now, seconds)
        return _of_queries(engine, objective, now, seconds)
    except (NotFoundError, PromqlError, EngineError):
        return None


def _of_spans(engine: Engine, objective: Objective, now: float, seconds: float) -> float | None:
    found = speakers(engine, objective.service, Party())
    end = int(now * _SECOND)
    parameters: dict[str, Any] = {
        "identities": [one.identity for one in found], "operation": objective.operation,
        "start": end - int(seconds * _SECOND), "end": end,
    }  # fmt: skip
    slow = f"duration > {int(objective.below * 1e6)}"
    bad = "status_code = 2" if objective.kind == "availability" else slow
    row = engine.query(_SPANS.replace("{bad}", bad), parameters, BUDGET).to_pylist()[0]
    return row["bad"] / row["n"] if row["n"] else None


def _of_queries(engine: Engine, objective: Objective, now: float, seconds: float) -> float | None:
    """The mean over the window of the ratio, or the part of the time that the value was out of bounds."""
    if objective.kind == "threshold":
        values = _values(engine, objective.good, now, seconds)
        return sum(not _kept(value, objective) for value in values) / len(values) if values else None
    part = _values(engine, objective.good or objective.bad, now, seconds)
    total = _values(engine, objective.total, now, seconds)
    if not total or sum(total) <= 0:
        return None
    share = sum(part) / sum(total)
    return min(max(1 - share if objective.good else share, 0.0), 1.0)


def _values(engine: Engine, query: str, now: float, seconds: float) -> list[float]:
    from pilothouse.signals.metrics.prometheus.stored import StoredMetrics
    from pilothouse.signals.metrics.promql.engine import evaluate
    from pilothouse.signals.metrics.promql.planning import Grid

    end, step = int(now * 1000), max(int(seconds * 1000 / _STEPS), 15_000)
    grid = Grid(end - int(seconds * 1000), end, step)
    value = evaluate(StoredMetrics(engine).limited(Budget(20.0)), query, grid, is_range=True)
    if value.matrix is None or not len(value.matrix.labels):
        return []
    there = value.matrix.floats
    whole = (value.matrix.values * there).sum(0)[there.any(0)]
    return [float(one) for one in whole if math.isfinite(one)]


def _kept(value: float, objective: Objective) -> bool:
    bound = objective.below
    kept = {"lt": value < bound, "lte": value <= bound, "gt": value > bound, "gte": value >= bound}
    return kept[objective.comparison]
