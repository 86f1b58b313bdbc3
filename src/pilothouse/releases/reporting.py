"""What each signal contributed, and the verdict in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.releases.comparison import SignalReport, State
from pilothouse.releases.deciding import headlines
from pilothouse.releases.wording import digits, percent

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
        note="; ".join(text for text in notes if text),
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
    per = f"1 in {digits(exposed[1] / lines)} requests" if trial.per_request else f"{int(np.ceil(lines))} lines"
    return f"a new error would have been seen from {per} on"


def summary(trial: Trial, verdict: Verdict, findings: list[Finding], missing: list[str], settled: Settled) -> str:
    """The verdict in one sentence."""
    base, other = trial.sides
    if verdict == "worse":
        said: dict[str, str] = {}
        for finding in findings:
            if finding.direction == "worse":
                said.setdefault(finding.signal, finding.title)
        reasons = "; ".join(list(said.values())[:_MOST_SAID])
        return f"{trial.service} {other.version} is worse than {base.version}: {reasons}"
    if verdict == "cannot_tell":
        return f"cannot tell whether {trial.service} {other.version} is worse than {base.version}: {missing[0]}"
    reach = smallest_effect("traces", settled) or smallest_effect("metrics", settled)
    would = f"; a change of {percent(reach)} or more would have been seen" if reach else ""
    return (
        f"{trial.service} {other.version} is no worse than {base.version}: {len(settled.tests)} tests on "
        f"{int(other.requests.sum())} requests against {int(base.requests.sum())} found nothing worse{would}"
    )


def notes(trial: Trial) -> list[str]:
    """What the judge assumed, for people to weigh."""
    said = list(trial.noted)
    if not trial.paired:
        said.append(
            "the sides did not run at the same time: everything else that changed between them is in the comparison"
        )
    if not trial.same_load:
        said.append(
            f"an instance of {trial.sides.candidate.version} served {digits(trial.load_ratio)} times the traffic of "
            f"one of {trial.sides.baseline.version}: counters and costs are compared per request, and of "
            "the process' own costs only what is beyond that ratio counts"
        )
    alone = [side.version for side in trial.sides if side.size == 1]
    if alone:
        said.append(f"{' and '.join(alone)} had one instance: how much two instances differ is assumed, not measured")
    return said
