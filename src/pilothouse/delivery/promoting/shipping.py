"""After the merge: a rollout gives the version its traffic, and its verdict decides whether it stays."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.delivery.environments.images import without
from pilothouse.delivery.promoting.asking import RefusedError, plan_of, promote
from pilothouse.delivery.promoting.promotion import Happened, Promotion
from pilothouse.delivery.promoting.wording import plain
from pilothouse.releases.mark import Mark
from pilothouse.signals.errors import BadRequestError

if TYPE_CHECKING:
    from pilothouse.delivery.environments import Environment
    from pilothouse.delivery.promoting.crew import Crew
    from pilothouse.releases.rollout.run import Event, Run

_MOST_FINDINGS = 20


def shipped(crew: Crew, promotion: Promotion, environment: Environment) -> Promotion:
    """From merged to deployed, or to being rolled out where the environment has a plan."""
    if environment.rollout is None or promotion.reverts or not promotion.before:
        return _deployed(crew, promotion, environment)
    run = _known(crew, promotion) or _started(crew, promotion, environment)
    if run is None:
        return crew.store.one(promotion.id) or promotion
    words = f"rollout {run.id}: {len(run.plan.steps)} steps, judged at each"
    return crew.store.change(
        replace(promotion, state="rolling_out", rollout=run.id, reason=words),
        Happened(time.time(), "rolling_out", words),
    )


def watched(crew: Crew, promotion: Promotion, environment: Environment) -> Promotion:
    """How the rollout stands, and what follows from its end."""
    run = crew.releases.rollouts.one(promotion.rollout)
    if run is None:
        return _ended(crew, promotion, "failed", f"rollout {promotion.rollout} is gone")
    match run.state:
        case "succeeded":
            return _deployed(crew, promotion, environment)
        case "rolled_back" | "rolling_back":
            return _reverted(crew, promotion, run)
        case _:
            said = f"{run.state}: {run.reason}" if run.reason else f"step {run.step + 1} of {len(run.plan.steps)}"
            words = f"rollout {run.id}, {said}"
            if words == promotion.reason:
                return promotion
            return crew.store.change(replace(promotion, reason=words), Happened(time.time(), "rollout", words))


def _known(crew: Crew, promotion: Promotion) -> Run | None:
    """The rollout that was started before a crash kept us from writing that down."""
    for run in crew.releases.rollouts.all(promotion.service, limit=5):
        events = crew.releases.rollouts.events(run.id)
        if events and events[0].by == _starter(promotion):
            return run
    return None


def _starter(promotion: Promotion) -> str:
    return f"promotion {promotion.id}"


def _started(crew: Crew, promotion: Promotion, environment: Environment) -> Run | None:
    from pilothouse.releases.rollout.acting import start

    plan = plan_of(crew, environment, promotion.service, promotion.before, promotion.version)
    try:
        return start(crew.releases, plan, time.time(), _starter(promotion))
    except BadRequestError as error:
        reason = f"the rollout waits: {error}"
        if reason != promotion.reason:
            crew.store.change(replace(promotion, reason=reason), Happened(time.time(), "waiting", reason))
        return None


def _deployed(crew: Crew, promotion: Promotion, environment: Environment) -> Promotion:
    words = f"{promotion.service} {promotion.version} is what {environment.name} declares"
    done = _ended(crew, promotion, "deployed", words)
    crew.releases.marks.keep(
        Mark(
            promotion.service, without(promotion.version, ""), time.time_ns(), by=_starter(promotion),
            environment=environment.telemetry, commit=promotion.commit, note=promotion.title,
            url=promotion.url if promotion.url.startswith(("http://", "https://")) else "",
        )
    )  # fmt: skip
    return _onward(crew, done)


def _onward(crew: Crew, promotion: Promotion) -> Promotion:
    """The next environment's promotion, where the version is on its way through all of them."""
    if not promotion.onward or promotion.reverts:
        return promotion
    after = crew.environments().after(promotion.environment, promotion.service)
    if after is None:
        return promotion
    try:
        promote(
            crew, promotion.service, promotion.version, after.name, promotion.by, onward=True, changes=promotion.changes
        )
    except RefusedError as error:
        crew.store.change(promotion, Happened(time.time(), "not_onward", str(error)))
    return promotion


def _reverted(crew: Crew, promotion: Promotion, run: Run) -> Promotion:
    """The version is taken back by a promotion of its own, with what the verdict rests on."""
    report = report_of(run, crew.releases.rollouts.events(run.id), crew.address())
    asked = Promotion(
        0, promotion.service, promotion.before, promotion.environment, promotion.version, by=f"rollout {run.id}",
        reverts=promotion.id, report=report,
    )  # fmt: skip
    if not any(one.reverts == promotion.id for one in crew.store.all(promotion.service, promotion.environment)):
        crew.store.add(asked, Happened(time.time(), "asked", asked.title))
    words = f"rolled back: {run.reason or 'the rollout ended badly'}"
    if (forge := crew.forge_with(promotion)) is not None:
        forge.add_comment(promotion.repository, promotion.number, f"**Rolled back.** {report}", key="verdict")
    told = f"**Rolled back in {plain(promotion.environment)}.** {report}"
    crew.tell_changes(promotion.service, promotion.version, told)
    return _ended(crew, promotion, "rolled_back", words)


def report_of(run: Run, events: list[Event], address: str = "") -> str:
    """What a rollout's end rests on, as Markdown: the reason, the last verdict, its findings; nothing of it twice.

    `address` is where browsers find this server's page.
    """
    said = _long(run.reason or "it ended badly")
    lines = [f"Rollout {run.id} of {plain(run.plan.service)} {plain(run.plan.candidate)} was taken back: {said}."]
    for event in reversed(events):
        if event.kind not in ("verdict", "check"):
            continue
        if event.kind == "verdict" and event.evidence.get("verdict") != "worse":
            continue
        found = [*event.evidence.get("stories", []), *event.evidence.get("findings", [])]
        listed = [one for one in dict.fromkeys(map(_long, map(str, found[:_MOST_FINDINGS]))) if one not in said]
        if listed or _long(event.words) not in said:
            words = "" if _long(event.words) in said else f" {_long(event.words)}"
            lines.append(f"\n**{event.kind.capitalize()}** at step {event.step + 1}:{words}")
            lines += [f"- {one}" for one in listed]
        if page := event.evidence.get("page"):
            where = f"[the page]({address}{page})" if address else f"the page at `{page}`"
            command = f"pilothouse compare {run.plan.service} {run.plan.baseline} {run.plan.candidate}"
            lines.append(f"\nMore: `{command}` or {where}")
        break
    return "\n".join(lines)


def _long(text: str) -> str:
    return " ".join(text.split()).replace("<", "&lt;").replace("@", "@\u200b")[:2_000]


def _ended(crew: Crew, promotion: Promotion, state: str, words: str) -> Promotion:
    done = replace(promotion, state=state, reason=words)  # type: ignore[arg-type]
    return crew.store.change(done, Happened(time.time(), state, words))
