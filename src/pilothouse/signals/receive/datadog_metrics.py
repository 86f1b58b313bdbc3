"""Datadog's metric intake, as its agent and its libraries send: `series` v1 and v2, `distribution_points`, sketches.

https://docs.datadoghq.com/api/latest/metrics/
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.metrics.protobuf import message_classes
from pilothouse.signals.receive.datadog_sketches import sketches
from pilothouse.signals.receive.datadog_tags import resource_of, tags_of
from pilothouse.signals.receive.decoding import BodyError, read_body
from pilothouse.signals.receive.metric_requests import DELTA, Distribution, MetricRequest

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.signals.receive.otlp import Receiver

PREFIX = "/datadog"
_SCOPE = "datadog"
# The agent's payload: https://github.com/DataDog/agent-payload/blob/master/proto/metrics/agent_payload.proto
_SCHEMA = """
message Resource { string type = 1; string name = 2; }
message MetricPoint { double value = 1; int64 timestamp = 2; }
message MetricSeries { repeated Resource resources = 1; string metric = 2; repeated string tags = 3;
  repeated MetricPoint points = 4; int32 type = 5; string unit = 6; string source_type_name = 7; int64 interval = 8; }
message MetricPayload { repeated MetricSeries series = 1; }
"""
_Payload = message_classes("datadog.agentpayload", _SCHEMA)["MetricPayload"]
_TYPES = {0: "gauge", 1: "count", 2: "rate", 3: "gauge", "": "gauge", None: "gauge"}
_KINDS = ("gauge", "count", "rate")


def routes(receiver: Receiver, limit: int) -> list[Route]:
    """The intake, below `/datadog`: the agent's `dd_url` is this server with that path."""

    def endpoint(made_of: Any, status: int, answer: Any) -> Any:
        async def intake(request: Request) -> Response:
            try:
                body = await read_body(request, limit)
                made = await asyncio.to_thread(made_of, body, request.headers.get("content-type", ""))
                if made.points:
                    outcome = await asyncio.to_thread(receiver.receive, "metrics", made.body())
                    await asyncio.wrap_future(outcome.written)
                    if outcome.rejected:
                        return _failure(400, f"{outcome.rejected} points were refused: {outcome.message}")
            except BodyError as error:
                return _failure(error.status, str(error))
            except BadRequestError as error:
                return _failure(400, str(error))
            except OverloadedError as error:
                return _failure(503, str(error))
            return JSONResponse(answer, status)

        return intake

    paths = {
        "api/v1/series": endpoint(series, 202, {"status": "ok"}),
        "api/v2/series": endpoint(series_v2, 202, {"errors": []}),
        "api/v1/distribution_points": endpoint(distributions, 202, {"status": "ok"}),
        "api/beta/sketches": endpoint(sketches, 202, {}),
        "api/v1/check_run": endpoint(checks, 202, {"status": "ok"}),
    }
    return [
        Route(f"{PREFIX}/{path}", handler, methods=["POST"], name=f"datadog-{path}") for path, handler in paths.items()
    ]


def series(body: bytes, _: str) -> MetricRequest:
    """Version 1: JSON. Raises `BadRequestError`."""
    made = MetricRequest(_SCOPE)
    for place, item in enumerate(_list(_json(body), "series")):
        where = f"series[{place}]"
        kind = _text(item.get("type") or "gauge", f"{where}.type")
        if kind not in _KINDS:
            raise BadRequestError(f"{where}.type: {kind!r} is none of {', '.join(_KINDS)}")
        tags = _tags(item, where)
        points = [_pair(pair, f"{where}.points[{number}]") for number, pair in enumerate(item.get("points") or ())]
        _put(made, _name(item, where), kind, tags, points, _interval(item, where), "")
    return made


def series_v2(body: bytes, media: str) -> MetricRequest:
    """Version 2: JSON, or the agent's protobuf. Raises `BadRequestError`."""
    if "protobuf" in media:
        return _protobuf(body)
    made = MetricRequest(_SCOPE)
    for place, item in enumerate(_list(_json(body), "series")):
        where = f"series[{place}]"
        kind = _TYPES.get(item.get("type")) if isinstance(item.get("type"), int | str | None) else None
        if kind is None:
            raise BadRequestError(f"{where}.type: {item.get('type')!r} is none of 0, 1, 2, 3")
        resources = [one for one in item.get("resources") or () if isinstance(one, dict)]
        tags = _tags(item, where) | {str(one.get("type")): str(one.get("name")) for one in resources if one.get("type")}
        points = [
            (_number(point.get("timestamp"), where), _number(point.get("value"), where))
            for point in item.get("points") or ()
            if isinstance(point, dict)
        ]
        unit = _text(item.get("unit") or "", f"{where}.unit")
        _put(made, _name(item, where), kind, tags, points, _interval(item, where), unit)
    return made


def _protobuf(body: bytes) -> MetricRequest:
    made = MetricRequest(_SCOPE)
    try:
        payload = _Payload.FromString(body)
    except DecodeError:
        raise BadRequestError("body: this is not a datadog.agentpayload.MetricPayload") from None
    for place, one in enumerate(payload.series):
        if not one.metric:
            raise BadRequestError(f"series[{place}].metric is empty")
        tags = tags_of(one.tags) | {resource.type: resource.name for resource in one.resources if resource.type}
        points = [(float(point.timestamp), point.value) for point in one.points]
        _put(made, one.metric, _TYPES.get(one.type, "gauge"), tags, points, float(one.interval), one.unit)
    return made


def distributions(body: bytes, _: str) -> MetricRequest:
    """Points that are lists of values. Raises `BadRequestError`."""
    made = MetricRequest(_SCOPE)
    for place, item in enumerate(_list(_json(body), "series")):
        where = f"series[{place}]"
        name, tags = _name(item, where), _tags(item, where)
        for number, pair in enumerate(item.get("points") or ()):
            here = f"{where}.points[{number}]"
            if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[1], list):
                raise BadRequestError(f"{here}: expected [TIMESTAMP, [VALUE, ...]]")
            found = Distribution()
            for value in pair[1]:
                found.add(_number(value, here))
            at = _number(pair[0], here)
            if found.count:
                made.histogram(resource_of(tags), name, "", tags, round(at * 1e9), found, round((at - 10) * 1e9), DELTA)
    return made


def checks(body: bytes, _: str) -> MetricRequest:
    """Service checks: a gauge of the status. Raises `BadRequestError`."""
    import time

    content = _json(body)
    made = MetricRequest(_SCOPE)
    for place, item in enumerate(content if isinstance(content, list) else [content]):
        where = f"[{place}]"
        if not isinstance(item, dict):
            raise BadRequestError(f"{where}: not an object")
        tags = tags_of(map(str, item.get("tags") or ()))
        if item.get("host_name"):
            tags.setdefault("host", str(item["host_name"]))
        at = _number(item.get("timestamp") or time.time(), where)
        name = _text(item.get("check") or "", f"{where}.check")
        if name:
            made.gauge(resource_of(tags), name, "", tags, round(at * 1e9), _number(item.get("status"), where))
    return made


def _put(
    made: MetricRequest, name: str, kind: str, tags: dict[str, str], points: Iterable[tuple[float, float]],
    interval: float, unit: str,
) -> None:  # fmt: skip
    resource = resource_of(tags)
    for at, value in points:
        time = round(at * 1e9)
        if kind == "count":
            made.sum(resource, name, unit, tags, time, value, round((at - (interval or 10)) * 1e9), DELTA)
        else:
            made.gauge(resource, name, unit, tags, time, value)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not JSON: {error}") from None


def _list(content: Any, name: str) -> list[dict[str, Any]]:
    found = content.get(name) if isinstance(content, dict) else None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise BadRequestError(f"expected an object with a list of objects `{name}`")
    return found


def _name(item: dict[str, Any], where: str) -> str:
    name = _text(item.get("metric") or "", f"{where}.metric")
    if not name:
        raise BadRequestError(f"{where}.metric is missing")
    return name


def _tags(item: dict[str, Any], where: str) -> dict[str, str]:
    tags = item.get("tags") or []
    if not isinstance(tags, list):
        raise BadRequestError(f"{where}.tags: expected a list")
    found = tags_of(map(str, tags))
    if item.get("host"):
        found.setdefault("host", str(item["host"]))
    return found


def _pair(pair: Any, where: str) -> tuple[float, float]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise BadRequestError(f"{where}: expected [TIMESTAMP, VALUE]")
    return _number(pair[0], where), _number(pair[1], where)


def _interval(item: dict[str, Any], where: str) -> float:
    return _number(item.get("interval") or 0, f"{where}.interval")


def _number(value: Any, where: str) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise BadRequestError(f"{where}: {value!r} is not a number") from None
    if not abs(found) < 1e300:
        raise BadRequestError(f"{where}: {value!r} is not a number that can be kept")
    return found


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise BadRequestError(f"{where}: expected a text")
    return value


def _failure(status: int, reason: str) -> Response:
    return JSONResponse({"errors": [reason]}, status)
