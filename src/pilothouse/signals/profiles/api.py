"""`/api/profiles/...`: the questions to profiles over HTTP."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.profiles import pyroscope
from pilothouse.signals.profiles.asking import (
    Selection,
    averaged,
    costs,
    kept,
    kept_of,
    select,
    with_function,
)
from pilothouse.signals.profiles.diffing import PER, FunctionChange, diff, function_changes
from pilothouse.signals.profiles.exporting import to_folded, to_pprof, to_speedscope
from pilothouse.signals.profiles.function import function_view
from pilothouse.signals.profiles.gathering import gather
from pilothouse.signals.profiles.intervals import LEVEL
from pilothouse.signals.profiles.requests import served
from pilothouse.signals.profiles.timeline import share_timeline
from pilothouse.signals.profiles.top import folded, top
from pilothouse.signals.profiles.tree import grow, pruned, to_json
from pilothouse.signals.selector import Matcher, Selector, parse_selector
from pilothouse.signals.timerange import TimeRange, to_rfc3339
from pilothouse.signals.wire import answer, number, only, time_range, waiting, wanted

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.engine import Engine
    from pilothouse.signals.profiles import pyroscope
from pilothouse.signals.profiles.asking import Costs, Kept

_WHO = ("service", "selector", "labels", "span", "start", "end", "since")
_WHAT = (*_WHO, "type", "function")


def routes(engine: Engine) -> list[Route]:
    """The endpoints, and Pyroscope's own below `/pyroscope`, answering from `engine`."""
    calls = {
        "function": _function,
        "timeline": _timeline,
        "types": _types,
        "top": _top,
        "folded": _folded,
        "flame": _flame,
        "diff": _diff,
        "export": _export,
    }

    def endpoint(call: Any) -> Any:
        async def handle(request: Request) -> Response:
            response: Response = await waiting(call, engine, request)
            return response

        return handle

    own = [Route(f"/api/profiles/{name}", endpoint(call), name=f"profiles-{name}") for name, call in calls.items()]
    return [*own, *pyroscope.routes(engine)]


def _types(engine: Engine, request: Request) -> Response:
    only(request, *_WHO)
    within = time_range(request)
    found = kept(engine, select(engine, _selector(request), within))
    return answer({**_range(within), "types": [asdict(one) for one in found]})


def _top(engine: Engine, request: Request) -> Response:
    only(request, *_WHAT, "limit", "by")
    by = request.query_params.get("by", "self")
    if by not in ("self", "total"):
        raise BadRequestError(f"by: {by!r} is neither self nor total", "by")
    limit = number(request, "limit", 50, 1, 10_000)
    there, found, within = _asked(engine, request)
    functions = [
        {"function": one.function, "file": one.file, "self": one.own[0], "total": one.total[0]}
        for one in top(found, limit, by == "total")
    ]
    return answer({**_said(there, found, within), "functions": functions})


def _folded(engine: Engine, request: Request) -> Response:
    only(request, *_WHAT, "limit", "format")
    shape = request.query_params.get("format", "json")
    if shape not in ("json", "text"):
        raise BadRequestError(f"format: {shape!r} is neither json nor text", "format")
    limit = number(request, "limit", 10_000, 1, 1_000_000)
    there, found, within = _asked(engine, request)
    stacks = folded(found, limit)
    if shape == "text":
        lines = (f"{';'.join(name.replace(';', ':') for name in names)} {value}\n" for names, value in stacks)
        return PlainTextResponse("".join(lines))
    said = [{"stack": names, "value": value} for names, value in stacks]
    return answer({**_said(there, found, within), "stacks": said})


def _flame(engine: Engine, request: Request) -> Response:
    only(request, *_WHAT, "nodes", "depth")
    nodes, depth = number(request, "nodes", 8192, 16, 200_000), number(request, "depth", 256, 1, 400)
    there, found, within = _asked(engine, request)
    tree = pruned(grow(found, depth), nodes)
    return _with_root(_said(there, found, within), to_json(tree, ("value",)))


def _function(engine: Engine, request: Request) -> Response:
    only(request, *_WHAT, "file", "nodes", "depth")
    name = wanted(request, "function")
    nodes, depth = number(request, "nodes", 4096, 16, 200_000), number(request, "depth", 256, 1, 400)
    there, found, within = _asked(engine, request, through=False)
    view = function_view(found, name, request.query_params.get("file", ""))
    if not len(view.below.depths):
        raise NotFoundError(f"function: no profile there has {name!r}; see /api/profiles/top for what there is")
    said = {
        **_said(there, found, within), "function": name, "self": view.own, "of_it": view.total,
        "callers": [{"function": one, "file": file, "value": value} for (one, file), value in view.callers],
        "callees": [{"function": one, "file": file, "value": value} for (one, file), value in view.callees],
        "lines": [{"file": file, "line": line, "self": own, "total": all} for (file, line), own, all in view.lines],
    }  # fmt: skip
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    above, below = (to_json(pruned(grow(part, depth), nodes), ("value",)) for part in (view.above, view.below))
    return Response(f'{text[:-1]},"above":{above},"below":{below}}}', media_type="application/json")


def _timeline(engine: Engine, request: Request) -> Response:
    only(request, *_WHAT, "step")
    name = wanted(request, "function")
    selection = _selection(engine, request, time_range(request))
    there = kept_of(engine, selection, request.query_params.get("type", ""))
    most = max(round(selection.within.seconds / 100), 60)
    step = number(request, "step", most, 60, 86_400)
    points = [
        {
            "time": to_rfc3339(one.at * 1_000_000), "self": one.own, "total": one.total, "all": one.all,
            "share": one.total / one.all if one.all else None, "self_share": one.own / one.all if one.all else None,
        }
        for one in share_timeline(engine, selection, there.type, name, step)
    ]  # fmt: skip
    said = {"type": there.type, "unit": there.unit, **_range(selection.within), "function": name, "step": step}
    return answer({**said, "points": points})


def _diff(engine: Engine, request: Request) -> Response:
    only(
        request, *_WHAT, "baseline", "candidate", "baseline_start", "baseline_end", "nodes", "depth", "limit", "per",
        "level",
    )  # fmt: skip
    limit = number(request, "limit", 50, 0, 10_000)
    nodes, depth = number(request, "nodes", 8192, 16, 200_000), number(request, "depth", 256, 1, 400)
    query, level = request.query_params, _level(request)
    per, text = query.get("per", "total"), query.get("function", "")
    if per not in PER:
        raise BadRequestError(f"per: {per!r} is none of {', '.join(PER)}", "per")
    within = time_range(request)
    (of_base, base), (of_other, other) = (_side(engine, request, name, within) for name in ("baseline", "candidate"))
    requests = None
    if per == "request":
        requests = served(engine, of_base, base.within), served(engine, of_other, other.within)
    found = diff(engine, query.get("type", ""), base, other, per, requests)
    shown = replace(found, costs=with_function(found.costs, text))
    totals = (shown.costs.values.sum(axis=0) * (found.unit_share if per != "total" else 1)).tolist()
    said = {
        "type": found.type, "unit": found.unit, "per": per, "level": level, **_range(within),
        "baseline_total": totals[0], "candidate_total": totals[1],
        "baseline_profiles": found.baseline.profiles, "candidate_profiles": found.candidate.profiles,
        "baseline_seconds": found.baseline.seconds, "candidate_seconds": found.candidate.seconds,
        "baseline_requests": requests[0].count if requests else 0,
        "candidate_requests": requests[1].count if requests else 0,
    }  # fmt: skip
    if limit:
        changed = [
            one
            for one in function_changes(engine, shown, base, other, requests, level, per)
            if one.own[0] != one.own[1] or one.total[0] != one.total[1]
        ]
        said["found"] = sum(any(one.found) for one in changed)
        said["functions"] = [_changed(one) for one in changed[:limit]]
    tree = pruned(grow(shown.costs, depth), nodes)
    return _with_root(said, to_json(tree, ("baseline", "candidate")))


def _changed(one: FunctionChange) -> dict[str, Any]:
    return {
        "function": one.function, "file": one.file, "baseline_self": one.own[0], "candidate_self": one.own[1],
        "baseline": one.total[0], "candidate": one.total[1], "self_interval": _bounds(one.own_bounds),
        "interval": _bounds(one.total_bounds), "self_found": one.found[0], "found": one.found[1],
    }  # fmt: skip


def _bounds(bounds: tuple[float, float]) -> list[float] | None:
    """Null where too few profiles are there to tell."""
    return list(bounds) if all(map(math.isfinite, bounds)) else None


def _level(request: Request) -> float:
    text = request.query_params.get("level", str(LEVEL))
    try:
        level = float(text)
    except ValueError:
        level = 0.0
    if not 0.5 <= level < 1:
        raise BadRequestError(f"level: {text[:20]!r} is not between 0.5 and 1, such as 0.999", "level")
    return level


def _export(engine: Engine, request: Request) -> Response:
    only(request, *_WHO, "type", "format")
    shape = request.query_params.get("format", "pprof")
    if shape not in ("pprof", "folded", "speedscope"):
        raise BadRequestError(f"format: {shape!r} is none of pprof, folded and speedscope", "format")
    selection = _selection(engine, request, time_range(request))
    there = kept_of(engine, selection, request.query_params.get("type", ""))
    profile = gather(engine, there, selection)
    if shape == "pprof":
        made = _file(to_pprof(profile), "application/octet-stream", f"{there.type}.pb.gz")
    elif shape == "folded":
        made = _file(to_folded(profile), "text/plain; charset=utf-8", f"{there.type}.folded")
    else:
        made = _file(to_speedscope(profile, there.type), "application/json", f"{there.type}.speedscope.json")
    # Nothing is a whole file too, of which whoever asked should hear.
    made.headers["pilothouse-stacks"] = str(len(profile.values))
    return made


def _file(content: str | bytes, media: str, name: str) -> Response:
    safe = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
    return Response(content, media_type=media, headers={"content-disposition": f'attachment; filename="{safe}"'})


def _selection(engine: Engine, request: Request, within: TimeRange) -> Selection:
    return select(engine, _selector(request), within, _labels(request))


def _labels(request: Request) -> Selector:
    """`labels`, with `span` as one more condition if it is given."""
    labels = parse_selector(request.query_params.get("labels", ""), "labels")
    if span := request.query_params.get("span"):
        return Selector((*labels.matchers, Matcher("span_id", "=", span.lower())))
    return labels


def _asked(engine: Engine, request: Request, through: bool = True) -> tuple[Kept, Costs, TimeRange]:
    query = request.query_params
    within = time_range(request)
    selection = _selection(engine, request, within)
    there = kept_of(engine, selection, query.get("type", ""))
    found = averaged(costs(engine, there.type, [selection]), there)
    return there, with_function(found, query.get("function", "") if through else ""), selection.within


def _selector(request: Request) -> Selector:
    """`selector`, with `service` as one more condition if it is given."""
    query = request.query_params
    selector = parse_selector(query.get("selector", ""))
    if service := query.get("service"):
        return Selector((Matcher("service_name", "=", service), *selector.matchers))
    return selector


def _side(engine: Engine, request: Request, name: str, within: TimeRange) -> tuple[Selector, Selection]:
    """One side of a comparison: a version, or label matchers where the text has a comparison in it."""
    text = wanted(request, name)
    more = parse_selector(text, name).matchers if "=" in text else (Matcher("service_version", "=", text),)
    if name == "baseline" and ("baseline_start" in request.query_params or "baseline_end" in request.query_params):
        within = _baseline_range(request, within)
    labels = _labels(request)
    selector = Selector((*_selector(request).matchers, *more))
    return selector, select(engine, selector, within, labels)


def _baseline_range(request: Request, within: TimeRange) -> TimeRange:
    from pilothouse.signals.timerange import parse_range

    query = request.query_params
    return parse_range(query.get("baseline_start") or str(within.start / 1e9), query.get("baseline_end"))


def _said(there: Kept, found: Costs, within: TimeRange) -> dict[str, Any]:
    return {
        "type": there.type, "unit": there.unit, **_range(within), "total": int(found.values.sum()),
        "profiles": there.profiles, "seconds": there.seconds,
    }  # fmt: skip


def _range(within: TimeRange) -> dict[str, str]:
    return {"start": to_rfc3339(within.start), "end": to_rfc3339(within.end)}


def _with_root(said: dict[str, Any], root: str) -> Response:
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return Response(f'{text[:-1]},"root":{root}}}', media_type="application/json")
