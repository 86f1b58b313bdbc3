"""Routes and calls that are imported when they are first asked for: a server starts without all it could answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import grpc
from starlette._utils import get_route_path
from starlette.routing import BaseRoute, Match, NoMatchFound

if TYPE_CHECKING:
    from starlette.datastructures import URLPath
    from starlette.types import Receive, Scope, Send

_CHOSEN = "pilothouse.late_route"


class Late(BaseRoute):
    """Stands for the routes that `load` makes; a path that does not begin as `pattern` does loads nothing."""

    def __init__(self, pattern: str, load: Callable[[], Sequence[BaseRoute]]) -> None:
        self.pattern, self._load = re.compile(pattern), load
        self._routes: Sequence[BaseRoute] | None = None

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes, loaded by now."""
        if self._routes is None:
            self._routes = self._load()
        return self._routes

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The first full match of the routes, else their first partial one (another method), as Starlette's router."""
        partial: tuple[Match, Scope] = (Match.NONE, {})
        if scope["type"] not in ("http", "websocket") or not self.pattern.match(get_route_path(scope)):
            return partial
        for route in self.routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, {**child, _CHOSEN: route}
            if match is Match.PARTIAL and partial[0] is Match.NONE:
                partial = match, {**child, _CHOSEN: route}
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """By the route that matched."""
        await scope[_CHOSEN].handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Not known before it is loaded."""
        raise NoMatchFound(name, path_params)


class LateCalls(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Stands for the handler that `load` makes; a method that does not begin with `prefix` loads nothing."""

    def __init__(self, prefix: str, load: Callable[[], grpc.GenericRpcHandler]) -> None:
        self._prefix, self._load = prefix, load
        self._handler: grpc.GenericRpcHandler | None = None

    def service(self, details: Any) -> Any:
        """The handler of a call; None when it is not one of these."""
        if not details.method.startswith(self._prefix):
            return None
        if self._handler is None:
            self._handler = self._load()
        return self._handler.service(details)
