"""One move of a rollout at a time: write down what is to be done, do it, write down that it is done.

A process may be killed between any two of these. What is written down is then done again under the same key, unless
the traffic is found to be as wanted already; a step counts as done only when that is written. So no step is skipped,
and none is done twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from pilothouse.releases.rollout.run import Event, Run
from pilothouse.releases.rollout.weighing import Weighed, weigh
from pilothouse.signals.sentences import sentence

if TYPE_CHECKING:
    from pilothouse.releases.rollout.asking import Asking
    from pilothouse.releases.rollout.traffic import TrafficShifter
    from pilothouse.releases.store.rollouts import RolloutStore

log = structlog.get_logger(__name__)

_MOST_TRIES = 5
_LONGEST_WAIT = 60.0
_TRAFFIC = "traffic"


@dataclass(frozen=True, slots=True)
class Crew:
    """Who is needed for a move."""

    store: RolloutStore
    shifter: TrafficShifter
    asking: Asking


def advance(run: Run, crew: Crew, now: float) -> Run:
    """Make the next move if one is due; returns the run as it is stored then.

    Raises `ConflictError` when somebody else changed it meanwhile: read it again.
    """
    if run.state == "rolling_back" or (run.state == "running" and run.phase == "setting"):
        return _set(run, crew, now)
    if run.state != "running":
        return run
    if run.phase == "entering":
        return _enter(run, crew, now)
    return _hold(run, crew, now)


def rolled_back(run: Run, reason: str) -> Run:
    """The run on its way back; the traffic is moved by the next `advance`."""
    return replace(run, state="rolling_back", phase="setting", attempt=run.attempt + 1, asked=0.0, reason=reason,
                   misses={})  # fmt: skip


def next_step(run: Run, now: float) -> Run:
    """The run after its step; past the last one it has succeeded."""
    if run.step + 1 >= len(run.plan.steps):
        return replace(run, state="succeeded", ended=now, reason="", misses={})
    return begun(replace(run, step=run.step + 1, misses={}, verdict=""), now)


def begun(run: Run, now: float) -> Run:
    """The run at the beginning of its step: nothing of it is done, and nothing known."""
    return replace(run, phase="entering", attempt=0, since=now, asked=0.0, served=0, counted=0.0, looks=[],
                   late_looks=0)  # fmt: skip


def _enter(run: Run, crew: Crew, now: float) -> Run:
    step = run.plan.steps[run.step]
    if step.weight is None:
        words = sentence("step {step}: {what}", step=run.step + 1, what=step.words)
        return crew.store.change(
            replace(run, phase="holding", since=now, asked=now), Event(now, run.step, "pausing", words)
        )
    words = sentence(
        "step {step}: giving {candidate} {what}", step=run.step + 1, candidate=run.plan.candidate, what=step.words
    )
    return crew.store.change(
        replace(run, phase="setting", attempt=1, asked=0.0),
        Event(now, run.step, "setting", words, evidence={"weights": run.weights}),
    )


def _set(run: Run, crew: Crew, now: float) -> Run:
    tries = run.misses.get(_TRAFFIC, 0)
    if tries and now - run.asked < min(2.0**tries, _LONGEST_WAIT):
        return run
    try:
        found = crew.shifter.weights(run.plan.service)
        already = found is not None and _same(found, run.weights)
        if not already:
            crew.shifter.shift(run.plan.service, run.weights, run.key)
    except Exception as error:
        # Shifters are of many makers; whatever one raises, the rollout must know where it stands.
        log.warning("traffic was not shifted", rollout=run.id, reason=str(error), kind=type(error).__name__)
        return _not_set(run, crew, now, str(error) or type(error).__name__)
    weights = run.weights
    evidence = {"weights": weights, "key": run.key, "found_as_wanted": already}
    if run.state == "rolling_back":
        words = sentence("rolled back: all traffic goes to {baseline}", baseline=run.plan.baseline)
        done = replace(run, state="rolled_back", weight=0, ended=now, misses={})
        return crew.store.change(done, Event(now, run.step, "rolled_back", words, evidence=evidence))
    weight = weights[run.plan.candidate]
    words = sentence(
        "step {step}: {candidate} has {weight} % of the traffic",
        step=run.step + 1,
        candidate=run.plan.candidate,
        weight=weight,
    )
    held = replace(run, phase="holding", since=now, asked=now, weight=weight, misses={})
    return crew.store.change(held, Event(now, run.step, "set", words, evidence=evidence))


def _not_set(run: Run, crew: Crew, now: float, words: str) -> Run:
    tries = run.misses.get(_TRAFFIC, 0) + 1
    failed = replace(run, misses=run.misses | {_TRAFFIC: tries}, asked=now)
    failure = sentence("the traffic was not shifted: {reason}", reason=words)
    events = [Event(now, run.step, "traffic_failed", failure)]
    # On the way back there is nothing better to do than to try on.
    if tries >= _MOST_TRIES and run.state == "running":
        failed = replace(
            failed,
            state="paused",
            reason=sentence("the traffic could not be shifted: {reason}", reason=words),
            misses={},
        )
        events.append(Event(now, run.step, "paused", failed.reason))
    elif tries > _MOST_TRIES:
        events = []
    return crew.store.change(failed, *events)


def _hold(run: Run, crew: Crew, now: float) -> Run:
    found = weigh(run, crew.asking, now)
    if found is None:
        return run
    return crew.store.change(_moved(found.run, found, now), *found.events)


def _moved(run: Run, found: Weighed, now: float) -> Run:
    match found.move:
        case "back":
            return rolled_back(run, found.reason)
        case "pause":
            return replace(run, state="paused", reason=found.reason)
        case "next":
            return next_step(run, now)
        case _:
            return run


def _same(found: object, wanted: dict[str, int]) -> bool:
    weights = dict(found) if hasattr(found, "items") else {}  # type: ignore[call-overload]
    # A version that gets nothing need not be listed.
    return {version: weight for version, weight in weights.items() if weight} == {
        version: weight for version, weight in wanted.items() if weight
    }
