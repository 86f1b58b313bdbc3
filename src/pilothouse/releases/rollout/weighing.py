"""While a step is held: what the judge and the checks say, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pilothouse.releases.rollout.looking import looked
from pilothouse.releases.rollout.run import Event
from pilothouse.releases.wording import digits, duration
from pilothouse.signals.sentences import sentence

if TYPE_CHECKING:
    from pilothouse.releases.rollout.asking import Answer, Asking
    from pilothouse.releases.rollout.plan import Check
    from pilothouse.releases.rollout.run import Run

Move = Literal["stay", "next", "pause", "back"]
_JUDGE = "judge"
# How often requests are counted while a step waits for them: a tenth of the judge's pace, within these seconds.
_COUNT_SOONEST, _COUNT_LATEST = 1.0, 10.0


@dataclass(frozen=True, slots=True)
class Weighed:
    """What to do, why, the run with what was heard, and that as events."""

    move: Move
    reason: str
    run: Run
    events: tuple[Event, ...]


def weigh(run: Run, asking: Asking, now: float) -> Weighed | None:
    """What follows now; None when nothing is due."""
    step = run.plan.steps[run.step]
    held = step.hold is not None and now - run.since >= step.hold
    if not step.checks or not _askable(run):
        return _on(run, now, []) if held else None
    if not step.judged:
        return _on(run, now, [])
    due = now - run.asked >= run.plan.judging.every
    events: list[Event] = []
    counted = _counted(run, asking, now, due, events)
    over = held and counted.served >= step.requests
    if held and not over and now - max(run.since, run.resumed) >= _longest(counted):
        if step.too_few == "pause":
            words = sentence(
                "only {requests} after {time}",
                requests=_so_many(counted),
                time=duration(round(now - run.since)),
            )
            event = Event(now, run.step, "paused", sentence("paused: {reason}", reason=words))
            return Weighed("pause", words, counted, (*events, event))
        over = True
    if due or (over and not run.is_looked_through):
        return _asked(counted, asking, now, over, events)
    return Weighed("stay", "", counted, tuple(events)) if counted is not run else None


def _askable(run: Run) -> bool:
    """Whether anything is to be asked: the candidate has traffic, and there is a judge or a check."""
    return run.weight > 0 and (run.plan.judging.ask or bool(run.plan.checks))


def _counted(run: Run, asking: Asking, now: float, due: bool, events: list[Event]) -> Run:
    """The run with the requests of its step, where it waits for them; said once, when it waits for nothing else."""
    step = run.plan.steps[run.step]
    pause = min(max(run.plan.judging.every / 10, _COUNT_SOONEST), _COUNT_LATEST)
    if run.served >= step.requests or not (due or now - run.counted >= pause):
        return run
    counted = replace(run, served=asking.served(run, now), counted=now)
    end = run.since + (step.hold or 0.0)
    if counted.served < step.requests and run.counted < end <= now:
        longest = duration(_longest(run))
        words = sentence(
            "step {step} waits for requests: {requests} so far, at most {longest} in all",
            step=run.step + 1,
            requests=_so_many(counted),
            longest=longest,
        )
        events.append(Event(now, run.step, "waiting", words, evidence={"requests": counted.served}))
    return counted


def _longest(run: Run) -> float:
    """How many seconds a step is held for requests."""
    step = run.plan.steps[run.step]
    if step.at_most is not None:
        return max(step.at_most, step.hold or 0.0)
    return (step.hold or 0.0) + run.plan.judging.patience


def _so_many(run: Run) -> str:
    wanted = run.plan.steps[run.step].requests
    return sentence("{served} of {wanted} requests", served=run.served, wanted=wanted)


def _asked(run: Run, asking: Asking, now: float, over: bool, events: list[Event]) -> Weighed:
    judging = run.plan.judging
    run, level = looked(replace(run, asked=now), now, over)
    run, failed = _checked(run, asking, now, events)
    if failed:
        return _bad(run, now, failed, events)
    if not judging.ask:
        content = not any(run.misses.get(check.name) for check in run.plan.checks)
        return _on(run, now, events) if over and content else Weighed("stay", "", run, tuple(events))
    answer = asking.judge(run, now, level)
    evidence = answer.evidence | {"verdict": answer.verdict, "look": len(run.looks) + run.late_looks, "level": level}
    events.append(Event(now, run.step, "verdict", answer.words, evidence=evidence))
    misses = run.misses | {_JUDGE: run.misses.get(_JUDGE, 0) + 1 if answer.verdict == "worse" else 0}
    heard = int(answer.evidence.get("comparison", 0)) or run.comparison
    run = replace(run, misses=misses, verdict=answer.verdict, comparison=heard)
    if misses[_JUDGE] >= judging.failures:
        return _bad(run, now, answer.words, events)
    if not over or any(misses.values()):
        return Weighed("stay", "", run, tuple(events))
    if answer.verdict == "no_worse":
        return _on(run, now, events)
    return _unsure(run, now, answer, events)


def _checked(run: Run, asking: Asking, now: float, events: list[Event]) -> tuple[Run, str]:
    """Ask each check; the run with what was missed, and the words of the first that was too often, or nothing."""
    failed = ""
    misses = dict(run.misses)
    for check in run.plan.checks:
        value = asking.measure(run, check, now)
        kept = value is not None and _inside(value, check)
        misses[check.name] = 0 if kept else misses.get(check.name, 0) + 1
        words = sentence("{check}: {value}", check=check.name, value=_said(value))
        if not kept:
            words = sentence("{said}, not {wanted}", said=words, wanted=_wanted(check))
        evidence: dict[str, Any] = {"check": check.name, "value": value, "least": check.least, "most": check.most}
        events.append(Event(now, run.step, "check", words, evidence=evidence))
        if misses[check.name] > check.failures:
            failed = failed or words
    return replace(run, misses=misses), failed


def _bad(run: Run, now: float, words: str, events: list[Event]) -> Weighed:
    if run.plan.judging.worse == "pause":
        paused = Event(now, run.step, "paused", sentence("paused: {reason}", reason=words))
        return Weighed("pause", words, run, (*events, paused))
    event = Event(now, run.step, "rolling_back", sentence("rolling back: {reason}", reason=words))
    return Weighed("back", words, run, (*events, event))


def _unsure(run: Run, now: float, answer: Answer, events: list[Event]) -> Weighed:
    judging, step = run.plan.judging, run.plan.steps[run.step]
    waited = now - run.since - (_longest(run) if step.requests else step.hold or 0.0)
    if judging.cannot_tell == "go_on":
        return _on(run, now, events)
    if judging.cannot_tell == "wait" and waited < judging.patience:
        return Weighed("stay", "", run, tuple(events))
    event = Event(now, run.step, "paused", sentence("paused: {reason}", reason=answer.words))
    return Weighed("pause", answer.words, run, (*events, event))


def _on(run: Run, now: float, events: list[Event]) -> Weighed:
    last = run.step + 1 >= len(run.plan.steps)
    words = sentence("step {step} is done", step=run.step + 1)
    if last:
        words = sentence("{said}: {candidate} has taken over", said=words, candidate=run.plan.candidate)
    event = Event(now, run.step, "succeeded" if last else "step_done", words)
    return Weighed("next", "", run, (*events, event))


def _inside(value: float, check: Check) -> bool:
    return (check.least is None or value >= check.least) and (check.most is None or value <= check.most)


def _said(value: float | None) -> str:
    return sentence("no value") if value is None else digits(value)


def _wanted(check: Check) -> str:
    if check.least is not None and check.most is not None:
        return sentence("between {least} and {most}", least=digits(check.least), most=digits(check.most))
    if check.least is not None:
        return sentence("at least {least}", least=digits(check.least))
    return sentence("at most {most}", most=digits(check.most or 0.0))
