"""The API's description and its handlers are the same thing."""

from __future__ import annotations

from pathlib import Path

import httpx
from starlette.routing import Route

from pilothouse.delivery.acting import api as acting
from pilothouse.delivery.forges.local import api as forge
from pilothouse.delivery.inbox import api as events
from pilothouse.delivery.pipelines import api as pipelines
from pilothouse.delivery.previews import api as previews
from pilothouse.delivery.promoting import api as promoting
from pilothouse.delivery.releasing import api as releasing
from pilothouse.hazards import api as hazards
from pilothouse.mesh import api as mesh
from pilothouse.releases import api as releases
from pilothouse.releases.rollout import api as rollouts
from pilothouse.releases.slos import api as slos
from pilothouse.server import dashboards, openapi
from pilothouse.signals.correlate import api as correlate
from pilothouse.signals.logs import api as logs
from pilothouse.signals.metrics import api as metrics
from pilothouse.signals.profiles import api as profiles
from pilothouse.signals.traces import api as traces
from tests.running import RunningServer


def _paths() -> set[str]:
    nothing: object = None
    routes = [route for room in (logs, metrics, profiles, traces) for route in room.routes(nothing)]
    routes += slos.routes(nothing, nothing)  # type: ignore[arg-type]
    routes += rollouts.routes(nothing, nothing, ())  # type: ignore[arg-type]
    routes += mesh.routes(nothing, None)  # type: ignore[arg-type]
    routes += hazards.routes(nothing, None)  # type: ignore[arg-type]
    routes += previews.routes(lambda: None)
    routes += releasing.routes(lambda: None, nothing)  # type: ignore[arg-type]
    routes += promoting.routes(nothing)  # type: ignore[arg-type]
    routes += forge.routes(nothing)  # type: ignore[arg-type]
    routes += acting.routes(nothing)  # type: ignore[arg-type]
    routes += events.routes(nothing)  # type: ignore[arg-type]
    routes += dashboards.routes(Path("/nowhere"))
    routes += correlate.routes(nothing)  # type: ignore[arg-type]
    routes += releases.routes(nothing, nothing)  # type: ignore[arg-type]
    paths = {route.path.replace(":int", "").replace(":path", "") for route in routes if isinstance(route, Route)}
    return {path for path in paths if path.startswith("/api/")}


def test_every_path_is_described_and_every_description_has_a_path() -> None:
    # These the server answers itself.
    own = {"/api/status", "/api/openapi.json", "/api/audit", "/api/backups", "/api/tokens", "/api/pipelines"}
    assert _paths() | own == set(openapi.OPERATIONS)


def test_what_a_directory_of_pipelines_adds_is_described() -> None:
    nothing: object = None
    routes = {route.path: route for route in pipelines.routes(nothing) if route.path.startswith("/api/")}  # type: ignore[arg-type]
    described = openapi.document()["paths"]
    assert routes.keys() == {*openapi.PIPELINES, "/api/pipelines"}
    for path in openapi.PIPELINES:
        methods = {method.lower() for method in routes[path].methods or () if method != "HEAD"}
        assert methods == described[path].keys(), path


def test_every_parameter_is_known_and_no_other(server: RunningServer) -> None:
    """A handler names the parameters that it knows when it is given one that it does not."""
    for path, operation in openapi.OPERATIONS.items():
        if "{" in path:
            continue
        given = dict.fromkeys(operation.required, "1")
        answer = httpx.get(server.http + path, params=given | {"surprise": "1"})
        assert answer.status_code == 400, path
        message = answer.json()["error"]["message"]
        assert message.startswith("surprise: no such parameter")
        known = message.partition("known are ")[2]
        assert set(filter(None, known.split(", "))) == set(operation.parameters), path


def test_the_document_is_served(server: RunningServer) -> None:
    document = server.get("/api/openapi.json")
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == set(openapi.OPERATIONS | openapi.PIPELINES)
