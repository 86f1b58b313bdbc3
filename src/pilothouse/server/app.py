"""All that is served over HTTP: our API, the protocols, the page."""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from pilothouse import __version__
from pilothouse.server import dashboards, openapi, page
from pilothouse.server.access import api as access
from pilothouse.server.access import token_api
from pilothouse.server.access.callers import DEFAULT_TENANT
from pilothouse.server.access.requests import Admission
from pilothouse.server.access.signing_in import SigningIn
from pilothouse.server.backups import api as backups
from pilothouse.server.guarding import HANDLERS, Guard, known_hosts
from pilothouse.server.late import Late
from pilothouse.server.otlp_connections import Door, OtlpPort
from pilothouse.signals.receive import otlp_http
from pilothouse.signals.timerange import to_rfc3339
from pilothouse.signals.wire import answer, only

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from pilothouse.delivery.pipelines.serving import PipelineServer
    from pilothouse.engine import Engine
    from pilothouse.releases.rollout.traffic import Shifters
    from pilothouse.releases.store import ReleaseStore
    from pilothouse.server.access.admission import Access
    from pilothouse.server.access.openid import OpenId
    from pilothouse.server.backups.making import Backups
    from pilothouse.server.config import Config
    from pilothouse.server.delivery import LiveDelivery
    from pilothouse.server.forge import LiveForge
    from pilothouse.server.hazards import LiveHazards
    from pilothouse.server.measuring import Measurements
    from pilothouse.server.mesh import LiveMesh
    from pilothouse.server.shipping import LiveShipping
    from pilothouse.signals.flushing import Intake
    from pilothouse.signals.metrics.watching import Watching
    from pilothouse.signals.receive.loki_streams import LokiReceiver
    from pilothouse.signals.receive.otlp import Receiver
    from pilothouse.signals.receive.remote_write import RemoteWriteReceiver


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the handlers work with."""

    config: Config
    engine: Engine
    intake: Intake
    receiver: Receiver
    releases: ReleaseStore
    measurements: Measurements
    remote_write: RemoteWriteReceiver
    loki: LokiReceiver
    access: Access
    watching: Watching | None = None
    shifters: Shifters = field(default_factory=dict)
    pipelines: PipelineServer | None = None
    shipping: LiveShipping | None = None
    hazards: LiveHazards | None = None
    forge: LiveForge | None = None
    delivery: LiveDelivery | None = None
    mesh: LiveMesh | None = None
    tenant: str = ""
    openid: OpenId | None = None
    backups: Backups | None = None
    started: float = field(default_factory=time.time)


def main_app(houses: Mapping[str, Rooms], addresses: dict[str, str]) -> ASGIApp:
    """The app of the HTTP port: everything, for each tenant from its own rooms."""
    rooms = houses[DEFAULT_TENANT]
    hosts = known_hosts(rooms.config.http, rooms.config.allowed_hosts)
    routes = {name: _routes(one, addresses) for name, one in houses.items()}
    apps = {name: Starlette(routes=made, exception_handlers=HANDLERS) for name, made in routes.items()}
    return Guard(Admission(apps, rooms.access, _served(routes[DEFAULT_TENANT])), hosts)


def _served(routes: Sequence[BaseRoute]) -> Callable[[str], bool]:
    """Whether one of these other than the page answers at a path."""
    known = [route for route in routes if isinstance(route, Route) and route.path not in ("/", "/{path:path}")]
    late = [route.pattern for route in routes if isinstance(route, Late)]
    patterns = [*(route.path_regex for route in known), *late]
    return lambda path: any(pattern.match(path) for pattern in patterns)


def otlp_app(houses: Mapping[str, Rooms]) -> ASGIApp:
    """The app of OTLP's own HTTP port."""
    apps: dict[str, ASGIApp] = {}
    for name, one in houses.items():
        limit = one.config.max_body_bytes
        routes = [*otlp_http.routes(one.receiver, limit), Late("/v1development/", partial(_profile_routes, one))]
        routed = Starlette(routes=routes, exception_handlers=HANDLERS)
        apps[name] = otlp_http.Direct(routed, one.receiver, limit)
    return Admission(apps, houses[DEFAULT_TENANT].access)


def otlp_port(houses: Mapping[str, Rooms]) -> OtlpPort:
    """What is answered at that port before its app is asked."""
    doors = {name: Door(one.receiver, one.config.max_body_bytes) for name, one in houses.items()}
    return OtlpPort(doors, houses[DEFAULT_TENANT].access)


def _otlp_as_prometheus(rooms: Rooms) -> list[Route]:
    """Where Prometheus itself takes OTLP, which is metrics alone."""
    from pilothouse.signals.receive.otlp_http import routes

    made = routes(rooms.receiver, rooms.config.max_body_bytes, "/prometheus/api/v1/otlp")
    return [route for route in made if route.path.endswith("/metrics")]


def inner_app(rooms: Rooms, addresses: dict[str, str]) -> ASGIApp:
    """What this process itself asks and tells, over a socket that nobody else may open."""
    routes = [*otlp_http.routes(rooms.receiver, rooms.config.max_body_bytes), *_routes(rooms, addresses)]
    return Starlette(routes=routes, exception_handlers=HANDLERS)


def _routes(rooms: Rooms, addresses: dict[str, str]) -> list[BaseRoute]:
    config = rooms.config
    external = config.external_url
    return [
        *_own_routes(rooms, addresses),
        *SigningIn(rooms.access.tokens, rooms.openid, external).routes(),
        *backups.routes(rooms.backups),
        *access.routes(rooms.access.audit, rooms.tenant or DEFAULT_TENANT),
        *token_api.routes(rooms.access),
        *otlp_http.routes(rooms.receiver, config.max_body_bytes, "/otlp"),
        Late(r"/(pyroscope|otlp)/|/(ingest$|push\.v1|v1development/)", partial(_pyroscope_routes, rooms)),
        Late("/(prometheus|datadog)/", partial(_prometheus_routes, rooms, addresses)),
        Late(
            "/(loki|elasticsearch|datadog|v1/input|api/v2/logs|api/prom/push)|.*/_(bulk$|cat/)",
            partial(_log_routes, rooms),
        ),
        Late("/(tempo|jaeger|zipkin|datadog|v0|info$|api/(traces|v[12]/spans))", partial(_trace_routes, rooms)),
        *dashboards.routes(Path(config.dashboards) if config.dashboards else config.data / "dashboards"),
        *([Late("/(git|api/forge)/", rooms.forge.routes)] if rooms.forge else []),
        *_delivery_routes(rooms),
        Late("/(api|pyroscope)/", partial(_room_routes, rooms)),
        *([Late("/apis(/|$)", rooms.mesh.aggregated)] if rooms.mesh else []),
        *_pipeline_routes(rooms),
        *(
            [Late("/api/(environments|promotions|previews|delivery/releases)", rooms.shipping.routes)]
            if rooms.shipping
            else []
        ),
        *page.routes(),
    ]


def _profile_routes(rooms: Rooms) -> list[Route]:
    """OTLP's way in for profiles."""
    from pilothouse.signals.receive.pprof_limits import ProfileLimits
    from pilothouse.signals.receive.pprof_receiving import ProfileReceiver
    from pilothouse.signals.receive.pyroscope import otlp_routes

    return otlp_routes(ProfileReceiver(rooms.intake, ProfileLimits.of_request(rooms.config.max_body_bytes)))


def _pyroscope_routes(rooms: Rooms) -> list[Route]:
    """Pyroscope's ways in."""
    from pilothouse.signals.receive import pyroscope

    return pyroscope.routes(rooms.intake, rooms.config.max_body_bytes)


def _prometheus_routes(rooms: Rooms, addresses: dict[str, str]) -> list[Route]:
    """Prometheus' API and remote write."""
    from pilothouse.signals.metrics import prometheus_api
    from pilothouse.signals.metrics.prometheus.status import Status
    from pilothouse.signals.receive import datadog_metrics, remote_write

    config = rooms.config
    metrics = rooms.watching.metrics if rooms.watching else None
    status = Status(
        rooms.started,
        config.prometheus_config,
        str(config.data),
        config.retention,
        addresses.get("http", config.http).partition("://")[2] or config.http,
        config.external_url,
        config.log_level,
    )
    return [
        *prometheus_api.routes(rooms.engine, rooms.watching, metrics=metrics, status=status),
        *prometheus_api.lifecycle_routes(rooms.watching),
        *remote_write.routes(rooms.remote_write, rooms.config.max_body_bytes),
        *_otlp_as_prometheus(rooms),
        *datadog_metrics.routes(rooms.receiver, rooms.config.max_body_bytes),
    ]


def _log_routes(rooms: Rooms) -> list[BaseRoute]:
    """Loki's API, and the ways in for lines that do not come as OTLP."""
    from pilothouse.signals.logs import loki_api
    from pilothouse.signals.receive import datadog_logs, elastic_bulk, loki_push

    receiver, limit = rooms.receiver, rooms.config.max_body_bytes
    return [
        *loki_api.routes(rooms.engine),
        *loki_push.routes(receiver, rooms.loki, limit),
        *elastic_bulk.routes(receiver, limit),
        *datadog_logs.routes(receiver, limit),
    ]


def _trace_routes(rooms: Rooms) -> list[Route]:
    """Tempo's, Jaeger's and Zipkin's API, and the ways in for spans that do not come as OTLP."""
    from pilothouse.signals.receive import datadog_traces, jaeger_thrift, zipkin
    from pilothouse.signals.traces import jaeger, jaeger_v3, tempo, zipkin_api

    receiver, limit = rooms.receiver, rooms.config.max_body_bytes
    return [
        *tempo.routes(rooms.engine),
        *jaeger.routes(rooms.engine),
        *jaeger_v3.routes(rooms.engine),
        *zipkin.routes(receiver, limit),
        *jaeger_thrift.routes(receiver, limit),
        *datadog_traces.routes(receiver, limit),
        *zipkin_api.routes(rooms.engine),
    ]


def _delivery_routes(rooms: Rooms) -> list[BaseRoute]:
    """Pull requests, jobs, merge pools; where no directory of pipelines is configured also the runs of jobs."""
    if not rooms.delivery or not rooms.delivery.is_on:
        return []
    found: list[BaseRoute] = [Late("/api/delivery/", rooms.delivery.routes)]
    if rooms.delivery.has_remote:
        found.append(Late("/webhooks/", rooms.delivery.webhook_routes))
    if not rooms.pipelines:
        found.append(Late("/(api/pipelines|triggers)", rooms.delivery.pipeline_routes))
    return found


def _pipeline_routes(rooms: Rooms) -> list[Route]:
    if not rooms.pipelines:

        async def none(request: Request) -> Response:
            only(request)
            return answer({"directory": None, "pipelines": []})

        return [Route("/api/pipelines", none)]
    from pilothouse.delivery.pipelines import api

    return api.routes(rooms.pipelines, rooms.config.max_body_bytes)


def _room_routes(rooms: Rooms) -> list[Route]:
    from pilothouse.releases import api as releases
    from pilothouse.releases.rollout import api as rollouts
    from pilothouse.releases.slos import api as slos
    from pilothouse.signals.correlate import api as correlate

    signals = (
        importlib.import_module(f"pilothouse.signals.{signal}.api")
        for signal in ("logs", "metrics", "traces", "profiles")
    )
    # First match wins: the releases' /api/traces/durations stands before /api/traces/{trace_id}.
    return [
        *releases.routes(rooms.engine, rooms.releases),
        *slos.routes(rooms.engine, rooms.releases),
        *rollouts.routes(rooms.engine, rooms.releases, rooms.shifters),
        *correlate.routes(rooms.engine),
        *(rooms.hazards.routes() if rooms.hazards else []),
        *(rooms.mesh.routes() if rooms.mesh else []),
        *(route for signal in signals for route in signal.routes(rooms.engine)),
    ]


def _own_routes(rooms: Rooms, addresses: dict[str, str]) -> list[Route]:
    started = time.time_ns()

    async def status(request: Request) -> Response:
        only(request)
        return answer(
            {
                "version": __version__,
                "started": to_rfc3339(started),
                "uptime_seconds": (time.time_ns() - started) / 1e9,
                "endpoints": addresses,
                "data": str(rooms.config.data),
                "retention": rooms.config.retention,
                "journal_bytes": rooms.intake.kept_bytes,
                "storing": "failing" if rooms.intake.failing else "ok",
            }
        )

    async def described(request: Request) -> Response:
        only(request)
        return answer(openapi.document())

    async def healthy(request: Request) -> Response:
        return PlainTextResponse("Pilothouse is healthy.\n")

    async def ready(request: Request) -> Response:
        if rooms.intake.failing:
            return PlainTextResponse("The store refuses to store; the log says why.\n", 503)
        return PlainTextResponse("Pilothouse is ready.\n")

    async def metrics(request: Request) -> Response:
        return Response(rooms.measurements.exposition(), media_type="text/plain; version=0.0.4")

    handlers: dict[str, Any] = {
        "/api/status": status,
        "/api/openapi.json": described,
        "/-/healthy": healthy,
        "/-/ready": ready,
        "/metrics": metrics,
    }
    if rooms.tenant:
        # What the process counts is of all tenants together: not for one of them to see.
        del handlers["/metrics"]
    return [Route(path, handler) for path, handler in handlers.items()]
