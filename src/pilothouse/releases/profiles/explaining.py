"""From functions whose cost moved to findings in words: one a culprit."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pilothouse.releases.finding import Direction, Finding
from pilothouse.releases.profiles.culprits import Culprit, culprits, set_off
from pilothouse.releases.wording import amount, percent, signed_percent
from pilothouse.signals.sentences import sentence
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.releases.profiles.cost import Costs, Function
    from pilothouse.releases.profiles.judging import FunctionTest
    from pilothouse.releases.tested import Tested
    from pilothouse.releases.trial import Trial


def explain(
    held: list[tuple[Tested, float]], trial: Trial, doubted: Sequence[tuple[Tested, float]] = ()
) -> list[Finding]:
    """One finding a culprit, of those functions whose tests held, or of `doubted` ones below them."""
    findings: list[Finding] = []
    types = {id(test.source.costs): test.source.costs for test, _ in held}
    for costs in types.values():
        moved, doubts = ({sign: _by_place(tests, costs, sign) for sign in (1, -1)} for tests in (held, doubted))
        found = {
            sign: culprits(costs, trial, _functions(tests), sign, _functions(doubts[sign]))
            for sign, tests in moved.items()
        }
        for sign, tests in moved.items():
            known = doubts[sign] | tests
            told = [_finding(set_off(costs, one, found[-sign]), *known[one.place], trial) for one in found[sign]]
            if -1 in tests and all(one.direction == "moved" for one in told):
                told.append(_whole(*tests[-1], trial))
            findings += told
    return findings


def _by_place(held: Sequence[tuple[Tested, float]], costs: Costs, sign: int) -> dict[int, tuple[Tested, float]]:
    """The tests of one type that went one way, by function; the total cost says more than a function's own."""
    mine = [one for one in held if one[0].source.costs is costs and one[0].rising == (sign > 0)]
    return {test.source.place: (test, q) for test, q in sorted(mine, key=lambda one: not one[0].source.own)}


def _functions(tests: dict[int, tuple[Tested, float]]) -> list[int]:
    return [place for place in tests if place >= 0]


def _finding(culprit: Culprit, test: Tested, q: float, trial: Trial) -> Finding:
    source: FunctionTest = test.source
    costs = source.costs
    direction: Direction = "moved" if culprit.shifted_within >= 0 else test.direction
    stack = costs.stack(culprit.stack)
    function = costs.functions[culprit.place]
    whole = max(float(costs.samples.baseline.sum() / costs.exposures.baseline.sum()), 1e-12)
    by_traffic = (source.by_traffic - 1) * (test.baseline or 0.0) / costs.per_sample
    return Finding(
        signal="profiles",
        subject=test.subject,
        direction=direction,
        title=_title(test, culprit, costs, trial),
        measure=f"{test.measure} {_per(costs, trial)}".strip(),
        baseline=test.baseline,
        candidate=test.candidate,
        unit=test.unit,
        change=test.change,
        interval=test.interval,
        p_value=test.p_value,
        q_value=q,
        examples=(";".join(one.name for one in stack),),
        evidence=diff_path(trial, costs.type),
        detail={
            "file": function.file,
            "type": costs.type,
            "ancestor": costs.functions[culprit.ancestor].name,
            "leaf": stack[-1].name if stack else "",
            "share": culprit.delta / whole,
            "beyond_traffic": max(abs(culprit.delta) - by_traffic, 0.0) / whole,
        },
    )


def _title(test: Tested, culprit: Culprit, costs: Costs, trial: Trial) -> str:
    name = _named(costs.functions[culprit.place])
    base, other = test.baseline or 0.0, test.candidate or 0.0
    if culprit.shifted_within >= 0:
        if culprit.shifted_within < len(costs.functions):
            around = costs.functions[culprit.shifted_within].name
            name = sentence("{function} within {around}", function=name, around=around)
        if test.rising:
            return sentence("{type} cost moved to {function}; the sum did not change", type=costs.type, function=name)
        return sentence(
            "{type} cost moved away from {function}; the sum did not change", type=costs.type, function=name
        )
    whole = max(float(costs.samples.baseline.sum() / costs.exposures.baseline.sum()) * costs.per_sample, 1e-12)
    share = percent(abs(other - base) / whole)
    if not base:
        cost = _paced(f"{amount(other, test.unit)} {costs.type}", costs, trial)
        return sentence("{function} is new and takes {said} (+{share} of all)", function=name, said=cost, share=share)
    said = sentence(
        "{said} ({change}, {share} of the service's {type})",
        said=_instead(test, costs, trial),
        change=signed_percent(test.change or 0.0),
        share=share,
        type=costs.type,
    )
    if test.rising:
        return sentence("{function} takes more {type}: {said}", function=name, type=costs.type, said=said)
    return sentence("{function} takes less {type}: {said}", function=name, type=costs.type, said=said)


def _whole(test: Tested, q: float, trial: Trial) -> Finding:
    """All functions together, told only when no single function explains it."""
    costs: Costs = test.source.costs
    size = signed_percent(test.change or 0.0)
    said = sentence("{said} ({detail})", said=_instead(test, costs, trial), detail=size)
    told = (
        sentence("the service takes more {type}: {said}, spread over many functions", type=costs.type, said=said)
        if test.rising
        else sentence("the service takes less {type}: {said}, spread over many functions", type=costs.type, said=said)
    )
    return Finding(
        signal="profiles",
        subject=test.subject,
        direction=test.direction,
        title=told,
        measure=f"{test.measure} {_per(costs, trial)}".strip(),
        baseline=test.baseline,
        candidate=test.candidate,
        unit=test.unit,
        change=test.change,
        interval=test.interval,
        p_value=test.p_value,
        q_value=q,
        evidence=diff_path(trial, costs.type),
        detail={"type": costs.type, "share": test.change},
    )


def _named(function: Function) -> str:
    return f"{function.name} ({function.file})" if function.file else function.name


def _instead(test: Tested, costs: Costs, trial: Trial) -> str:
    before, now = amount(test.baseline or 0.0, test.unit), amount(test.candidate or 0.0, test.unit)
    return _paced(sentence("{now} instead of {before}", now=now, before=before), costs, trial)


def _paced(said: str, costs: Costs, trial: Trial) -> str:
    if costs.level:
        return said
    if trial.per_request:
        return sentence("{said} per request", said=said)
    return sentence("{said} per second", said=said)


def _per(costs: Costs, trial: Trial) -> str:
    if costs.level:
        return ""
    return "per request" if trial.per_request else "per second"


def diff_path(trial: Trial, kind: str) -> str:
    """The evidence call that shows the flame graph of the difference."""
    base, other = trial.sides
    query = {
        "service": trial.service,
        "baseline": base.version,
        "candidate": other.version,
        "type": kind,
        "start": to_rfc3339(other.windows.start),
        "end": to_rfc3339(other.windows.end),
    }
    if not trial.paired:
        query |= {
            "baseline_start": to_rfc3339(base.windows.start),
            "baseline_end": to_rfc3339(base.windows.end),
        }
    return f"/api/profiles/diff?{urlencode(query)}"
