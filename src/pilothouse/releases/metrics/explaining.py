"""From tests that held to findings in words: one a metric and direction, with its other series beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pilothouse.releases.finding import Finding
from pilothouse.releases.wording import amount, signed_percent
from pilothouse.signals.sentences import sentence
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.releases.metrics.measure import Measure
    from pilothouse.releases.tested import Tested
    from pilothouse.releases.trial import Trial


def explain(held: list[tuple[Tested, float]], trial: Trial) -> list[Finding]:
    """Several series of one metric that went the same way are one finding, led by the surest."""
    grouped: dict[tuple[str, str, str], list[tuple[Tested, float]]] = {}
    for test, q in held:
        grouped.setdefault((test.source.name, test.measure.removesuffix(" at the end"), test.direction), []).append(
            (test, q)
        )
    return [_finding(sorted(group, key=_order), trial) for group in grouped.values()]


def _order(one: tuple[Tested, float]) -> tuple[float, float]:
    return one[0].p_value, -abs(one[0].change or 0.0)


def _finding(group: list[tuple[Tested, float]], trial: Trial) -> Finding:
    test, q = group[0]
    measure: Measure = test.source
    return Finding(
        signal="metrics",
        subject=test.subject,
        direction=test.direction,
        title=_title(test, measure),
        measure=test.measure,
        baseline=test.baseline,
        candidate=test.candidate,
        unit=test.unit,
        change=test.change,
        interval=test.interval,
        p_value=test.p_value,
        q_value=q,
        evidence=range_path(trial, measure),
        detail={
            "name": measure.name,
            "labels": dict(measure.labels),
            "noted": measure.noted,
            "also": _others(group),
        },
    )


def _others(group: list[tuple[Tested, float]]) -> list[dict[str, object]]:
    """What else moved with the first test, as for operations."""
    return [
        {
            "measure": f"{one.subject} {one.measure}",
            "baseline": one.baseline,
            "candidate": one.candidate,
            "unit": one.unit,
            "change": one.change,
            "interval": list(one.interval) if one.interval else None,
        }
        for one, _ in group[1:20]
    ]


def _title(test: Tested, measure: Measure) -> str:
    base, other = test.baseline or 0.0, test.candidate or 0.0
    said = sentence("{now} instead of {before}", now=amount(other, test.unit), before=amount(base, test.unit))
    if counted := measure.sort not in ("level", "mean", "quantile"):
        said = sentence("{said} per request", said=said) if measure.noted else sentence("{said} per s", said=said)
    elif test.measure == "level at the end":
        said = sentence("{said} at the end", said=said)
    elif test.measure != "level":
        said = sentence("{said} ({detail})", said=said, detail=_mean(test.measure))
    if test.change is not None:
        said = sentence("{said} ({detail})", said=said, detail=signed_percent(test.change))
    if counted:
        if test.rising:
            return sentence("{subject} grows faster: {said}", subject=test.subject, said=said)
        return sentence("{subject} grows slower: {said}", subject=test.subject, said=said)
    if measure.noted:
        said = sentence("{said}, {detail}", said=said, detail=measure.noted)
    if test.rising:
        return sentence("{subject} is higher: {said}", subject=test.subject, said=said)
    return sentence("{subject} is lower: {said}", subject=test.subject, said=said)


def _mean(measure: str) -> str:
    return sentence("mean") if measure == "mean" else measure


def range_path(trial: Trial, measure: Measure) -> str:
    """The evidence call that shows the values of both versions over time."""
    windows = trial.sides.map(lambda side: side.windows)
    query = {
        "service": trial.service,
        "name": measure.name,
        "versions": ",".join(side.version for side in trial.sides),
        "start": to_rfc3339(min(one.start for one in windows)),
        "end": to_rfc3339(max(one.end for one in windows)),
    }
    if measure.labels:
        query["labels"] = ",".join(f'{_name(key)}="{_quoted(value)}"' for key, value in measure.labels)
    return f"/api/metrics/range?{urlencode(query)}"


def _name(key: str) -> str:
    return f'"{key}"'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
