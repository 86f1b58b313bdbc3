"""Prometheus' HTTP API under `/prometheus/api/v1`: the same paths, parameters, JSON and errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from pilothouse import __version__
from pilothouse.signals.metrics import federate_api, remote_read_api
from pilothouse.signals.metrics.errors import ConfigurationError
from pilothouse.signals.metrics.prometheus import answering
from pilothouse.signals.metrics.prometheus.asking import (
    STATUS,
    ApiError,
    Parameters,
    parameters,
    unescaped_label,
)
from pilothouse.signals.metrics.prometheus.cardinality import cardinality
from pilothouse.signals.metrics.prometheus.exemplars import exemplars
from pilothouse.signals.metrics.prometheus.metadata import metadata
from pilothouse.signals.metrics.prometheus.querying import Queries, QueryLimits
from pilothouse.signals.metrics.prometheus.status import Status
from pilothouse.signals.metrics.prometheus.watched import Unwatched, Watched
from pilothouse.signals.metrics.promql.engine import Value
from pilothouse.signals.metrics.promql.errors import ParseError
from pilothouse.signals.metrics.promql.labels import is_label
from pilothouse.signals.metrics.promql.matcher import Matcher
from pilothouse.signals.metrics.promql.nodes import value_type
from pilothouse.signals.metrics.promql.numbers import quote
from pilothouse.signals.metrics.promql.parser import parse, parse_selector
from pilothouse.signals.metrics.promql.planning import Grid
from pilothouse.signals.metrics.promql.pretty import pretty

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.engine import Engine
    from pilothouse.signals.metrics.prometheus.stored import StoredMetrics

PREFIX = "/prometheus/api/v1"
COMPATIBLE = "3.14.0"
"""The Prometheus whose language and API this speaks: clients look at the version to know what they may ask."""
_MOST_POINTS = 11_000
_MANY_POINTS = 50_000
_SHORT = 2_000
_ADMIN_CALLS = ("delete_series", "clean_tombstones", "snapshot")
# As Go reads them.
_BOOLEANS = frozenset(("1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"))
_SAID = {"matrix": "range vector", "string": "string"}

Said = tuple[str | bytes, list[str], list[str]]
"""What is answered, with warnings and infos."""
Handler = Callable[["Request", Parameters], Awaitable["str | Said"]]


def routes(
    engine: Engine,
    watched: Watched | None = None,
    limits: QueryLimits = QueryLimits(),
    prefix: str = PREFIX,
    metrics: StoredMetrics | None = None,
    status: Status | None = None,
) -> list[Route]:
    """The API below `prefix`; `watched` are the scraper and the rules, where they run, on the same `metrics`."""
    api = _Api(engine, watched or Unwatched(), limits, metrics, status or Status())
    both: dict[str, Handler] = {
        "query": api.query,
        "query_range": api.query_range,
        "query_exemplars": api.query_exemplars,
        "format_query": api.format_query,
        "parse_query": api.parse_query,
        "labels": api.labels,
        "series": api.series,
    }
    reading: dict[str, Handler] = {
        "label/{name}/values": api.label_values,
        "metadata": api.metadata,
        "targets": api.targets,
        "targets/metadata": api.targets_metadata,
        "scrape_pools": api.scrape_pools,
        "rules": api.rules,
        "alerts": api.alerts,
        "alertmanagers": api.alertmanagers,
        "status/config": api.status_config,
        "status/flags": api.status_flags,
        "status/runtimeinfo": api.status_runtime,
        "status/buildinfo": api.status_build,
        "status/tsdb": api.status_tsdb,
        "status/walreplay": api.status_replay,
        "status/tsdb/blocks": api.status_blocks,
        "notifications": api.notifications,
    }
    return [
        *(Route(f"{prefix}/{path}", _endpoint(handler), methods=["GET", "POST"]) for path, handler in both.items()),
        *(Route(f"{prefix}/{path}", _endpoint(handler), methods=["GET"]) for path, handler in reading.items()),
        *(Route(f"{prefix}/admin/tsdb/{call}", _endpoint(api.admin), methods=["POST", "PUT"]) for call in _ADMIN_CALLS),
        *remote_read_api.routes(api.queries, api.watched, prefix),
        *federate_api.routes(api.queries, api.watched, prefix.removesuffix("/api/v1")),
    ]


def lifecycle_routes(watched: Any = None, prefix: str = "/prometheus") -> list[Route]:
    """`/-/healthy`, `/-/ready` and `/-/reload` as Prometheus has them; reloading needs a configuration file."""

    async def healthy(request: Request) -> Response:
        return Response("Prometheus Server is Healthy.\n", media_type="text/plain")

    async def ready(request: Request) -> Response:
        return Response("Prometheus Server is Ready.\n", media_type="text/plain")

    async def reload(request: Request) -> Response:
        if watched is None:
            return Response("There is no configuration file: start with --prometheus-config.\n", 404)
        try:
            await asyncio.to_thread(watched.reload)
        except ConfigurationError as error:
            return Response(f"failed to reload config: {error}\n", 500, media_type="text/plain")
        return Response(b"", 200)

    return [
        Route(f"{prefix}/-/healthy", healthy),
        Route(f"{prefix}/-/ready", ready),
        Route(f"{prefix}/-/reload", reload, methods=["POST", "PUT"]),
    ]


def _endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            answer = await handler(request, await parameters(request))
        except ApiError as error:
            fault = {"status": "error", "errorType": error.kind, "error": str(error)}
            return _json(answering.encoded(answering.said(fault)), STATUS[error.kind])
        data, warnings, infos = answer if isinstance(answer, tuple) else (answer, [], [])
        content = data if isinstance(data, bytes) else answering.encoded(data)
        told = f',"warnings":{answering.said(warnings)}' if warnings else ""
        told += f',"infos":{answering.said(infos)}' if infos else ""
        return _json(b'{"status":"success","data":%s%s}' % (content, answering.encoded(told)), 200)

    return endpoint


def _json(content: bytes, status: int) -> Response:
    return Response(content, status, media_type="application/json")


class _Api:
    def __init__(
        self, engine: Engine, watched: Watched, limits: QueryLimits, metrics: StoredMetrics | None, status: Status
    ) -> None:
        self._engine, self.watched, self._limits, self._status = engine, watched, limits, status
        self.queries = Queries(engine, limits, metrics, watched.query_log)

    # Queries.

    async def query(self, request: Request, asked: Parameters) -> Said:
        at = asked.time("time", round(time.time() * 1000))
        value = await self._evaluated(request, asked, Grid(at, at, 0), is_range=False)
        return self._told(asked, value, *await self._written(value, asked.limit()))

    async def query_range(self, request: Request, asked: Parameters) -> Said:
        grid = _grid(asked)
        kind = value_type(_parsed(asked))
        if kind in _SAID:
            raise ApiError(
                "bad_data",
                f'invalid parameter "query": invalid expression type "{_SAID[kind]}" for range query, '
                "must be Scalar or instant Vector",
            )
        value = await self._evaluated(request, asked, grid, is_range=True)
        if value.kind == "scalar":
            return self._told(asked, value, answering.encoded(answering.scalar_matrix(value)), False)
        return self._told(asked, value, *await self._written(value, asked.limit()))

    async def _written(self, value: Value, limit: int) -> tuple[bytes, bool]:
        """A value as JSON; others are served while a large one is written."""
        if value.matrix is None or value.matrix.values.size < _MANY_POINTS:
            return answering.data(value, limit)
        return await asyncio.to_thread(answering.data, value, limit)

    async def _evaluated(self, request: Request, asked: Parameters, grid: Grid, is_range: bool) -> Value:
        seconds = asked.duration("timeout") / 1000 if asked.get("timeout") else 0.0
        lookback = asked.duration("lookback_delta") if asked.get("lookback_delta") else 0
        query, counted = (asked.get("query"), _parsed(asked)), bool(asked.get("stats"))
        return await self.queries.evaluate(request, query, grid, is_range, lookback, seconds, counted)

    def _told(self, asked: Parameters, value: Value, data: bytes, cut: bool) -> Said:
        query = asked.get("query")
        warnings = value.annotations.said("warning", query)
        if cut:
            warnings.append("results truncated due to limit")
        if asked.get("stats"):
            data = b'%s,"stats":%s}' % (data[:-1], answering.encoded(answering.said(value.statistics.told)))
        return data, warnings, value.annotations.said("info", query)

    async def query_exemplars(self, request: Request, asked: Parameters) -> str:
        start, end = asked.time("start", 0), asked.time("end", round(time.time() * 1000))
        if end < start:
            raise ApiError("bad_data", 'invalid parameter "end": end timestamp must not be before start timestamp')
        node = _parsed(asked)
        return answering.said(await self.queries.run(request, lambda metrics, _: exemplars(metrics, node, start, end)))

    async def format_query(self, request: Request, asked: Parameters) -> str:
        return answering.said(pretty(_parsed(asked)))

    async def parse_query(self, request: Request, asked: Parameters) -> str:
        from pilothouse.signals.metrics.prometheus.tree import tree

        return answering.said(tree(_parsed(asked)))

    # What there is.

    async def series(self, request: Request, asked: Parameters) -> Said:
        selectors = asked.matchers()
        found = await self._found(request, asked, selectors)
        return _limited([labels.map for labels in found], asked.limit())

    async def labels(self, request: Request, asked: Parameters) -> Said:
        found = await self._found(request, asked, asked.matchers(needed=False))
        return _limited(sorted({name for labels in found for name, _ in labels.pairs}), asked.limit())

    async def label_values(self, request: Request, asked: Parameters) -> Said:
        name = unescaped_label(request.path_params["name"])
        if not is_label(name):
            raise ApiError("bad_data", f'invalid label name: "{name}"')
        found = await self._found(request, asked, asked.matchers(needed=False))
        return _limited(sorted({labels.get(name) for labels in found} - {""}), asked.limit())

    async def _found(self, request: Request, asked: Parameters, selectors: list[Any]) -> list[Any]:
        start, end = asked.time("start", 0), asked.time("end", round(time.time() * 1000) + 3_600_000)
        if end < start:
            return []

        def work(metrics: Any, _: Any) -> list[Any]:
            found = {one for selector in selectors or [()] for one in metrics.series(selector, start, end)}
            return sorted(found, key=lambda labels: labels.pairs)

        return await self.queries.run(request, work)

    async def metadata(self, request: Request, asked: Parameters) -> str:
        wanted = asked.get("metric"), asked.most("limit_per_metric"), asked.most("limit")
        engine = self._engine
        return answering.said(await self.queries.run(request, lambda metrics, _: metadata(engine, metrics, *wanted)))

    # Scraping and rules.

    async def targets(self, request: Request, asked: Parameters) -> str:
        return answering.said(self.watched.targets(asked))

    async def scrape_pools(self, request: Request, asked: Parameters) -> str:
        return answering.said(self.watched.scrape_pools())

    async def targets_metadata(self, request: Request, asked: Parameters) -> str:
        selector: tuple[Matcher, ...] = ()
        limit = asked.get("limit")
        if asked.get("match_target"):
            try:
                selector = parse_selector(asked.get("match_target"))
            except ParseError as error:
                raise ApiError("bad_data", f'invalid parameter "match_target": {error}') from None
        if limit and not limit.removeprefix("-").isdecimal():
            raise ApiError("bad_data", "limit must be a number")
        # A negative one is none, as in Prometheus.
        most = int(limit) if limit and not limit.startswith("-") else None
        return answering.said(self.watched.targets_metadata(selector, asked.get("metric"), most))

    async def rules(self, request: Request, asked: Parameters) -> str:
        kind = asked.get("type")
        if kind not in ("", "alert", "record"):
            raise ApiError("bad_data", f'invalid parameter "type": not supported value "{kind}"')
        brief = asked.get("exclude_alerts")
        if brief and brief not in _BOOLEANS:
            message = f"error converting exclude_alerts: strconv.ParseBool: parsing {quote(brief)}: invalid syntax"
            raise ApiError("bad_data", f'invalid parameter "exclude_alerts": {message}')
        return answering.said(self.watched.rules(asked))

    async def alerts(self, request: Request, asked: Parameters) -> str:
        return answering.said(self.watched.alerts())

    async def alertmanagers(self, request: Request, asked: Parameters) -> str:
        return answering.said(self.watched.alertmanagers())

    # Status.

    async def status_config(self, request: Request, asked: Parameters) -> str:
        return answering.said({"yaml": self.watched.config()})

    async def status_flags(self, request: Request, asked: Parameters) -> str:
        limits = self._limits
        return answering.said(self._status.flags(limits.seconds, limits.samples, limits.at_once))

    async def status_runtime(self, request: Request, asked: Parameters) -> str:
        return answering.said(self._status.runtime(*self.watched.loaded()))

    async def status_build(self, request: Request, asked: Parameters) -> str:
        return answering.said(
            {"version": COMPATIBLE, "revision": f"pilothouse-{__version__}", "branch": "", "buildUser": "",
             "buildDate": "", "goVersion": ""}
        )  # fmt: skip

    async def status_tsdb(self, request: Request, asked: Parameters) -> str:
        limit = asked.most("limit") if asked.get("limit") else 10
        if not limit:
            raise ApiError("bad_data", "limit must be a positive number")
        engine = self._engine
        return answering.said(await self.queries.run(request, lambda metrics, _: cardinality(engine, limit)))

    async def admin(self, request: Request, asked: Parameters) -> str:
        raise ApiError("unavailable", "admin APIs disabled")

    async def status_replay(self, request: Request, asked: Parameters) -> str:
        return answering.said({"min": 0, "max": 0, "current": 0})

    async def status_blocks(self, request: Request, asked: Parameters) -> str:
        """There are none: samples lie in tables."""
        return answering.said({"blocks": []})

    async def notifications(self, request: Request, asked: Parameters) -> str:
        """What Prometheus would warn of in its page."""
        return answering.said([])


def _parsed(asked: Parameters) -> Any:
    query = asked.get("query")
    try:
        return _known(query) if len(query) < _SHORT else parse(query)
    except ParseError as error:
        raise ApiError("bad_data", f'invalid parameter "query": {error}') from None


# Dashboards ask the same again: a tree is never changed.
_known = lru_cache(maxsize=500)(parse)


def _grid(asked: Parameters) -> Grid:
    for name in ("start", "end"):
        if not asked.get(name):
            raise ApiError("bad_data", f'invalid parameter "{name}": cannot parse "" to a valid timestamp')
    start, end, step = asked.time("start", 0), asked.time("end", 0), asked.duration("step")
    if end < start:
        raise ApiError("bad_data", 'invalid parameter "end": end timestamp must not be before start time')
    if step <= 0:
        raise ApiError(
            "bad_data",
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
            "Try a positive integer",
        )
    if (end - start) // step > _MOST_POINTS:
        raise ApiError(
            "bad_data",
            "exceeded maximum resolution of 11,000 points per timeseries. "
            "Try decreasing the query resolution (?step=XX)",
        )
    return Grid(start, end, step)


def _limited(found: list[Any], limit: int) -> Said:
    if limit and len(found) > limit:
        return answering.said(found[:limit]), ["results truncated due to limit"], []
    return answering.said(found), [], []
