"""What the stand-ins share: who may ask, pages, ETags, limits and errors, as the forges document them."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import httpx

from pilothouse.delivery.forges import (
    AccessError,
    ConflictError,
    ForgeError,
    InvalidError,
    MergeError,
    MissingError,
    PullRequest,
)
from pilothouse.delivery.forges.local import LocalForge
from tests.delivery.forges.conftest import Shop

# Each call that is answered by somebody else first: a limit, a broken gateway.
Fault = Callable[[httpx.Request], httpx.Response | None]


@dataclass
class Asked:
    """One request, taken apart."""

    method: str
    parts: list[str]
    query: dict[str, str]
    body: Any
    request: httpx.Request


@dataclass
class StandIn:
    """One forge. `token` lets in as Pilothouse; `page` is how many items it tells at once."""

    shop: Shop
    base: str
    token: str = "let-me-in"
    page: int = 30
    # Whether it looks for what git pushed to its disk, past the built-in forge.
    looks: bool = False
    faults: list[Fault] = field(default_factory=list)
    calls: list[tuple[str, str, int]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Which review said what on a line.
    review_of: dict[str, str] = field(default_factory=dict)
    statuses: dict[type[ForgeError], int] = field(
        default_factory=lambda: {
            MissingError: 404,
            AccessError: 403,
            InvalidError: 422,
            MergeError: 405,
            ConflictError: 409,
        }
    )

    def __post_init__(self) -> None:
        """What a stand-in has of its own."""

    @property
    def forge(self) -> LocalForge:
        """The real forge behind it, as Pilothouse."""
        return self.shop.bot

    def seen(self, repository: str, number: int) -> PullRequest:
        """A pull request, after what was pushed past the built-in forge was looked at."""
        if self.looks and self.forge.pull_request(repository, number).state == "open":
            self.shop.house.settling.settle(self.forge.kept(repository))
        return self.forge.pull_request(repository, number)

    def transport(self) -> httpx.MockTransport:
        """What a client is given instead of the network."""
        return httpx.MockTransport(self._answered)

    def let_in(self, request: httpx.Request) -> bool:
        """Whether the request has the token."""
        return request.headers.get("authorization") == f"Bearer {self.token}"

    def answer(self, asked: Asked) -> Any:
        """What the API answers: JSON, a list of items, bytes, `(status, JSON)`. Raises the errors of a forge."""
        raise NotImplementedError

    def _answered(self, request: httpx.Request) -> httpx.Response:
        response = self._response(request)
        self.calls.append((request.method, request.url.path, response.status_code))
        return response

    def _response(self, request: httpx.Request) -> httpx.Response:
        for fault in list(self.faults):
            if (found := fault(request)) is not None:
                return found
        if not self.let_in(request):
            return httpx.Response(401, json={"message": "Bad credentials"})
        path = request.url.raw_path.decode().partition("?")[0].removeprefix(httpx.URL(self.base).path.rstrip("/"))
        query = dict(parse_qsl(request.url.query.decode()))
        body = json.loads(request.content) if request.content else None
        asked = Asked(request.method, [unquote(part) for part in path.strip("/").split("/")], query, body, request)
        try:
            found = self.answer(asked)
        except ForgeError as error:
            status = next(self.statuses[kind] for kind in type(error).__mro__ if kind in self.statuses)
            return httpx.Response(status, json={"message": str(error)})
        status, content = found if isinstance(found, tuple) else (200, found)
        if isinstance(content, bytes):
            return httpx.Response(status, content=content, headers={"content-type": "application/octet-stream"})
        headers = dict(self.headers)
        if isinstance(content, list) and request.method == "GET":
            content, more = self._paged(request, content, query)
            headers |= more
        return self._tagged(request, status, content, headers)

    def _paged(
        self, request: httpx.Request, items: list[Any], query: dict[str, str]
    ) -> tuple[list[Any], dict[str, str]]:
        number = int(query.get("page", "1"))
        size = min(self.page, int(query.get("per_page") or query.get("limit") or 30))
        start = (number - 1) * size
        if start + size >= len(items):
            return items[start:], {}
        following = request.url.copy_with(query=urlencode(query | {"page": str(number + 1)}).encode())
        return items[start : start + size], {"link": f'<{following}>; rel="next", <{request.url}>; rel="first"'}

    def _tagged(self, request: httpx.Request, status: int, content: Any, headers: dict[str, str]) -> httpx.Response:
        if status == 204 or content is None:
            return httpx.Response(status, headers=headers)
        text = json.dumps(content).encode()
        if request.method == "GET":
            headers["etag"] = f'W/"{hashlib.sha256(text).hexdigest()[:16]}"'
            if request.headers.get("if-none-match") == headers["etag"]:
                return httpx.Response(304, headers=headers)
        return httpx.Response(status, content=text, headers={"content-type": "application/json"} | headers)


def number_of(text: str) -> int:
    """The number that a forge would have given something of this name."""
    return zlib.crc32(text.encode()) % 1_000_000 + 1


def moment(seconds: float) -> str:
    """A time as the forges write it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def once(fault: Fault) -> Fault:
    """A fault that happens once."""
    left = [fault]

    def maybe(request: httpx.Request) -> httpx.Response | None:
        found = left[0](request) if left else None
        if found is not None:
            left.clear()
        return found

    return maybe
