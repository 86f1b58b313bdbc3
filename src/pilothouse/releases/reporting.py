"""What each signal contributed, and the verdict in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.releases.comparison import SignalReport, State
from pilothouse.releases.deciding import headlines
from pilothouse.releases.wording import digits, percent
from pilothouse.signals.sentences import joined, sentence

if TYPE_CHECKING:
    from pilothouse.releases.comparison import Verdict
    from pilothouse.releases.deciding import Settled
    from pilothouse.releases.finding import Finding, SignalName
    from pilothouse.releases.trial import Trial

_MOST_SAID = 4
# A signal that would only have shown a tenfold change would have shown nothing.
_BLIND = 10.0


def report(
    signal: SignalName, settled: Settled, findings: list[Finding], seen: bool, trial: Trial, note: str
) -> SignalReport:
    """One signal's part of the comparison."""
    tests = [test for test in settled.tests if test.signal == signal]
    mine = [finding for finding in findings if finding.signal == signal]
    state: State = "no_worse"
    if not seen:
        state = "no_data"
    elif any(finding.direction == "worse" for finding in mine):
        state = "worse"
    elif not tests and signal != "logs":
        state = "cannot_tell"
    notes = [note, _log_note(settled, trial) if signal == "logs" and seen else ""]
    return SignalReport(
        state=state,
        tested=len(tests),
        findings=len(mine),
        smallest_effect=smallest_effect(signal, settled),
        note=joined("; ", [text for text in notes if text]),
    )


def smallest_effect(signal: str, settled: Settled) -> float | None:
    """The change of what matters most in this signal that would have been found four times out of five.

    Logs have none: what counts there is a new pattern, and the note says from how many lines on it shows.
    """
    if signal == "logs":
        return None
    mine = [test for test in settled.tests if test.signal == signal and test.bad != "neither"]
    chosen = headlines(mine) or mine
    found = [
        one for test in chosen if (one := test.smallest_effect(settled.p_needed(signal, test.prominence))) is not None
    ]
    middle = float(np.median(found)) if found else None
    return middle if middle is not None and middle <= _BLIND else None


def _log_note(settled: Settled, trial: Trial) -> str:
    """From how many lines on a new error pattern would have been seen."""
    exposed = [float(side.sum()) for side in trial.exposures]
    if min(exposed) <= 0:
        return ""
    share = exposed[1] / sum(exposed)
    lines = max(np.log(settled.p_needed("logs") / 2) / np.log(share), trial.rules.least_lines)
    if trial.per_request:
        number = digits(exposed[1] / lines)
        return sentence("a new error would have been seen from 1 in {number} requests on", number=number)
    return sentence("a new error would have been seen from {number} lines on", number=int(np.ceil(lines)))


def summary(trial: Trial, verdict: Verdict, findings: list[Finding], missing: list[str], settled: Settled) -> str:
    """The verdict in one sentence."""
    base, other = trial.sides
    who = {"service": trial.service, "candidate": other.version, "baseline": base.version}
    if verdict == "worse":
        said: dict[str, str] = {}
        for finding in findings:
            if finding.direction == "worse":
                said.setdefault(finding.signal, finding.title)
        reasons = joined("; ", list(said.values())[:_MOST_SAID])
        return sentence("{service} {candidate} is worse than {baseline}: {reasons}", reasons=reasons, **who)
    if verdict == "cannot_tell":
        return undecided(trial, missing[0])
    reach = smallest_effect("traces", settled) or smallest_effect("metrics", settled)
    found = sentence(
        "{tests} tests on {requests} requests against {others} found nothing worse",
        tests=len(settled.tests),
        requests=int(other.requests.sum()),
        others=int(base.requests.sum()),
    )
    if reach:
        change = percent(reach)
        found = sentence("{said}; a change of {change} or more would have been seen", said=found, change=change)
    return sentence("{service} {candidate} is no worse than {baseline}: {reasons}", reasons=found, **who)


def undecided(trial: Trial, why: str) -> str:
    """That there is no verdict, and what it lacks."""
    base, other = trial.sides
    return sentence(
        "cannot tell whether {service} {candidate} is worse than {baseline}: {reasons}",
        service=trial.service,
        candidate=other.version,
        baseline=base.version,
        reasons=why,
    )


def notes(trial: Trial) -> list[str]:
    """What the judge assumed, for people to weigh."""
    said = list(trial.noted)
    if not trial.paired:
        said.append(
            sentence(
                "the sides did not run at the same time: everything else that changed between them is in the comparison"
            )
        )
    if not trial.same_load:
        said.append(
            sentence(
                "an instance of {candidate} served {number} times the traffic of one of {baseline}: counters and costs "
                "are compared per request, and of the process' own costs only what is beyond that ratio counts",
                candidate=trial.sides.candidate.version,
                number=digits(trial.load_ratio),
                baseline=trial.sides.baseline.version,
            )
        )
    alone = [side.version for side in trial.sides if side.size == 1]
    if alone:
        versions = joined(" and ", alone)
        said.append(
            sentence(
                "{versions} had one instance: how much two instances differ is assumed, not measured", versions=versions
            )
        )
    return said
