"""`/api/tokens`: what tokens there are, make one, take one back. Needs the scope admin.

Who is bound to a tenant sees, makes and takes back tokens of that tenant alone.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from pilothouse.server.access.tokens import Token, TokenError
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.timerange import parse_duration, to_rfc3339
from pilothouse.signals.wire import answer, json_body, only

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.server.access.admission import Access

_FIELDS = ("name", "scopes", "expires_in", "revoke")


def routes(access: Access) -> list[Route]:
    """The endpoints; the text of a token is in the answer that makes it, and nowhere else."""

    def bound(request: Request) -> str:
        caller = access.caller(request.headers)
        return caller.tenant if caller else ""

    def seen(tenant: str) -> list[Token]:
        return [one for one in access.tokens.all() if not tenant or one.tenant == tenant]

    async def listed(request: Request) -> Response:
        only(request)
        tenant = await asyncio.to_thread(bound, request)
        found = await asyncio.to_thread(seen, tenant)
        return answer({"required": access.required, "tokens": [_row(one) for one in found]})

    def made(body: dict[str, Any], tenant: str) -> dict[str, Any]:
        name, scopes, expires = body.get("name", ""), body.get("scopes", ["read"]), body.get("expires_in")
        if not isinstance(name, str) or not isinstance(expires, str | None):
            raise BadRequestError("name and expires_in: text is wanted", "name")
        if not isinstance(scopes, list) or not all(isinstance(one, str) for one in scopes):
            raise BadRequestError("scopes: a list of scopes is wanted", "scopes")
        lifetime = parse_duration(expires, "expires_in") if expires else None
        try:
            text, token = access.tokens.create(name, scopes, tenant, lifetime)
        except TokenError as error:
            raise BadRequestError(str(error)) from None
        return _row(token) | {"token": text}

    def revoked(which: Any, tenant: str) -> dict[str, Any]:
        if not isinstance(which, str) or which not in {one.id for one in seen(tenant)}:
            raise NotFoundError(f"there is no token {which!r}")
        return {"revoked": [_row(one) for one in access.tokens.revoke(which)]}

    async def changed(request: Request) -> Response:
        body = await json_body(request)
        if unknown := sorted(body.keys() - set(_FIELDS)):
            raise BadRequestError(f"{unknown[0]}: no such field; known are {', '.join(_FIELDS)}", unknown[0])
        tenant = await asyncio.to_thread(bound, request)
        if "revoke" in body:
            return answer(await asyncio.to_thread(revoked, body["revoke"], tenant))
        return answer(await asyncio.to_thread(made, body, tenant), 201)

    return [Route("/api/tokens", listed, methods=["GET"]), Route("/api/tokens", changed, methods=["POST"])]


def _row(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "scopes": list(token.scopes),
        "tenant": token.tenant,
        "created": to_rfc3339(token.created),
        "expires": None if token.expires is None else to_rfc3339(token.expires),
        "expired": token.expired,
    }
