"""From all tests to a verdict: one false discovery rate, then what stands, what is missing, how sure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.releases.statistics import q_values
from pilothouse.releases.wording import percent
from pilothouse.signals.sentences import sentence

if TYPE_CHECKING:
    from pilothouse.releases.comparison import Verdict
    from pilothouse.releases.finding import Finding
    from pilothouse.releases.rules import Rules
    from pilothouse.releases.tested import Tested
    from pilothouse.releases.trial import Trial

_SUREST = 0.9999
_HEAVY = 0.1
_MOST = 0.5

Held = list[tuple["Tested", float]]


@dataclass(frozen=True, slots=True)
class Settled:
    """What stood after all tests were held to one rate, by signal, each with its q-value; and how many there were.

    `doubted` stood too, but for the traffic, which may have made it.
    """

    held: dict[str, Held]
    doubted: dict[str, Held]
    tests: list[Tested]

    rate: float = 0.01

    def p_needed(self, signal: str, prominence: float | None = None) -> float:
        """The p-value that one lone change in a signal would have needed (Bonferroni's, by weight).

        `prominence` is that of its test; the most prominent one's when not given.
        """
        mine = [test.prominence for test in self.tests if test.signal == signal]
        signals = len({test.signal for test in self.tests})
        if not mine:
            return self.rate / max(signals, 1)
        return self.rate / signals * (max(mine) if prominence is None else prominence) / sum(mine)


def settle(tests: list[Tested], rules: Rules) -> Settled:
    """Which tests are discoveries, matter, and lasted.

    Each signal has the same weight in all, so that a few operations do not pay for thousands of functions; within a
    signal each test has its part by its prominence, so that what matters most does not pay for what hardly does.
    """
    sizes: Counter[str] = Counter()
    for test in tests:
        sizes[test.signal] += test.prominence  # type: ignore[assignment]
    weights = np.array([test.prominence / sizes[test.signal] for test in tests])
    found = q_values(np.array([test.p_value for test in tests]), weights)
    stood = [
        (test, float(q))
        for test, q in zip(tests, found, strict=True)
        if q <= rules.false_discovery_rate and test.material and test.lasting
    ]
    told = _beyond_traffic([test for test, _ in stood], rules)
    held: dict[str, Held] = {}
    doubted: dict[str, Held] = {}
    for (test, q), beyond in zip(stood, told, strict=True):
        (held if beyond else doubted).setdefault(test.signal, []).append((test, q))
    return Settled(held, doubted, tests, rules.false_discovery_rate)


def _beyond_traffic(stood: list[Tested], rules: Rules) -> list[bool]:
    """Which of the changes that stood are not the traffic's: those that were asked are held to the same rate again."""
    asked = [test for test in stood if test.p_traffic > 0 and not test.doubtful]
    weights = np.array([test.prominence for test in asked])
    found = q_values(np.array([test.p_traffic for test in asked]), weights)
    beyond = {id(test): bool(q <= rules.false_discovery_rate) for test, q in zip(asked, found, strict=True)}
    return [beyond.get(id(test), not test.doubtful) for test in stood]


def decide(findings: list[Finding], missing: list[str]) -> Verdict:
    """Worse when anything is worse; otherwise only as good as the data."""
    if any(finding.direction == "worse" for finding in findings):
        return "worse"
    return "cannot_tell" if missing else "no_worse"


def confidence(verdict: Verdict, findings: list[Finding], settled: Settled, rules: Rules) -> float:
    """How sure: of the surest finding; or that nothing that matters most is worse by more than the margin."""
    match verdict:
        case "worse":
            return min(1 - min(one.q_value for one in findings if one.direction == "worse"), _SUREST)
        case "no_worse":
            sure = [one for test in headlines(settled.tests) if (one := test.sure_below(rules.margin)) is not None]
            return min(*sure, _SUREST) if sure else 0.5
        case _:
            return 0.0


def headlines(tests: list[Tested]) -> list[Tested]:
    """The tests of what matters most (busy operations, the process' memory, CPU per request), the sharpest of each."""
    sharpest: dict[tuple[str, str], Tested] = {}
    for test in tests:
        if test.weight >= _HEAVY and test.error is not None:
            known = sharpest.setdefault((test.signal, test.subject), test)
            if known.error is not None and test.error < known.error:
                sharpest[test.signal, test.subject] = test
    return list(sharpest.values())


def shortages(trial: Trial, settled: Settled, seen: dict[str, bool]) -> list[str]:
    """In words, what a verdict of "no worse" lacks. `seen` says which signals had any data on both sides."""
    rules = trial.rules
    lacking: list[str] = []
    counts = [(side.version, int(side.requests.sum())) for side in trial.sides]
    if any(count for _, count in counts):
        lacking += [
            sentence(
                "{count} requests on {version}; at least {least} are needed",
                count=count,
                version=version,
                least=rules.least_requests,
            )
            for version, count in counts
            if count < rules.least_requests
        ]
    for side in trial.sides:
        if side.windows.count < rules.least_windows:
            lacking.append(
                sentence(
                    "{seconds} s of {version}; at least {least} s of steady traffic are needed",
                    seconds=f"{side.seconds:.0f}",
                    version=side.version,
                    least=rules.least_windows,
                )
            )
    if lacking:
        return list(dict.fromkeys(lacking))
    if not any(test.signal in ("traces", "metrics") for test in settled.tests):
        return [
            sentence("traces or metrics from both versions at the same time")
            if not (seen.get("traces") or seen.get("metrics"))
            else sentence("more data: no operation has enough requests and no metric has enough points")
        ]
    return _blind(settled, rules)


def _blind(settled: Settled, rules: Rules) -> list[str]:
    """Whether for most of the traffic not even a doubling of the latency would have been seen."""
    busy = [test for test in headlines(settled.tests) if test.signal == "traces"]
    seen = [(test, test.smallest_effect(settled.p_needed("traces", test.prominence)) or np.inf) for test in busy]
    dim = [(test, smallest) for test, smallest in seen if smallest > rules.blind]
    if sum(test.weight for test, _ in dim) <= _MOST * sum(test.weight for test in busy):
        return []
    test, smallest = max(dim, key=lambda one: one[0].weight)
    more = (np.log1p(min(smallest, 50.0)) / np.log1p(rules.blind)) ** 2
    return [
        sentence(
            "about {number} times as many requests to {operation}: with these, only a change of {change} or more would "
            "have been seen",
            number=f"{max(more, 1.5):.1f}",
            operation=test.subject,
            change=percent(smallest),
        )
    ]
