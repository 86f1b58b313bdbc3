"""What the query APIs of Jaeger and Zipkin share: a question in a thread, and each refusal in the API's own words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from pilothouse.engine import BudgetExceededError
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.wire import answer, waiting

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine

Handler = Callable[["Engine", "Request"], Any]


def endpoint(
    engine: Engine,
    handler: Handler,
    failed: Callable[[int, str], Response],
    found: Callable[[Any], Response] = answer,
) -> Callable[[Request], Awaitable[Response]]:
    """Answers with what `handler` returns, as `found` wraps it; `failed` makes an answer of a status and its reason."""

    async def asked(request: Request) -> Response:
        try:
            return found(await waiting(handler, engine, request))
        except BadRequestError as error:
            return failed(400, str(error))
        except NotFoundError as error:
            return failed(404, str(error))
        except BudgetExceededError as error:
            return failed(422, f"the question takes more than it may: {error}")

    return asked
