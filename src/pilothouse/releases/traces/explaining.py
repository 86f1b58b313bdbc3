"""From tests that held to findings in words: one an operation, with what moved under it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pilothouse.releases.finding import Finding
from pilothouse.releases.traces.operation import ERROR_SHARES
from pilothouse.releases.wording import amount, percent, times
from pilothouse.signals.sentences import Sentence, sentence
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.releases.tested import Tested
    from pilothouse.releases.traces.operation import Operation
    from pilothouse.releases.trial import Trial


def explain(held: list[tuple[Tested, float]], trial: Trial) -> list[Finding]:
    """`held` are the tests that stood with their q-values; several measures of one operation become one finding."""
    grouped: dict[tuple[str, int, str], list[tuple[Tested, float]]] = {}
    for test, q in held:
        grouped.setdefault((test.subject, test.source.kind, _family(test)), []).append((test, q))
    return [_finding(group, trial) for group in grouped.values()]


def _family(test: Tested) -> str:
    return f"{test.measure.split()[0]} {test.direction}"


def _finding(group: list[tuple[Tested, float]], trial: Trial) -> Finding:
    # The median says most to a reader; where it did not move, the tail that moved surest does.
    group.sort(key=lambda one: (one[0].measure != "duration p50", one[0].p_value))
    test, _ = group[0]
    operation: Operation = test.source
    return Finding(
        signal="traces",
        subject=test.subject,
        direction=test.direction,
        title=_title(test, trial),
        measure=test.measure,
        baseline=test.baseline,
        candidate=test.candidate,
        unit=test.unit,
        change=test.change,
        interval=test.interval,
        p_value=min(one.p_value for one, _ in group),
        q_value=min(q for _, q in group),
        evidence=durations_path(trial, operation.name, operation.kind),
        detail={
            "kind": operation.kind,
            "also": [_measured(one) for one, _ in group[1:]],
        },
    )


def _title(test: Tested, trial: Trial) -> str:
    name, base, other = test.subject, test.baseline or 0.0, test.candidate or 0.0
    if test.measure in ERROR_SHARES:
        said = sentence("{now} of requests instead of {before}", now=percent(other), before=percent(base))
        if test.measure != ERROR_SHARES[0]:
            said = sentence("{said}, outside bursts of errors", said=said)
        if test.rising:
            return sentence("{subject} fails more often: {said}", subject=name, said=said)
        return sentence("{subject} fails less often: {said}", subject=name, said=said)
    if test.measure.startswith("runs"):
        if not base:
            return sentence("{subject} is new: it runs {often}", subject=name, often=_often(other, trial))
        if not other:
            return sentence("{subject} is gone: it ran {often}", subject=name, often=_often(base, trial))
        often, before = _often(other, trial), times(base)
        return sentence("{subject} runs {often} instead of {before}", subject=name, often=often, before=before)
    which = test.measure.split()[1]
    said = sentence(
        "{now} instead of {before} ({detail})",
        now=amount(other, "ms"),
        before=amount(base, "ms"),
        detail=sentence("median") if which == "p50" else which,
    )
    if test.rising:
        return sentence("{subject} is slower: {said}", subject=name, said=said)
    return sentence("{subject} is faster: {said}", subject=name, said=said)


def _often(rate: float, trial: Trial) -> Sentence:
    often = times(rate)
    if trial.per_request:
        return sentence("{often} per request", often=often)
    return sentence("{often} per second", often=often)


def _measured(test: Tested) -> dict[str, object]:
    return {
        "measure": test.measure,
        "baseline": test.baseline,
        "candidate": test.candidate,
        "unit": test.unit,
        "change": test.change,
        "interval": list(test.interval) if test.interval else None,
    }


def durations_path(trial: Trial, operation: str, kind: int) -> str:
    """The evidence call that shows the durations of both versions."""
    windows = trial.sides.map(lambda side: side.windows)
    query = {
        "service": trial.service,
        "operation": operation,
        "kind": kind,
        "versions": ",".join(side.version for side in trial.sides),
        "start": to_rfc3339(min(one.start for one in windows)),
        "end": to_rfc3339(max(one.end for one in windows)),
    }
    return f"/api/traces/durations?{urlencode(query)}"
