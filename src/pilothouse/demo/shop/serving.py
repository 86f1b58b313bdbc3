"""Runs one service: its routes behind the measuring middleware, on uvicorn, until SIGTERM."""

import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NoReturn

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from pilothouse.demo.shop.incoming import IncomingRequests
from pilothouse.demo.shop.outgoing import Upstream
from pilothouse.demo.shop.settings import Settings, SettingsError
from pilothouse.demo.shop.telemetry import Telemetry

Routes = Callable[[Settings, Telemetry, Upstream], Sequence[BaseRoute]]
"""Makes the routes of one service."""


def serve(routes: Routes) -> NoReturn:
    """Serves until SIGTERM or SIGINT, then sends the last telemetry and exits with 0."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    settings = Settings.from_environment()
    try:
        listening = settings.socket()
    except SettingsError as error:
        sys.exit(str(error))
    telemetry = Telemetry(settings.profiler)
    config = uvicorn.Config(
        application(routes, settings, telemetry),
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run(sockets=[listening])
    sys.exit(0)


def application(routes: Routes, settings: Settings, telemetry: Telemetry) -> Starlette:
    """The service as an ASGI application. `GET /-/ready` answers once it serves."""
    upstream = Upstream()

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await upstream.close()
        telemetry.shutdown()

    return Starlette(
        routes=[*routes(settings, telemetry, upstream), Route("/-/ready", _ready)],
        middleware=[Middleware(IncomingRequests)],
        lifespan=lifespan,
    )


async def _ready(_: Request) -> Response:
    return PlainTextResponse("ready")


def _leave(_signal: int, _frame: object) -> None:
    sys.exit(0)
