"""What each request needs; every route that there is has an answer, and what is new is closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilothouse.server.access.scopes import ACT, ADMIN, INGEST, READ, SCOPES, allows, needed
from pilothouse.server.app import _routes
from tests.server.access.inside import inside


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/otlp/v1/logs", INGEST),
        ("POST", "/v1/traces", INGEST),
        ("POST", "/prometheus/api/v1/write", INGEST),
        ("POST", "/loki/api/v1/push", INGEST),
        ("POST", "/pyroscope/ingest", INGEST),
        ("POST", "/some-index/_bulk", INGEST),
        ("POST", "/zipkin/api/v2/spans", INGEST),
        ("GET", "/zipkin/api/v2/spans", READ),
        ("POST", "/jaeger/api/traces", INGEST),
        ("GET", "/jaeger/api/traces", READ),
        ("GET", "/api/logs", READ),
        ("WEBSOCKET", "/loki/api/v1/tail", READ),
        ("POST", "/prometheus/api/v1/query", READ),
        ("POST", "/prometheus/api/v1/read", READ),
        ("POST", "/loki/api/v1/query_range", READ),
        ("POST", "/pyroscope/querier.v1.QuerierService/SelectMergeStacktraces", READ),
        ("GET", "/metrics", READ),
        ("POST", "/api/releases", ACT),
        ("POST", "/api/rollouts/3", ACT),
        ("POST", "/triggers/push", ACT),
        ("POST", "/loki/api/v1/delete", ADMIN),
        ("GET", "/loki/api/v1/delete", ADMIN),
        ("POST", "/prometheus/-/reload", ADMIN),
        ("POST", "/prometheus/api/v1/admin/tsdb/delete_series", ADMIN),
        ("GET", "/api/audit", ADMIN),
        ("POST", "/api/backups", ADMIN),
        ("GET", "/-/ready", None),
        ("POST", "/webhooks/github", None),
        ("GET", "/webhooks/github", None),
        ("GET", "/", None),
        ("GET", "/releases/shop/2", None),
        ("GET", "/assets/index.js", None),
        ("DELETE", "/", ACT),
        ("POST", "/assets/index.js", ACT),
        ("PATCH", "/-/healthy", ACT),
        ("GET", "/api/not/there/yet", READ),
        ("POST", "/api/not/there/yet", ACT),
        ("DELETE", "/otlp/v1/logs", ACT),
        ("POST", "/otlp/v1/logs/more", ACT),
    ],
)
def test_what_a_request_needs(method: str, path: str, scope: str | None) -> None:
    assert needed(method, path) == scope


def test_what_is_served_beside_the_page_is_not_the_page() -> None:
    assert needed("GET", "/git/shop/info/refs", lambda path: path.startswith("/git/")) == READ
    assert needed("GET", "/logs", lambda path: path.startswith("/git/")) is None
    assert needed("POST", "/git/shop/git-upload-pack") == READ
    assert needed("POST", "/git/shop/git-receive-pack") == ACT


def test_a_scope_allows_what_it_says_and_no_more() -> None:
    allowed = {scope: {other for other in SCOPES if allows(frozenset({scope}), other)} for scope in SCOPES}
    assert allowed == {INGEST: {INGEST}, READ: {READ}, ACT: {ACT, READ}, ADMIN: set(SCOPES)}
    assert not any(allows(frozenset({"root"}), other) for other in SCOPES)


def test_no_route_but_the_page_health_and_signing_in_is_open(tmp_path: Path) -> None:
    with inside(tmp_path / "data") as house:
        routes = [route for route in _routes(house.process._rooms, {}) if getattr(route, "methods", None)]
    unguarded, read_by_post = set(), set()
    for route in routes:
        path = route.path.replace(":path", "").replace(":int", "")  # type: ignore[attr-defined]
        for method in route.methods:  # type: ignore[attr-defined]
            wanted = needed(method, path)
            unguarded |= {path} if wanted is None else set()
            read_by_post |= {path} if wanted == READ and method not in ("GET", "HEAD") else set()
    assert unguarded <= {
        "/-/healthy", "/-/ready", "/prometheus/-/healthy", "/prometheus/-/ready", "/loki/ready", "/tempo/ready",
        "/sign-in", "/sign-out", "/", "/{path}",
    }  # fmt: skip
    questions = ("/prometheus/api/v1/", "/loki/api/v1/", "/pyroscope/querier.v1.QuerierService/")
    assert all(path.startswith(questions) for path in read_by_post), read_by_post
