"""Elasticsearch's `_bulk`, so that Filebeat, Logstash, Fluentd and Vector need a new address only.

A document becomes a line: its message is the body, `service.name`, `host.*`, `kubernetes.*` and what else names the
speaker are resource attributes, the rest are attributes of the record (Elastic Common Schema).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.logs.levels import level_number
from pilothouse.signals.receive.decoding import BodyError, read_body
from pilothouse.signals.receive.log_requests import LogRequest, valid_text
from pilothouse.signals.receive.times import any_time

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.signals.receive.otlp import Receiver

_PREFIX = "/elasticsearch"
_HEADERS = {"x-elastic-product": "Elasticsearch"}
# Elastic Common Schema to OpenTelemetry's resource attributes.
_RESOURCE = {
    "service.name": "service.name", "service.version": "service.version",
    "service.environment": "deployment.environment.name", "host.name": "host.name", "host.hostname": "host.name",
    "container.id": "container.id", "container.name": "container.name",
    "kubernetes.namespace": "k8s.namespace.name", "kubernetes.namespace_name": "k8s.namespace.name",
    "kubernetes.pod.name": "k8s.pod.name", "kubernetes.pod_name": "k8s.pod.name", "kubernetes.pod.uid": "k8s.pod.uid",
    "kubernetes.container.name": "k8s.container.name", "kubernetes.container_name": "k8s.container.name",
    "kubernetes.node.name": "k8s.node.name", "kubernetes.host": "k8s.node.name",
    "kubernetes.deployment.name": "k8s.deployment.name",
}  # fmt: skip
_MESSAGES = ("message", "log", "msg", "event.original")
_TIMES = ("@timestamp", "timestamp", "time")
_LEVELS = ("log.level", "level", "severity")


def routes(receiver: Receiver, limit: int, prefix: str = _PREFIX) -> list[Route]:
    """`_bulk` with and without an index, and what clients ask before they send."""

    async def bulk(request: Request) -> Response:
        try:
            body = await read_body(request, limit)
            made, items = from_bulk(body, request.path_params.get("index", ""))
            outcome = await made.send(receiver)
        except BodyError as error:
            return _failure(error.status, str(error))
        except BadRequestError as error:
            return _failure(400, str(error))
        except OverloadedError as error:
            return _failure(429, str(error))
        errors = any("error" in one for item in items for one in item.values())
        answer: dict[str, Any] = {"took": 0, "errors": errors, "items": items}
        if outcome and outcome.rejected:
            answer["refused"] = outcome.message
        return JSONResponse(answer, headers=_HEADERS)

    async def about(request: Request) -> Response:
        return JSONResponse(_ABOUT, headers=_HEADERS)

    async def there(request: Request) -> Response:
        """Templates, pipelines and policies that clients want to set up: there is nothing to set up."""
        return JSONResponse({"acknowledged": True}, headers=_HEADERS)

    async def license_of(request: Request) -> Response:
        return JSONResponse({"license": {"status": "active", "type": "basic"}}, headers=_HEADERS)

    return [
        Route(f"{prefix}/_license", license_of, methods=["GET"], name="elastic-license"),
        Route(f"{prefix}/_bulk", bulk, methods=["POST", "PUT"], name="elastic-bulk"),
        Route(f"{prefix}/{{index}}/_bulk", bulk, methods=["POST", "PUT"], name="elastic-bulk-index"),
        # Some clients (rsyslog among them) can be given a host and a port, but no path.
        Route("/_bulk", bulk, methods=["POST", "PUT"], name="elastic-bare-bulk"),
        Route("/{index}/_bulk", bulk, methods=["POST", "PUT"], name="elastic-bare-bulk-index"),
        Route("/_cat/health", there, methods=["GET", "HEAD"], name="elastic-bare-health"),
        Route(f"{prefix}/", about, methods=["GET", "HEAD"], name="elastic-about"),
        Route(f"{prefix}", about, methods=["GET", "HEAD"], name="elastic-root"),
        Route(f"{prefix}/{{path:path}}", there, methods=["GET", "HEAD", "PUT", "POST"], name="elastic-setup"),
    ]


_ABOUT = {
    "name": "pilothouse", "cluster_name": "pilothouse",
    "version": {"number": "8.17.0", "build_flavor": "default", "lucene_version": "9.12.0"},
    "tagline": "You Know, for Search",
}  # fmt: skip


def from_bulk(body: bytes, index: str = "") -> tuple[LogRequest, list[dict[str, Any]]]:
    """The documents as a request, and an item of the answer for each action; raises `BadRequestError`."""
    made, items, lines = LogRequest(), [], body.split(b"\n")
    place = 0
    while place < len(lines):
        number, raw = place, lines[place]
        place += 1
        if not raw.strip():
            continue
        name, target = _action(raw, number, index)
        if name not in ("index", "create"):
            place += name == "update"
            items.append({name: _item(target, 400, "only index and create are for log lines")})
            continue
        document = lines[place] if place < len(lines) else b""
        place += 1
        items.append({name: _document(made, document, target)})
    return made, items


def _action(raw: bytes, number: int, index: str) -> tuple[str, str]:
    try:
        action = json.loads(raw)
        ((name, meta),) = action.items()
        return str(name), str(meta.get("_index") or index or "logs")
    except (ValueError, AttributeError, RecursionError):
        raise BadRequestError(f"line {number + 1} of the bulk request is not an action") from None


def _item(index: str, status: int, reason: str = "") -> dict[str, Any]:
    item: dict[str, Any] = {"_index": index, "_id": "", "status": status}
    if reason:
        item["error"] = {"type": "document_parsing_exception", "reason": reason}
    else:
        item["result"] = "created"
    return item


def _document(made: LogRequest, raw: bytes, index: str) -> dict[str, Any]:
    try:
        document = json.loads(raw)
        if not isinstance(document, dict):
            raise ValueError("it is not an object")
        _add(made, flat(document), raw, index)
    except (ValueError, RecursionError) as error:
        return _item(index, 400, f"the document does not parse: {error}")
    return _item(index, 201)


def _add(made: LogRequest, fields: dict[str, str], raw: bytes, index: str) -> None:
    time = next((any_time(fields.pop(name)) for name in _TIMES if name in fields), 0)
    message = next((fields.pop(name) for name in _MESSAGES if name in fields), None)
    level = next((fields[name] for name in _LEVELS if name in fields), "")
    resource = {"elastic.index": index}
    for name in list(fields):
        if known := _RESOURCE.get(name):
            resource.setdefault(known, fields.pop(name))
    resource.setdefault("service.name", index)
    line = raw.decode("utf-8", "replace") if message is None else message
    made.stream(resource).add(time, line, fields, level_number(level), level)


def flat(document: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested objects under dotted names, values as text, lists as JSON."""
    found: dict[str, str] = {}
    for key, value in document.items():
        name = valid_text(f"{prefix}{key}")
        if isinstance(value, dict):
            found |= flat(value, f"{name}.")
        elif isinstance(value, str):
            found[name] = valid_text(value)
        elif value is not None:
            found[name] = valid_text(json.dumps(value, ensure_ascii=False))
    return found


def _failure(status: int, reason: str) -> Response:
    return JSONResponse({"error": {"type": "exception", "reason": reason}, "status": status}, status, _HEADERS)
