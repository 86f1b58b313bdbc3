"""`GET /api/audit`: what was done, by whom. Needs the scope admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from pilothouse.signals.wire import answer, number, only

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.server.access.auditing import AuditLog


def routes(audit: AuditLog, tenant: str) -> list[Route]:
    """The record of one tenant's acts."""

    async def acts(request: Request) -> Response:
        only(request, "limit")
        found = await run_in_threadpool(audit.latest, tenant, number(request, "limit", 100, 1, 10_000))
        return answer({"acts": [act.to_json() for act in found]})

    return [Route("/api/audit", acts)]
