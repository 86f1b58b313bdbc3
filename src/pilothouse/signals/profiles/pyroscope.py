"""Pyroscope's API below `/pyroscope`: `render`, `render-diff`, `label-names`, `label-values`, `querier.v1` calls."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from starlette.responses import Response
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.profiles.asking import Selection, costs, kept_of, select
from pilothouse.signals.profiles.flamebearer import Flamebearer, flamebearer
from pilothouse.signals.profiles.profile_types import kept_type
from pilothouse.signals.profiles.querier import CALLS, MESSAGES
from pilothouse.signals.profiles.timeline import timeline
from pilothouse.signals.profiles.tree import grow, pruned
from pilothouse.signals.selector import Selector, parse_selector
from pilothouse.signals.timerange import TimeRange, parse_duration, parse_instant
from pilothouse.signals.wire import answer, body_within, number, waiting, wanted

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.engine import Engine

_JSON = "application/json"
_POINTS = 300
_MOST_BODY = 1_000_000


def routes(engine: Engine) -> list[Route]:
    """The endpoints, answering from `engine`."""

    async def call(request: Request) -> Response:
        return await _connect(engine, request)

    def endpoint(question: Any) -> Any:
        async def handle(request: Request) -> Response:
            response: Response = await waiting(question, engine, request)
            return response

        return handle

    questions = {
        "render": _render, "render-diff": _render_diff, "label-names": _label_names, "label-values": _label_values,
    }  # fmt: skip
    return [
        *(Route(f"/pyroscope/{name}", endpoint(question)) for name, question in questions.items()),
        Route("/pyroscope/querier.v1.QuerierService/{call}", call, methods=["POST"]),
    ]


async def _connect(engine: Engine, request: Request) -> Response:
    """A unary call of the Connect protocol (connectrpc.com), in protobuf or JSON."""
    name, media = request.path_params["call"], request.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if name not in CALLS:
            raise NotFoundError(f"{name}: no such call; known are {', '.join(CALLS)}")
        content = _parsed(name, media, await _body(request))
        found = await waiting(CALLS[name], engine, content)
    except BadRequestError as error:
        return answer({"code": "invalid_argument", "message": str(error)}, 400)
    except NotFoundError as error:
        return answer({"code": "unimplemented", "message": str(error)}, 404)
    if media == _JSON:
        return Response(json_format.MessageToJson(found, indent=None), media_type=_JSON)
    return Response(found.SerializeToString(), media_type="application/proto")


async def _body(request: Request) -> bytes:
    body = await body_within(request, _MOST_BODY)
    if body is None:
        raise BadRequestError(f"body: larger than {_MOST_BODY} bytes", "body")
    return body


def _parsed(name: str, media: str, body: bytes) -> Any:
    message = MESSAGES[f"{name}Request"]()
    try:
        if media == _JSON:
            return json_format.Parse(body or b"{}", message, ignore_unknown_fields=True, max_recursion_depth=20)
        message.ParseFromString(body)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestError(f"body: this is not a querier.v1.{name}Request: {error}", "body") from None
    return message


def _render(engine: Engine, request: Request) -> Response:
    kind, selector = _query(wanted(request, "query"), "query")
    within = _range(request, "from", "until")
    selection = select(engine, selector, within)
    there = kept_of(engine, selection, kind)
    found = flamebearer(pruned(grow(costs(engine, kind, [selection])), _nodes(request)))
    return answer(
        _rendered("single", found, kind, there.unit) | {"timeline": _timeline(engine, selector, within, kind)}
    )


def _render_diff(engine: Engine, request: Request) -> Response:
    sides: list[Selection] = []
    kind = ""
    for side in ("left", "right"):
        kind, selector = _query(wanted(request, f"{side}Query"), f"{side}Query")
        sides.append(select(engine, selector, _range(request, f"{side}From", f"{side}Until")))
    there = kept_of(engine, sides[0], kind)
    found = flamebearer(pruned(grow(costs(engine, kind, sides)), _nodes(request)))
    said = _rendered("double", found, kind, there.unit)
    return answer(said | {"leftTicks": found.totals[0], "rightTicks": found.totals[1]})


def _label_names(engine: Engine, request: Request) -> Response:
    return answer(list(CALLS["LabelNames"](engine, MESSAGES["LabelNamesRequest"]()).names))


def _label_values(engine: Engine, request: Request) -> Response:
    message = MESSAGES["LabelValuesRequest"](name=wanted(request, "label"))
    return answer(list(CALLS["LabelValues"](engine, message).names))


def _rendered(shape: str, found: Flamebearer, kind: str, unit: str) -> dict[str, Any]:
    units = {"ns": "samples", "By": "bytes"}.get(unit, "objects")
    return {
        "version": 1,
        "flamebearer": {
            "names": found.names, "levels": found.levels, "numTicks": sum(found.totals), "maxSelf": found.max_self,
        },
        # Values in nanoseconds are samples at a rate of 1 GHz.
        "metadata": {
            "format": shape, "name": kind, "units": units, "sampleRate": 1_000_000_000 if unit == "ns" else 100,
            "spyName": "unknown",
        },
    }  # fmt: skip


def _timeline(engine: Engine, selector: Selector, within: TimeRange, kind: str) -> dict[str, Any]:
    step = max(10, round(within.seconds / _POINTS))
    lines = timeline(engine, selector, within, kind, step)
    begin = within.start // 1_000_000
    samples = [0.0] * (int(within.seconds // step) + 1)
    for at, value in lines[0].points if lines else []:
        samples[(at - begin) // (step * 1000)] = value
    return {"startTime": within.start // 1_000_000_000, "samples": samples, "durationDelta": step}


def _query(text: str, field: str) -> tuple[str, Selector]:
    """`process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="shop"}`"""
    name, brace, rest = text.partition("{")
    return kept_type(name.strip(), field), parse_selector(brace + rest, field)


def _nodes(request: Request) -> int:
    for name in ("max-nodes", "maxNodes"):
        if name in request.query_params:
            return number(request, name, 8192, 1, 200_000)
    return 8192


def _range(request: Request, first: str, last: str) -> TimeRange:
    now = time.time_ns()
    query = request.query_params
    start = _instant(query.get(first, "now-1h"), now, first)
    end = _instant(query.get(last, "now"), now, last)
    if start >= end:
        raise BadRequestError(f"{first}: the range is empty", first)
    return TimeRange(max(start, 0), end)


def _instant(text: str, now: int, field: str) -> int:
    """`now-1h`, Unix seconds, or Unix milliseconds (as Grafana writes them)."""
    if text.startswith("now-"):
        return now - int(parse_duration(text.removeprefix("now-"), field) * 1_000_000_000)
    if text.isascii() and text.isdigit() and 12 <= len(text) <= 13:
        return int(text) * 1_000_000
    return parse_instant(text, now, field)
