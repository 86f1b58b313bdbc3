"""`/api/environments`, `/api/promotions`: what runs where, what is on its way, and the asking for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.routing import Route

from pilothouse.delivery.environments import Environment, EnvironmentsError
from pilothouse.delivery.forges import ForgeError, UnavailableError
from pilothouse.delivery.promoting.asking import preview, promote
from pilothouse.releases.store.rollouts import ConflictError
from pilothouse.signals.errors import BadRequestError, NotFoundError, OverloadedError
from pilothouse.signals.wire import answer, json_body, number, only, waiting, wanted

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.delivery.environments.changing import Change
    from pilothouse.delivery.promoting.serving import PromotionServer

_ASKING = ("service", "version", "to", "by", "onward")
_ACTIONS = ("approve", "cancel")
Found = TypeVar("Found")


def routes(server: PromotionServer) -> list[Route]:
    """The calls."""

    async def environments(request: Request) -> Response:
        only(request, "service")
        return answer(await waiting(_asked, lambda: _environments(server, request.query_params.get("service", ""))))

    async def change(request: Request) -> Response:
        only(request, "service", "version")
        name, service, version = (
            request.path_params["environment"],
            wanted(request, "service"),
            wanted(request, "version"),
        )
        found = await waiting(_asked, lambda: preview(server.crew, service, version, name))
        return answer(_change(found))

    async def promotions(request: Request) -> Response:
        only(request, "service", "environment", "ongoing", "limit")
        query = request.query_params
        found = await waiting(
            server.store.all, query.get("service", ""), query.get("environment", ""), query.get("ongoing") == "1",
            number(request, "limit", 100, 1, 1000),
        )  # fmt: skip
        return answer({"promotions": [one.to_json() for one in found]})

    async def ask(request: Request) -> Response:
        only(request)
        said = _fields(await json_body(request), _ASKING, ("service", "version", "to"))
        onward, who = said["onward"] is True, _who(request, said["by"]) or "api"
        made = await waiting(
            _asked,
            lambda: promote(server.crew, said["service"], said["version"], said["to"], who, onward=onward),
        )
        server.wake()
        return answer(made.to_json(), 201)

    async def promotion(request: Request) -> Response:
        only(request)
        return answer(await waiting(_whole, server, request.path_params["promotion"]))

    async def act(request: Request) -> Response:
        only(request)
        said = _fields(await json_body(request), ("action", "by"), ("action",))
        if said["action"] not in _ACTIONS:
            raise BadRequestError(f"action: {said['action']!r} is not {' or '.join(_ACTIONS)}", "action")
        key = request.path_params["promotion"]
        await waiting(_whole, server, key)
        who = _who(request, said["by"])
        await waiting(_asked, lambda: server.act(key, said["action"], who))
        return answer(await waiting(_whole, server, key))

    return [
        Route("/api/environments", environments, methods=["GET"]),
        Route("/api/environments/{environment}/change", change, methods=["GET"]),
        Route("/api/promotions", promotions, methods=["GET"]),
        Route("/api/promotions", ask, methods=["POST"]),
        Route("/api/promotions/{promotion:int}", promotion, methods=["GET"]),
        Route("/api/promotions/{promotion:int}", act, methods=["POST"]),
    ]


def _environments(server: PromotionServer, service: str) -> dict[str, Any]:
    found = server.declared.environments().all
    return {
        "environments": [_environment(server, one, service) for one in found],
        "file": server.declared.place or None,
    }


def _environment(server: PromotionServer, one: Environment, service: str) -> dict[str, Any]:
    standings, problem = server.standings(one)
    last = {known.service: known for known in reversed(server.store.all(environment=one.name))}
    return {
        "name": one.name,
        "strategy": one.strategy.value,
        "kind": one.kind.value,
        "source": str(one.source),
        "telemetry": one.telemetry,
        "rollout": one.rollout is not None,
        "checks": list(one.checks),
        "cluster": one.cluster,
        "problem": problem,
        "services": [
            known.to_json() | {"promotion": last[known.service].to_json() if known.service in last else None}
            for known in standings
            if service in ("", known.service)
        ],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "service": change.service,
        "environment": change.environment,
        "before": change.before,
        "version": change.version,
        "files": sorted(change.files),
        "difference": change.difference,
        "objects": change.objects,
        "rendered_by": list(change.how),
        "problems": list(change.problems),
        "hazards": {
            "summary": change.hazards.summary,
            "blocking": bool(change.hazards.blocking()),
            "known": change.hazards.known,
            "new": [
                {
                    "rule": one.rule.id, "severity": str(one.severity), "subject": str(one.subject),
                    "message": one.message,
                }
                for one in change.hazards.new
            ],
        },
    }  # fmt: skip


def _whole(server: PromotionServer, key: int) -> dict[str, Any]:
    found = server.store.one(key)
    if found is None:
        raise NotFoundError(f"no promotion {key}")
    return found.to_json() | {"events": [one.to_json() for one in server.store.happened(key)]}


def _fields(body: dict[str, Any], known: tuple[str, ...], needed: tuple[str, ...]) -> dict[str, Any]:
    for name in body:
        if name not in known:
            raise BadRequestError(f"{name}: no such field; known are {', '.join(known)}", name)
    said: dict[str, Any] = {}
    for name in known:
        value = body.get(name, False if name == "onward" else "")
        if name == "onward":
            if not isinstance(value, bool):
                raise BadRequestError("onward: must be true or false", name)
        elif not isinstance(value, str) or len(value) > 255 or "\0" in value:
            raise BadRequestError(f"{name}: must be text of at most 255 characters", name)
        said[name] = value
    for name in needed:
        if not said[name]:
            raise BadRequestError(f"{name}: this field is needed", name)
    return said


def _who(request: Request, said: str) -> str:
    """Who asks: whoever was let in, where the server asks for that; else who they say they are."""
    caller = str(request.scope.get("caller", ""))
    return caller if caller not in ("", "anybody") else said


def _asked(question: Callable[[], Found]) -> Found:
    try:
        return question()
    except UnavailableError as error:
        raise OverloadedError(str(error), error.retry_after or 5.0) from None
    except (EnvironmentsError, ForgeError, ConflictError) as error:
        raise BadRequestError(str(error)) from None
