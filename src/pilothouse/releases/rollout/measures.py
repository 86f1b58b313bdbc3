"""The values of checks: measures of the candidate's requests from its spans, and PromQL on what is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pilothouse.releases.party import Party
from pilothouse.releases.reading import BUDGET, within_sql
from pilothouse.releases.speaking import instance_of, speakers
from pilothouse.signals.errors import NotFoundError
from pilothouse.signals.selector import parse_selector

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.rollout.plan import Check
    from pilothouse.releases.rollout.run import Run
    from pilothouse.releases.statistics.estimate import Floats
    from pilothouse.releases.statistics.kayenta import Direction
    from pilothouse.signals.selecting import Resource

MEASURES = ("success_rate", "duration_p50", "duration_p95", "duration_p99", "requests_per_second")
_SPANS = f"""SELECT count() AS n, countIf(status_code = 2) AS failed,
    quantilesTDigest(0.5, 0.95, 0.99)(duration / 1e6) AS took FROM spans
WHERE identity IN {{identities:Array(UInt64)}} AND kind IN (2, 5) AND {within_sql(9)}"""
_SECOND = 1_000_000_000


def measured(engine: Engine, run: Run, check: Check, now: float) -> float | None:
    """The value of a check over its window before now; None when there is none."""
    if check.against:
        return _against(engine, run, check, now)
    if check.query:
        return _queried(engine, placed(engine, check.query, run, run.plan.candidate), now)
    return _of_spans(engine, run, check, now)


def placed(engine: Engine, query: str, run: Run, version: str) -> str:
    """A query with what stands in double braces put in, for use inside quotes.

    `{{service}}`, `{{baseline}}`, `{{candidate}}` and `{{version}}` (the one asked about) are names; `{{instances}}` is
    a regular expression of that version's instances, as Prometheus' `instance` names them.
    """
    names = {
        "service": run.plan.service, "baseline": run.plan.baseline, "candidate": run.plan.candidate, "version": version
    }  # fmt: skip
    if "instances" in query:
        found = {instance_of(one) for one in _spoken(engine, run, version)}
        names["instances"] = "|".join(sorted(re.escape(name) for name in found)) or "none"
    for name, text in names.items():
        query = query.replace(f"{{{{{name}}}}}", _quoted(text)).replace(f"{{{{ {name} }}}}", _quoted(text))
    return query


def _spoken(engine: Engine, run: Run, version: str) -> list[Resource]:
    try:
        return speakers(engine, run.plan.service, Party(version, parse_selector(run.plan.selector)))
    except NotFoundError:
        return []


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def requests(engine: Engine, run: Run, since: float, until: float) -> int:
    """How many requests the candidate has served, by its server spans; times in seconds since the epoch."""
    row = _spans(engine, run, since, until)
    return int(row["n"]) if row else 0


def _spans(engine: Engine, run: Run, since: float, until: float) -> dict[str, Any] | None:
    """What the candidate's server spans say together; None where it was never heard of."""
    found = _spoken(engine, run, run.plan.candidate)
    if not found:
        return None
    parameters: dict[str, Any] = {
        "identities": [one.identity for one in found], "start": int(since * _SECOND), "end": int(until * _SECOND),
    }  # fmt: skip
    return dict(engine.query(_SPANS, parameters, BUDGET).to_pylist()[0])


def _of_spans(engine: Engine, run: Run, check: Check, now: float) -> float | None:
    row = _spans(engine, run, now - check.window, now)
    if row is None:
        return None
    if check.measure == "requests_per_second":
        return float(row["n"] / check.window)
    if not row["n"]:
        return None
    if check.measure == "success_rate":
        return float(100 * (1 - row["failed"] / row["n"]))
    return float(row["took"][{"duration_p50": 0, "duration_p95": 1, "duration_p99": 2}[check.measure]])


def _queried(engine: Engine, query: str, now: float) -> float | None:
    """The only value of a query at an instant; None when there is none, or more than one."""
    from pilothouse.signals.metrics.prometheus.stored import StoredMetrics
    from pilothouse.signals.metrics.promql.engine import evaluate
    from pilothouse.signals.metrics.promql.planning import Grid

    at = int(now * 1000)
    value = evaluate(StoredMetrics(engine).limited(BUDGET), query, Grid(at, at, 1), is_range=False)
    numbers = value.scalars if value.matrix is None else value.matrix.values[value.matrix.floats]
    if numbers is None or numbers.size != 1 or not np.isfinite(numbers).all():
        return None
    return float(numbers.ravel()[0])


def _against(engine: Engine, run: Run, check: Check, now: float) -> float | None:
    """1 when Kayenta's classification passes, 0 when the candidate moved the wrong way; None without values."""
    from pilothouse.releases.statistics.kayenta import classify

    sides = [
        _series(engine, placed(engine, check.query, run, version), now, check.window)
        for version in (run.plan.candidate, run.plan.baseline)
    ]
    label = classify(sides[0], sides[1], cast("Direction", check.against), check.allowed)
    return None if label == "Nodata" else float(label == "Pass")


def _series(engine: Engine, query: str, now: float, window: float) -> Floats:
    """A query's values over a window, in up to sixty steps; several series are added up."""
    from pilothouse.signals.metrics.prometheus.stored import StoredMetrics
    from pilothouse.signals.metrics.promql.engine import evaluate
    from pilothouse.signals.metrics.promql.planning import Grid

    end, step = int(now * 1000), max(int(window * 1000 / 60), 1000)
    grid = Grid(end - int(window * 1000), end, step)
    value = evaluate(StoredMetrics(engine).limited(BUDGET), query, grid, is_range=True)
    if value.matrix is None or not len(value.matrix.labels):
        return np.array([])
    there = value.matrix.floats
    whole: Floats = np.where(there, value.matrix.values, 0.0).sum(0)
    return whole[there.any(0)]
