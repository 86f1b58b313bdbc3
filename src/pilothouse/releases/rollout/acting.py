"""What a person does to a rollout: start, pause, resume, promote, abort."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.releases.mark import Mark
from pilothouse.releases.rollout.advancing import begun, next_step, rolled_back
from pilothouse.releases.rollout.run import OPEN, Event, Run
from pilothouse.releases.store.rollouts import ConflictError
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.sentences import sentence

if TYPE_CHECKING:
    from pilothouse.releases.rollout.plan import Plan
    from pilothouse.releases.store import ReleaseStore

ACTIONS = ("pause", "resume", "promote", "abort")
_TRIES = 5


def start(store: ReleaseStore, plan: Plan, now: float, by: str) -> Run:
    """A new rollout, and the mark of the release; raises `BadRequestError` when the service has an open one."""
    words = sentence(
        "rollout of {service} {candidate} in the place of {baseline}, in {steps} steps",
        service=plan.service,
        candidate=plan.candidate,
        baseline=plan.baseline,
        steps=len(plan.steps),
    )
    try:
        event = Event(now, 0, "started", words, by, {"not_mapped": list(plan.not_mapped)})
        run = store.rollouts.start(plan, now, event)
    except ConflictError as error:
        raise BadRequestError(f"service: {error}", "service") from None
    store.marks.keep(Mark(plan.service, plan.candidate, int(now * 1e9), by=f"rollout {run.id}"))
    return run


def act(store: ReleaseStore, key: int, action: str, now: float, by: str, note: str = "", full: bool = False) -> Run:
    """Do it, whatever the driver does meanwhile. Raises `NotFoundError`, `BadRequestError` when it cannot be."""
    for _ in range(_TRIES):
        run = store.rollouts.one(key)
        if run is None:
            raise NotFoundError(f"no rollout {key}")
        changed, words = _acted(run, action, now, full)
        said = sentence("{said}: {detail}", said=words, detail=note) if note else words
        try:
            return store.rollouts.change(changed, Event(now, run.step, action, said, by))
        except ConflictError:
            continue
    raise BadRequestError(f"rollout {key} is changing too fast; try again", "action")


def _acted(run: Run, action: str, now: float, full: bool) -> tuple[Run, str]:
    if run.state not in OPEN:
        raise BadRequestError(f"action: rollout {run.id} has ended ({run.state.replace('_', ' ')})", "action")
    if run.state == "rolling_back" and action != "abort":
        raise BadRequestError(f"action: rollout {run.id} is being rolled back", "action")
    match action:
        case "pause":
            return replace(run, state="paused", reason=sentence("paused by a person")), sentence("paused")
        case "resume":
            # What was heard before the pause is no reason to give up now.
            return replace(
                run, state="running", reason="", misses={}, asked=min(run.asked, now), resumed=now
            ), sentence("resumed")
        case "promote":
            return _promoted(run, now, full)
        case "abort":
            return (
                run if run.state == "rolling_back" else rolled_back(run, sentence("aborted by a person"))
            ), sentence("aborted")
        case _:
            raise BadRequestError(f"action: {action!r} is not {', '.join(ACTIONS)}", "action")


def _promoted(run: Run, now: float, full: bool) -> tuple[Run, str]:
    """To the next step without asking; `full`: to the last one."""
    if run.phase != "holding" and not full:
        raise BadRequestError(f"action: step {run.step + 1} of rollout {run.id} has not begun yet", "action")
    running = replace(run, state="running", reason="", misses={})
    if full:
        last = len(run.plan.steps) - 1
        return begun(replace(running, step=last), now), sentence("promoted to the last step")
    return next_step(running, now), sentence("step {step} promoted", step=run.step + 1)
