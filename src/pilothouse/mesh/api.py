"""`/api/mesh`: the Service Mesh Interface's resources here, what was measured of them, and one request explained."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.timerange import parse_duration
from pilothouse.signals.wire import answer, number, only, time_range, waiting, wanted

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine
    from pilothouse.mesh.evaluating import HttpRequest
    from pilothouse.mesh.sourcing import Source

_LONGEST = 86_400 * 7
_OBSERVING = 60.0


def routes(engine: Engine, source: Source | None) -> list[Route]:
    """The room's endpoints; without a source they say how to give one."""

    async def mesh(request: Request) -> Response:
        only(request, "since", "namespace")
        seconds = _seconds(request)
        if source is None:
            return answer({"source": None, "hint": _HINT})
        from pilothouse.mesh.measuring import stored
        from pilothouse.mesh.overview import overview

        namespace = request.query_params.get("namespace", "")
        made = await waiting(lambda: overview(_of(source).state(), stored(engine), seconds, time.time(), namespace))
        return answer(made)

    async def shares(request: Request) -> Response:
        only(request, "since", "service")
        seconds = _seconds(request)
        return answer(await waiting(_shares, engine, _of(source), seconds, request.query_params.get("service", "")))

    async def explain(request: Request) -> Response:
        only(request, "from", "to", "method", "path", "port", "header")
        asked = [_name(wanted(request, field), field) for field in ("from", "to")]
        port = number(request, "port", 0, 0, 65535)
        http = _http(request)

        def explained() -> dict[str, Any]:
            from pilothouse.mesh.explaining import explain

            configuration = _of(source).state().reading.configuration
            return explain(configuration, asked[0], asked[1], http, port).as_json()

        return answer(await waiting(explained))

    async def observed(request: Request) -> Response:
        only(request, "since", "start", "end")
        from pilothouse.engine import Budget
        from pilothouse.mesh.learning import observe

        within = time_range(request, "1d")
        return answer((await waiting(observe, engine, within, Budget(_OBSERVING))).as_json())

    return [
        Route("/api/mesh", mesh),
        Route("/api/mesh/observed", observed),
        Route("/api/mesh/shares", shares),
        Route("/api/mesh/explain", explain),
    ]


_HINT = "start with mesh_config (a directory of SMI manifests), or watch a cluster: pilothouse up --kube --mesh istio"


def _of(source: Source | None) -> Source:
    if source is None:
        raise NotFoundError(f"no mesh is configured here: {_HINT}")
    return source


def _seconds(request: Request) -> int:
    seconds = round(parse_duration(request.query_params.get("since") or "5m", "since"))
    if not 1 <= seconds <= _LONGEST:
        raise BadRequestError("since: from 1s to 7d", "since")
    return seconds


def _shares(engine: Engine, source: Source, seconds: int, service: str) -> dict[str, Any]:
    from pilothouse.mesh.measuring import AskingError, stored
    from pilothouse.mesh.overview import measured_shares

    try:
        found = measured_shares(source.state(), stored(engine), seconds, time.time())
    except AskingError as error:
        raise BadRequestError(f"the metrics cannot be asked: {error}") from None
    return {"seconds": seconds, "splits": [o.as_json() for o in found if service in ("", str(o.split.root))]}


def _name(text: str, field: str) -> Any:
    from pilothouse.mesh.model import Name

    namespace, slash, name = text.partition("/")
    if not namespace or (slash and not name):
        raise BadRequestError(f"{field}: {text[:80]!r} is not NAMESPACE/NAME", field)
    return Name(namespace, name) if slash else Name("default", namespace)


def _http(request: Request) -> HttpRequest | None:
    """The request that is asked about; None for a connection (`method=TCP`)."""
    from pilothouse.mesh.evaluating import HttpRequest

    query = request.query_params
    method = query.get("method", "GET").upper()
    headers: dict[str, str] = {}
    for text in query.getlist("header"):
        name, colon, value = text.partition(":")
        if not colon:
            raise BadRequestError(f"header: {text[:80]!r} is not NAME:VALUE", "header")
        headers[name.strip()] = value.strip()
    return None if method == "TCP" else HttpRequest(method, query.get("path", "/"), headers)
