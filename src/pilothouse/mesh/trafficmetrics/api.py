"""`/apis/metrics.smi-spec.io/...`: what Kubernetes' API server hands on to an aggregated API, and kubectl asks for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pilothouse.mesh.trafficmetrics.discovering import group, resources
from pilothouse.mesh.trafficmetrics.resources import ALL, GROUP, KINDS, SPLITS, VERSIONS, Measured
from pilothouse.mesh.trafficmetrics.selecting import SelectorError, equalities, selected
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import parse_duration
from pilothouse.signals.wire import waiting

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.mesh.measuring import Ask
    from pilothouse.mesh.sourcing import Source, State
    from pilothouse.mesh.trafficmetrics.measuring import Traffic

_WINDOW, _LONGEST = 30, 86_400


class _StatusError(Exception):
    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason = code, reason


def routes(ask: Ask, source: Source | None) -> list[Route]:
    """Discovery and the resources of all versions; `source` tells the splits, and which resources there are."""

    async def asked(request: Request) -> Response:
        try:
            return await _answered(request, ask, source)
        except _StatusError as error:
            return _status(error.code, error.reason, str(error))

    return [Route(path, asked, methods=["GET"]) for path in ("/apis", f"/apis/{GROUP}", f"/apis/{GROUP}/{{path:path}}")]


async def _answered(request: Request, ask: Ask, source: Source | None) -> Response:
    parts = request.url.path.strip("/").split("/")[1:]
    if not parts:
        return JSONResponse({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group()]})
    if len(parts) == 1:
        return JSONResponse(group())
    if parts[1] not in VERSIONS:
        raise _StatusError(404, "NotFound", "the server could not find the requested resource")
    if len(parts) == 2:
        return JSONResponse(resources(parts[1]))
    if request.query_params.get("watch") in ("true", "1"):
        raise _StatusError(
            405, "MethodNotAllowed", "traffic is measured when it is asked for: there is nothing to watch"
        )
    question = _Question(parts[1], parts[2:], request.query_params)
    as_table = "as=Table" in request.headers.get("accept", "")
    return JSONResponse(await waiting(question.answer, ask, source, as_table))


class _Question:
    """What is asked for: `[namespaces/NS/]KIND[/NAME[/edges]]`."""

    def __init__(self, version: str, path: list[str], query: Mapping[str, str]) -> None:
        self.version = version
        self.namespace = self.name = ""
        rest = path
        if rest[0] == "namespaces" and len(rest) > 2 and rest[2] != "edges":
            self.namespace, rest = rest[1], rest[2:]
        self.all = rest[0] == ALL
        kind = KINDS.get("deployments" if self.all else rest[0])
        self.edges = len(rest) == 3 and rest[2] == "edges"
        if kind is None or len(rest) > 3 or (len(rest) == 3 and not self.edges):
            raise _StatusError(404, "NotFound", "the server could not find the requested resource")
        self.kind: Measured = kind
        if len(rest) > 1:
            self.name = rest[1]
        if self.name and kind.namespaced and not self.namespace:
            raise _StatusError(
                400, "BadRequest", f"{kind.plural} are namespaced: say namespaces/NAMESPACE/{kind.plural}"
            )
        self.seconds = _seconds(query)
        self.selector = query.get("labelSelector", "")

    def answer(self, ask: Ask, source: Source | None, as_table: bool) -> dict[str, Any]:
        """The object, list or table."""
        from pilothouse.mesh.measuring import AskingError
        from pilothouse.mesh.trafficmetrics.objects import metrics_list, metrics_object, table

        state = source.state() if source else None
        try:
            rows = self._rows(ask, state)
        except SelectorError as error:
            raise _StatusError(400, "BadRequest", f"labelSelector: {error}") from None
        except AskingError as error:
            raise _StatusError(503, "ServiceUnavailable", f"the metrics cannot be asked: {error}") from None
        now = time.time()
        if as_table:
            return table(rows, self.kind, self.seconds)
        made = [metrics_object(row, self.kind, self.version, self.seconds, now) for row in rows]
        if self.name and not self.edges and self.kind is not SPLITS:
            return made[0]
        resource = {"kind": self.kind.kind, "apiVersion": self.kind.api_version}
        resource |= {key: value for key, value in (("namespace", self.namespace), ("name", self.name)) if value}
        return metrics_list(made, resource, equalities(self.selector), self.version)

    def _rows(self, ask: Ask, state: State | None) -> list[Traffic]:
        from pilothouse.mesh.model import Name
        from pilothouse.mesh.trafficmetrics.measuring import Traffic, edges, of_splits, received

        mesh = state.mesh if state else ""
        # A namespace is its own: that is how meshes' metrics are read.
        name = Name(self.namespace if self.kind.namespaced else self.name, self.name)
        if self.edges:
            return edges(ask, self.kind, name, self.seconds, mesh)
        if self.kind is SPLITS:
            found = of_splits(ask, state.reading.configuration, self.seconds, mesh) if state else []
            if self.name and not any(row.name == name for row in found):
                raise _StatusError(404, "NotFound", f'trafficsplits.{GROUP} "{self.name}" not found')
        else:
            found = received(ask, self.kind, self.seconds, mesh)
        labels = state.labels(self.kind.kind) if state else {}
        if not self.name and self.kind is not SPLITS:
            seen = {row.name for row in found}
            found += [Traffic(other) for other in sorted(labels) if other not in seen]
        kept = [row for row in found if self._is_asked(row, name, labels)]
        return kept or ([Traffic(name)] if self.name else [])

    def _is_asked(self, row: Traffic, name: Any, labels: Mapping[Any, Mapping[str, str]]) -> bool:
        if self.name:
            return row.name.name == self.name and (
                not self.kind.namespaced or row.name.namespace in ("", self.namespace)
            )
        if self.namespace and row.name.namespace not in ("", self.namespace):
            return False
        return not self.selector or selected(self.selector, labels.get(row.name))


def _seconds(query: Mapping[str, str]) -> int:
    try:
        seconds = round(parse_duration(query.get("window") or f"{_WINDOW}s", "window"))
    except BadRequestError as error:
        raise _StatusError(400, "BadRequest", f"window: {error}") from None
    if not 1 <= seconds <= _LONGEST:
        raise _StatusError(400, "BadRequest", "window: from 1s to 1d")
    return seconds


def _status(code: int, reason: str, message: str) -> Response:
    return JSONResponse(
        {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
         "reason": reason, "code": code},
        code,
    )  # fmt: skip
