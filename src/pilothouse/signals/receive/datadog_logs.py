"""Datadog's log intake: `POST /api/v2/logs` and `/v1/input` (Datadog API reference, "Send logs")."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.logs.levels import level_number
from pilothouse.signals.receive.datadog_tags import RESOURCE_OF
from pilothouse.signals.receive.decoding import BodyError, read_body
from pilothouse.signals.receive.elastic_bulk import flat
from pilothouse.signals.receive.log_requests import LogRequest, valid_text
from pilothouse.signals.receive.times import any_time

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.signals.receive.otlp import Receiver

_PATHS = ("/api/v2/logs", "/v1/input", "/datadog/api/v2/logs", "/datadog/v1/input", "/datadog/v1/input/{key}")
_RESOURCE = {"hostname": "host.name", "service": "service.name", "ddsource": "datadog.source"}


def routes(receiver: Receiver, limit: int) -> list[Route]:
    """The intake, below `/datadog`."""

    async def intake(request: Request) -> Response:
        try:
            body = await read_body(request, limit)
            is_text = request.headers.get("content-type", "").startswith("text/plain")
            query = dict(request.query_params)
            made = from_text(body, query) if is_text else from_json(body, query)
            outcome = await made.send(receiver)
        except BodyError as error:
            return _failure(error.status, str(error))
        except BadRequestError as error:
            return _failure(400, str(error))
        except OverloadedError as error:
            return _failure(503, str(error))
        if outcome and outcome.rejected:
            return _failure(400, f"{outcome.rejected} lines were refused: {outcome.message}")
        return JSONResponse({}, 202)

    async def validate(request: Request) -> Response:
        return JSONResponse({"valid": True})

    return [
        *(Route(path, intake, methods=["POST"], name=f"datadog{path}") for path in _PATHS),
        Route("/datadog/api/v1/validate", validate, name="datadog-validate"),
    ]


def from_json(body: bytes, query: dict[str, str]) -> LogRequest:
    """An object or a list of them; raises `BadRequestError`."""
    try:
        content = json.loads(body or b"[]")
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not JSON: {error}") from None
    made = LogRequest()
    for place, item in enumerate(content if isinstance(content, list) else [content]):
        if not isinstance(item, dict):
            raise BadRequestError(f"item {place} is not an object")
        _add(made, {**query, **item})
    return made


def from_text(body: bytes, query: dict[str, str]) -> LogRequest:
    """One line a line."""
    made = LogRequest()
    for line in body.decode("utf-8", "replace").splitlines():
        if line:
            _add(made, {**query, "message": line})
    return made


def _add(made: LogRequest, item: dict[str, Any]) -> None:
    fields = flat(item)
    fields.pop("dd-api-key", None)
    message = fields.pop("message", "")
    time = any_time(fields.pop("timestamp", "") or fields.pop("date", ""))
    level = fields.pop("status", "") or fields.get("level", "")
    resource = {name: fields.pop(key) for key, name in _RESOURCE.items() if key in fields}
    for tag in fields.pop("ddtags", "").split(","):
        key, _, value = tag.strip().partition(":")
        if known := RESOURCE_OF.get(key):
            resource.setdefault(known, value)
        elif key:
            fields[key] = value
    resource.setdefault("service.name", "unknown_service")
    made.stream(resource).add(time, valid_text(message), fields, level_number(level), level)


def _failure(status: int, detail: str) -> Response:
    return JSONResponse({"errors": [{"status": str(status), "title": "Bad Request", "detail": detail}]}, status)
