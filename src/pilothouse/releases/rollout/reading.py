"""From a file to a plan: our own form, Flagger's Canary, Argo's Rollout, Kayenta's canary config."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pilothouse.releases.rollout import argo, flagger, kayenta, own
from pilothouse.releases.rollout.document import Place, documents
from pilothouse.releases.rollout.plan import Plan, Step
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.selector import parse_selector

_MOST_STEPS = 100


def read_plan(text: str, overrides: dict[str, Any] | None = None) -> Plan:
    """The plan of a YAML or JSON text; `overrides` may set `service`, `baseline`, `candidate`, `traffic`,
    `selector`, and `requests` for all steps that are held.

    Raises `BadRequestError` that names the place.
    """
    found = documents(text)
    if not found:
        raise BadRequestError("plan: is empty; see docs/reference/rollouts.md for the form", "plan")
    above = Place(overrides or {}, "overrides")
    plan = _read(found, above)
    plan = replace(plan, selector=above.at("selector").text() or plan.selector)
    plan = _checked(plan)
    if above.at("requests").content:
        plan = _waiting(plan, above.at("requests").whole(1, 10**9))
    return replace(plan, steps=_to_the_end(plan.steps))


def _read(found: list[dict[str, Any]], overrides: Place) -> Plan:
    kinds = [str(one.get("kind", "")) for one in found]
    if "Canary" in kinds:
        return flagger.read(found, overrides)
    if "Rollout" in kinds and any("argoproj.io" in str(one.get("apiVersion", "")) for one in found):
        return argo.read(found, overrides)
    if "metrics" in found[0] and ("classifier" in found[0] or ("judge" in found[0] and "configVersion" in found[0])):
        return kayenta.read(found[0], overrides)
    if kind := next((one for one in kinds if one), ""):
        raise BadRequestError(
            f"plan: kind: {kind!r} is not read; Flagger's Canary and Argo's Rollout (argoproj.io) are, "
            "Kayenta's canary config, and our own form, which has no kind",
            "plan",
        )
    if len(found) > 1:
        raise BadRequestError("plan: has more than one document; one rollout has one", "plan")
    return own.read(Place(found[0]), overrides)


def _checked(plan: Plan) -> Plan:
    if not plan.service:
        raise BadRequestError("plan: service: say which service is rolled out", "plan")
    if not plan.steps:
        raise BadRequestError("plan: steps: there must be one at least, such as `- weight: 10`", "plan")
    if len(plan.steps) > _MOST_STEPS:
        raise BadRequestError(f"plan: steps: {len(plan.steps)} are more than {_MOST_STEPS}", "plan")
    if not plan.traffic.by:
        raise BadRequestError(
            "plan: traffic: say what shifts the traffic, such as `by: http` with a `url`, or `--hook URL`", "plan"
        )
    try:
        parse_selector(plan.selector)
    except BadRequestError as error:
        raise BadRequestError(f"plan: {error}", "plan") from None
    names = [check.name for check in plan.checks]
    for name in names:
        if names.count(name) > 1:
            raise BadRequestError(f"plan: checks: {name!r} is there twice", "plan")
    return plan


def _waiting(plan: Plan, requests: int) -> Plan:
    """With so many requests to wait for at each step that is held and says nothing of them."""
    waiting = [step.weight and step.hold and step.checks and not step.requests for step in plan.steps]
    steps = [
        replace(step, requests=requests) if waits else step for step, waits in zip(plan.steps, waiting, strict=True)
    ]
    return replace(plan, steps=tuple(steps))


def _to_the_end(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """A rollout ends with all of the traffic, whether or not the file says so."""
    weights = [step.weight for step in steps if step.weight is not None]
    return steps if weights and weights[-1] == 100 else (*steps, Step(weight=100))
