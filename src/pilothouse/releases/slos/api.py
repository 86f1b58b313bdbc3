"""`/api/slos`: objectives with their burn rates; declare and forget them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from pilothouse.releases.slos.reading import read_objectives
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.timerange import parse_moment
from pilothouse.signals.wire import answer, json_body, only, waiting

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine
    from pilothouse.releases.store import ReleaseStore

_FIELDS = ("slo", "forget")


def routes(engine: Engine, store: ReleaseStore) -> list[Route]:
    """The calls about objectives."""

    async def listed(request: Request) -> Response:
        only(request, "service", "at")
        return answer({"slos": await waiting(_listed, engine, store, request)})

    async def declared(request: Request) -> Response:
        only(request)
        return answer({"slos": await waiting(_declared, store, await json_body(request))}, 201)

    return [Route("/api/slos", listed, methods=["GET"]), Route("/api/slos", declared, methods=["POST"])]


def _listed(engine: Engine, store: ReleaseStore, request: Request) -> list[dict[str, Any]]:
    # What PromQL needs is imported with the first question.
    from pilothouse.releases.slos.burning import alerting, burn_rates

    at = request.query_params.get("at", "")
    now = parse_moment(at, time.time_ns(), "at") / 1e9 if at else time.time()
    found = []
    for one in store.slos.all(request.query_params.get("service", "")):
        burn = burn_rates(engine, one, now)
        found.append(one.to_json() | {"burn": burn, "alert": alerting(burn) or None})
    return found


def _declared(store: ReleaseStore, body: dict[str, Any]) -> list[dict[str, Any]]:
    for name in body:
        if name not in _FIELDS:
            raise BadRequestError(f"{name}: no such field; known are {', '.join(_FIELDS)}", name)
    if forget := body.get("forget"):
        if not isinstance(forget, dict) or not all(isinstance(forget.get(part), str) for part in ("service", "name")):
            raise BadRequestError('forget: write {"service": "...", "name": "..."}', "forget")
        if not store.slos.forget(forget["service"], forget["name"]):
            raise NotFoundError(f"{forget['service']} has no objective {forget['name']!r}")
        return []
    given = body.get("slo")
    if not given:
        raise BadRequestError("slo: this field is needed: YAML text or an object", "slo")
    objectives = read_objectives(given if isinstance(given, str) else json.dumps(given))
    store.slos.keep(objectives)
    return [one.to_json() for one in objectives]
