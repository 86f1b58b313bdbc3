"""`/api/rollouts`: start, look at, pause, resume, promote, abort."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from pilothouse.releases.discovering import releases
from pilothouse.releases.rollout.acting import ACTIONS, act, start
from pilothouse.releases.rollout.reading import read_plan
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.wire import answer, json_body, number, only, waiting

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine
    from pilothouse.releases.rollout.plan import Plan
    from pilothouse.releases.rollout.run import Run
    from pilothouse.releases.store import ReleaseStore

# What a request may say instead of the plan.
_OVERRIDES = ("service", "baseline", "candidate", "traffic", "selector", "requests")
_STARTING = ("plan", *_OVERRIDES, "by", "dry_run")
_ACTING = ("action", "by", "note", "full")
_PATH = "/api/rollouts/{rollout:int}"


def routes(engine: Engine, store: ReleaseStore, shifters: Collection[str]) -> list[Route]:
    """The calls about rollouts; `shifters` are the names of what can shift traffic here."""

    async def listed(request: Request) -> Response:
        only(request, "service", "limit")
        found = await waiting(
            store.rollouts.all, request.query_params.get("service", ""), limit=number(request, "limit", 100, 1, 1000)
        )
        return answer({"rollouts": [run.to_json() for run in found]})

    async def started(request: Request) -> Response:
        only(request)
        body = await json_body(request)
        return await waiting(_started, engine, store, shifters, body)

    async def shown(request: Request) -> Response:
        only(request)
        return answer(await waiting(_whole, store, request.path_params["rollout"]))

    async def acted(request: Request) -> Response:
        only(request)
        body = await json_body(request)
        return answer(await waiting(_acted, store, request.path_params["rollout"], body))

    return [
        Route("/api/rollouts", listed, methods=["GET"]),
        Route("/api/rollouts", started, methods=["POST"]),
        Route(_PATH, shown, methods=["GET"]),
        Route(_PATH, acted, methods=["POST"]),
    ]


def _started(engine: Engine, store: ReleaseStore, shifters: Collection[str], body: dict[str, Any]) -> Response:
    _known(body, _STARTING)
    plan = body.get("plan")
    if not plan:
        raise BadRequestError("plan: this field is needed: the plan as YAML text or as an object", "plan")
    text = plan if isinstance(plan, str) else json.dumps(plan)
    overrides = {name: body[name] for name in _OVERRIDES if body.get(name)}
    found = _versions(engine, read_plan(text, overrides))
    if found.traffic.by not in shifters:
        known = ", ".join(sorted(shifters))
        raise BadRequestError(f"plan: traffic.by: {found.traffic.by!r} is not {known}", "plan")
    if body.get("dry_run"):
        return answer({"plan": found.to_json(), "steps": [step.words for step in found.steps]})
    run = start(store, found, time.time(), _text(body, "by") or "api")
    return answer(_whole(store, run.id), 201)


def _versions(engine: Engine, plan: Plan) -> Plan:
    """With the newest version as the candidate and the one before it as the baseline, where the plan names none."""
    if plan.candidate and plan.baseline:
        return _different(plan)
    found = releases(engine, plan.service)
    if not plan.candidate:
        if not found:
            raise BadRequestError(f"plan: candidate: no version of {plan.service} is known yet; name it", "plan")
        plan = replace(plan, candidate=found[0].version)
    if not plan.baseline:
        before = [one.version for one in found if one.version != plan.candidate]
        if not before:
            raise BadRequestError(f"plan: baseline: no other version of {plan.service} is known; name it", "plan")
        plan = replace(plan, baseline=before[0])
    return _different(plan)


def _different(plan: Plan) -> Plan:
    if plan.baseline == plan.candidate:
        raise BadRequestError(f"plan: candidate: {plan.candidate} is the baseline too", "plan")
    return plan


def _whole(store: ReleaseStore, key: int) -> dict[str, Any]:
    run: Run | None = store.rollouts.one(key)
    if run is None:
        raise NotFoundError(f"no rollout {key}")
    return run.to_json() | {"events": [event.to_json() for event in store.rollouts.events(key)]}


def _acted(store: ReleaseStore, key: int, body: dict[str, Any]) -> dict[str, Any]:
    _known(body, _ACTING)
    action = _text(body, "action")
    if action not in ACTIONS:
        raise BadRequestError(f"action: {action!r} is not {', '.join(ACTIONS)}", "action")
    full = body.get("full", False)
    if not isinstance(full, bool):
        raise BadRequestError("full: must be true or false", "full")
    act(store, key, action, time.time(), _text(body, "by") or "api", _text(body, "note"), full)
    return _whole(store, key)


def _known(body: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in body:
        if name not in known:
            raise BadRequestError(f"{name}: no such field; known are {', '.join(known)}", name)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > 1000:
        raise BadRequestError(f"{name}: must be text of at most 1000 characters", name)
    return value.strip()
