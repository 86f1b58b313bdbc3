"""While a step is held: what the judge and the checks say, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pilothouse.releases.rollout.run import Event
from pilothouse.releases.wording import digits

if TYPE_CHECKING:
    from pilothouse.releases.rollout.asking import Answer, Asking
    from pilothouse.releases.rollout.plan import Check, Judging
    from pilothouse.releases.rollout.run import Run

Move = Literal["stay", "next", "pause", "back"]
_JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class Weighed:
    """What to do, why, what failed so often in a row, and all that was heard."""

    move: Move
    reason: str
    misses: dict[str, int]
    events: tuple[Event, ...]
    verdict: str = ""


def weigh(run: Run, asking: Asking, now: float) -> Weighed | None:
    """What follows now; None when nothing is due."""
    step = run.plan.steps[run.step]
    over = step.hold is not None and now - run.since >= step.hold
    due = now - run.asked >= run.plan.judging.every
    if not step.checks or not _askable(run):
        if over:
            return _on(run, now, {}, [])
        return None
    # A step that holds for no time is not judged: there is nothing to see yet.
    if not (due or (over and run.asked < run.since + (step.hold or 0.0))) or (over and not step.hold):
        return _on(run, now, {}, []) if over and not step.hold else None
    return _asked(run, asking, now, over)


def _askable(run: Run) -> bool:
    """Whether anything is to be asked: the candidate has traffic, and there is a judge or a check."""
    return run.weight > 0 and (run.plan.judging.ask or bool(run.plan.checks))


def _asked(run: Run, asking: Asking, now: float, over: bool) -> Weighed:
    judging = run.plan.judging
    misses = dict(run.misses)
    events: list[Event] = []
    failed = _checked(run, asking, now, misses, events)
    if failed:
        return _bad(run, judging, now, failed, misses, events)
    if not judging.ask:
        content = not any(misses.get(check.name) for check in run.plan.checks)
        return _on(run, now, misses, events) if over and content else _stay(misses, events)
    answer = asking.judge(run, now)
    events.append(Event(now, run.step, "verdict", answer.words, evidence=answer.evidence | {"verdict": answer.verdict}))
    misses[_JUDGE] = misses.get(_JUDGE, 0) + 1 if answer.verdict == "worse" else 0
    if misses[_JUDGE] >= judging.failures:
        return _bad(run, judging, now, answer.words, misses, events, answer.verdict)
    if not over or any(misses.values()):
        return _stay(misses, events, answer.verdict)
    if answer.verdict == "no_worse":
        return _on(run, now, misses, events, answer.verdict)
    return _unsure(run, judging, now, answer, misses, events)


def _checked(run: Run, asking: Asking, now: float, misses: dict[str, int], events: list[Event]) -> str:
    """Ask each check; the words of the first that was missed too often, or nothing."""
    failed = ""
    for check in run.plan.checks:
        value = asking.measure(run, check, now)
        kept = value is not None and _inside(value, check)
        misses[check.name] = 0 if kept else misses.get(check.name, 0) + 1
        words = f"{check.name}: {_said(value)}{'' if kept else f', not {_wanted(check)}'}"
        evidence: dict[str, Any] = {"check": check.name, "value": value, "least": check.least, "most": check.most}
        events.append(Event(now, run.step, "check", words, evidence=evidence))
        if misses[check.name] > check.failures:
            failed = failed or words
    return failed


def _bad(
    run: Run, judging: Judging, now: float, words: str, misses: dict[str, int], events: list[Event], verdict: str = ""
) -> Weighed:
    if judging.worse == "pause":
        event = Event(now, run.step, "paused", f"paused: {words}")
        return Weighed("pause", words, misses, (*events, event), verdict)
    event = Event(now, run.step, "rolling_back", f"rolling back: {words}")
    return Weighed("back", words, misses, (*events, event), verdict)


def _unsure(
    run: Run, judging: Judging, now: float, answer: Answer, misses: dict[str, int], events: list[Event]
) -> Weighed:
    waited = now - run.since - (run.plan.steps[run.step].hold or 0.0)
    if judging.cannot_tell == "go_on":
        return _on(run, now, misses, events, answer.verdict)
    if judging.cannot_tell == "wait" and waited < judging.patience:
        return _stay(misses, events, answer.verdict)
    event = Event(now, run.step, "paused", f"paused: {answer.words}")
    return Weighed("pause", answer.words, misses, (*events, event), answer.verdict)


def _stay(misses: dict[str, int], events: list[Event], verdict: str = "") -> Weighed:
    return Weighed("stay", "", misses, tuple(events), verdict)


def _on(run: Run, now: float, misses: dict[str, int], events: list[Event], verdict: str = "") -> Weighed:
    last = run.step + 1 >= len(run.plan.steps)
    words = f"step {run.step + 1} is done" + (f": {run.plan.candidate} has taken over" if last else "")
    event = Event(now, run.step, "succeeded" if last else "step_done", words)
    return Weighed("next", "", misses, (*events, event), verdict)


def _inside(value: float, check: Check) -> bool:
    return (check.least is None or value >= check.least) and (check.most is None or value <= check.most)


def _said(value: float | None) -> str:
    return "no value" if value is None else digits(value)


def _wanted(check: Check) -> str:
    if check.least is not None and check.most is not None:
        return f"between {digits(check.least)} and {digits(check.most)}"
    return f"at least {digits(check.least)}" if check.least is not None else f"at most {digits(check.most or 0.0)}"
