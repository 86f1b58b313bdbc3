"""From functions whose cost moved to findings in words: one a culprit."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pilothouse.releases.finding import Direction, Finding
from pilothouse.releases.profiles.culprits import Culprit, culprits, set_off
from pilothouse.releases.wording import amount, percent, signed_percent
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
            "share": culprit.delta / max(float(costs.samples.baseline.sum() / costs.exposures.baseline.sum()), 1e-12),
        },
    )


def _title(test: Tested, culprit: Culprit, costs: Costs, trial: Trial) -> str:
    name = _named(costs.functions[culprit.place])
    base, other = test.baseline or 0.0, test.candidate or 0.0
    if culprit.shifted_within >= 0:
        where = (
            f" within {costs.functions[culprit.shifted_within].name}"
            if culprit.shifted_within < len(costs.functions)
            else ""
        )
        return f"{costs.type} cost moved {'to' if test.rising else 'away from'} {name}{where}; the sum did not change"
    whole = max(float(costs.samples.baseline.sum() / costs.exposures.baseline.sum()) * costs.per_sample, 1e-12)
    share = percent(abs(other - base) / whole)
    if not base:
        return f"{name} is new and takes {amount(other, test.unit)} {costs.type} {_per(costs, trial)} (+{share} of all)"
    values = f"{amount(other, test.unit)} instead of {amount(base, test.unit)} {_per(costs, trial)}".strip()
    size = signed_percent(test.change or 0.0)
    more = "more" if test.rising else "less"
    return f"{name} takes {more} {costs.type}: {values} ({size}, {share} of the service's {costs.type})"


def _whole(test: Tested, q: float, trial: Trial) -> Finding:
    """All functions together, told only when no single function explains it."""
    costs: Costs = test.source.costs
    base, other = amount(test.baseline or 0.0, test.unit), amount(test.candidate or 0.0, test.unit)
    size = signed_percent(test.change or 0.0)
    return Finding(
        signal="profiles",
        subject=test.subject,
        direction=test.direction,
        title=f"the service takes {'more' if test.rising else 'less'} {costs.type}: {other} instead of {base} "
        f"{_per(costs, trial)} ({size}), spread over many functions",
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
