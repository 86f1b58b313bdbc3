"""How a promotion begins: somebody asks, or a version was released."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from pilothouse.delivery.environments import EnvironmentsError, Strategy
from pilothouse.delivery.environments.changing import change_of, deployed
from pilothouse.delivery.environments.images import checked_version, without
from pilothouse.delivery.promoting.promotion import Happened, Promotion

if TYPE_CHECKING:
    from pilothouse.delivery.environments import Environment
    from pilothouse.delivery.environments.changing import Change
    from pilothouse.delivery.promoting.crew import Crew
    from pilothouse.releases.rollout.plan import Plan


class RefusedError(EnvironmentsError):
    """The promotion is not begun; the message says why and what can be done."""


def promote(
    crew: Crew, service: str, version: str, to: str, by: str = "", *, onward: bool = False, changes: str = ""
) -> Promotion:
    """Begin a promotion; it is moved on by `advance`. Raises `EnvironmentsError`, and the forge's errors."""
    environment = crew.environments().named(to)
    environment.placement(service)
    checked_version(version)
    if environment.strategy is Strategy.NEVER:
        raise RefusedError(f"{to}: takes no promotions (its strategy is Never)")
    before = deployed(environment, service, crew.forge_of(environment))
    if before == without(version, ""):
        raise RefusedError(f"{to}: declares {service} {version} already")
    for one in crew.store.all(service, to, ongoing=True):
        if one.version == version:
            return one
        if one.state in ("merged", "rolling_out"):
            raise RefusedError(
                f"{to}: {service} {one.version} is being rolled out there (promotion {one.id}); wait for its end"
            )
    if environment.rollout is not None and before:
        plan_of(crew, environment, service, before, version)
    asked = Promotion(0, service, version, to, before, by=by, onward=onward, changes=changes)
    return crew.store.add(asked, Happened(time.time(), "asked", asked.title, by or "pilothouse"))


def preview(crew: Crew, service: str, version: str, to: str) -> Change:
    """What a promotion would change, without asking for it. Raises as `promote`."""
    environment = crew.environments().named(to)
    return change_of(environment, service, version, crew.forge_of(environment))


def released(crew: Crew, service: str, version: str, changes: str = "", by: str = "") -> Promotion | None:
    """A version was released: it goes into the first environment of its service. None when there is none.

    From there it goes on by itself, environment by environment, as their strategies allow.
    """
    first = crew.environments().first(service)
    if first is None:
        return None
    return promote(crew, service, version, first.name, by, onward=True, changes=changes)


def plan_of(crew: Crew, environment: Environment, service: str, baseline: str, candidate: str) -> Plan:
    """The rollout by which a version takes over in an environment. Raises `EnvironmentsError` that names the place."""
    from pilothouse.releases.rollout.reading import read_plan
    from pilothouse.signals.errors import BadRequestError

    said: dict[str, Any] = {"service": service, "baseline": baseline, "candidate": without(candidate, "")}
    try:
        plan = read_plan(json.dumps(environment.rollout), said)
    except BadRequestError as error:
        raise EnvironmentsError(f"{environment.name}.rollout: {error}") from None
    if plan.traffic.by not in crew.shifters:
        known = ", ".join(sorted(crew.shifters))
        raise EnvironmentsError(f"{environment.name}.rollout: traffic.by: {plan.traffic.by!r} is not {known}")
    return plan
