"""`/api/services`, `/api/releases`, `/api/compare`, and the evidence calls of a comparison."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from pilothouse.releases.comparison import Comparison
from pilothouse.releases.discovering import releases, services
from pilothouse.releases.evidence import durations, metric_range
from pilothouse.releases.marking import mark_from
from pilothouse.releases.parties import parties
from pilothouse.releases.party import Party
from pilothouse.releases.speaking import known_service
from pilothouse.releases.store import KeptVerdict, ReleaseStore
from pilothouse.releases.store.verdicts import page_of
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.selector import parse_selector
from pilothouse.signals.timerange import parse_duration, parse_moment, to_rfc3339
from pilothouse.signals.wire import answer, json_body, number, only, time_range, waiting, wanted

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine
    from pilothouse.signals.timerange import TimeRange

_RANGE = ("start", "end", "since")
_MOST_VERSIONS = 10
_AROUND = "15m"
_MOST_ROLLOUTS = 1000


def routes(engine: Engine, store: ReleaseStore) -> list[Route]:
    """The questions about releases. `durations` must stand before `/api/traces/{trace_id}`."""

    async def all_services(request: Request) -> Response:
        only(request, *_RANGE)
        return answer({"services": await waiting(services, engine, _within(request))})

    async def all_releases(request: Request) -> Response:
        only(request, "service", "limit", *_RANGE)
        return answer({"releases": await waiting(_releases, engine, store, request)})

    async def mark(request: Request) -> Response:
        only(request)
        made = mark_from(await json_body(request))
        await waiting(store.marks.keep, made)
        return answer(made.to_json(), 201)

    async def verdict(request: Request) -> Response:
        return answer((await waiting(_compare, engine, store, request)).to_json())

    async def given(request: Request) -> Response:
        only(request)
        return answer(await waiting(_given, store, request.path_params["verdict"]))

    async def reasons(request: Request) -> Response:
        return answer((await waiting(_why, engine, store, request)).to_json())

    async def traces(request: Request) -> Response:
        return answer(await waiting(_durations, engine, request))

    async def metrics(request: Request) -> Response:
        return answer(await waiting(_range, engine, request))

    return [
        Route("/api/services", all_services),
        Route("/api/releases", all_releases, methods=["GET"]),
        Route("/api/releases", mark, methods=["POST"]),
        Route("/api/compare", verdict),
        Route("/api/verdicts/{verdict:int}", given),
        Route("/api/why", reasons),
        Route("/api/traces/durations", traces),
        Route("/api/metrics/range", metrics),
    ]


def _releases(engine: Engine, store: ReleaseStore, request: Request) -> list[dict[str, Any]]:
    service = request.query_params.get("service", "")
    marks = store.marks.all(service)
    if service and not marks:
        known_service(engine, service)
    limit = number(request, "limit", 200, 1, 10_000)
    verdicts, decided = store.verdicts.latest(service), _decided(store, service)
    return [
        one.to_json() | _verdicts(verdicts.get((one.service, one.version)), decided.get((one.service, one.version)))
        for one in releases(engine, service, _within(request), marks)[:limit]
    ]


def _decided(store: ReleaseStore, service: str) -> dict[tuple[str, str], tuple[KeptVerdict, int]]:
    """By service and version the verdict that the last rollout of it went by, with the rollout's number."""
    runs = [run for run in store.rollouts.all(service, limit=_MOST_ROLLOUTS) if run.comparison]
    kept = store.verdicts.some([run.comparison for run in runs])
    return {
        (run.plan.service, run.plan.candidate): (kept[run.comparison], run.id)
        for run in reversed(runs)
        if run.comparison in kept
    }


def _verdicts(latest: KeptVerdict | None, decided: tuple[KeptVerdict, int] | None) -> dict[str, Any]:
    """What a release is called: by what a rollout of it decided, else as it was last asked.

    What somebody asked since then stands beside it: it may be of any time, and nothing was done by it.
    """
    if decided is None:
        return {"verdict": _said(latest), "asked_since": None}
    verdict, rollout = decided
    since = latest if latest is not None and latest.number > verdict.number else None
    return {"verdict": _said(verdict, rollout), "asked_since": _said(since)}


def _compare(engine: Engine, store: ReleaseStore, request: Request) -> Comparison:
    # The judge's arithmetic (scipy) is imported with the first comparison, not at every start of the server.
    from pilothouse.releases.comparing import compare

    sides = ("baseline", "candidate")
    parts = [f"{side}_{part}" for side in sides for part in ("where", "start", "end")]
    only(request, "service", *sides, "selector", "kind", *parts, *_RANGE)
    baseline, candidate, migration = parties(request)
    found = compare(
        engine,
        wanted(request, "service"),
        baseline,
        candidate,
        time_range(request),
        parse_selector(request.query_params.get("selector", "")),
        migration=migration,
        marks=store.marks.all(),
        objectives=store.slos.all(wanted(request, "service")),
    )
    kept = store.verdicts.keep(found)
    # Versions tell what to compare again; parts and times are only in the verdict that was given.
    plain = all(side.party == Party(side.version, label=side.party.label) for side in found.sides)
    return found if plain else replace(found, address=page_of(found.page, kept))


def _given(store: ReleaseStore, key: int) -> dict[str, Any]:
    if (found := store.verdicts.whole(key)) is None:
        raise NotFoundError(f"no verdict {key}")
    return found


def _why(engine: Engine, store: ReleaseStore, request: Request) -> Comparison:
    from pilothouse.releases.why import why

    only(request, "service", "at", "around")
    service, query = wanted(request, "service"), request.query_params
    at = parse_moment(wanted(request, "at"), time.time_ns(), "at")
    around = int(parse_duration(query.get("around", _AROUND), "around") * 1e9)
    if around < 1_000_000_000:
        raise BadRequestError("around: must be a second at least", "around")
    return why(engine, service, at, around, store.marks.all(), store.slos.all(service))


def _durations(engine: Engine, request: Request) -> dict[str, Any]:
    only(request, "service", "operation", "versions", "kind", *_RANGE)
    return durations(
        engine,
        wanted(request, "service"),
        wanted(request, "operation"),
        _versions(request),
        time_range(request),
        number(request, "kind", -1, -1, 5),
    )


def _range(engine: Engine, request: Request) -> dict[str, Any]:
    only(request, "service", "name", "versions", "labels", *_RANGE)
    return metric_range(
        engine,
        wanted(request, "service"),
        wanted(request, "name"),
        _versions(request),
        time_range(request),
        parse_selector(request.query_params.get("labels", ""), "labels"),
    )


def _versions(request: Request) -> list[str]:
    versions = list(dict.fromkeys(one.strip() for one in wanted(request, "versions").split(",") if one.strip()))
    if not 1 <= len(versions) <= _MOST_VERSIONS:
        raise BadRequestError(f"versions: name one to {_MOST_VERSIONS} versions with commas between them", "versions")
    return versions


def _within(request: Request) -> TimeRange | None:
    """The range if one is asked for; lists are of all time otherwise."""
    return time_range(request) if any(name in request.query_params for name in _RANGE) else None


def _said(verdict: KeptVerdict | None, rollout: int | None = None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "verdict": verdict.verdict,
        "confidence": verdict.confidence,
        "summary": verdict.summary,
        "said": verdict.said,
        "baseline": verdict.baseline,
        "at": to_rfc3339(verdict.at),
        "page": verdict.page,
        "rollout": rollout,
    }
