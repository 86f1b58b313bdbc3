"""What a request needs: one of four scopes, or nothing.

`ingest` writes telemetry, `read` asks, `act` changes what releases, rollouts and pipelines do, `admin` deletes and
configures. A token in a workload can so be one that writes and reads nothing. What is not named here needs `read` to
be got and `act` for everything else, so that a new handler is closed until somebody opens it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

INGEST, READ, ACT, ADMIN = "ingest", "read", "act", "admin"
SCOPES = (INGEST, READ, ACT, ADMIN)
_IMPLIED = {INGEST: {INGEST}, READ: {READ}, ACT: {ACT, READ}, ADMIN: set(SCOPES)}

# Nothing about the data is said here: health for probes, the page's own files, signing in.
_OPEN = re.compile(r"/-/(healthy|ready)|/(prometheus|loki|tempo)/(-/)?(healthy|ready)|/sign-(in|out)(/.*)?|/assets/.*")
_SIGNED = re.compile(r"/webhooks/[^/]+")
_INGEST = re.compile(
    r"(/otlp)?/v1/(logs|metrics|traces)|(/otlp)?/v1development/profiles"
    r"|(/pyroscope/?)?/ingest|(/pyroscope/?)?/push\.v1\.PusherService/Push"
    r"|/prometheus/api/v1/write|/loki/api/v1/push|/api/prom/push"
    r"|(/zipkin)?/api/v[12]/spans|(/jaeger)?/api/traces"
    r"|(/datadog)?/v0\.[345]/traces|(/datadog)?/api/v2/logs|(/datadog)?/v1/input(/[^/]*)?"
    r"|/datadog/api/v[12]/(series|distribution_points|check_run)|/datadog/api/beta/sketches"
    r"|/prometheus/api/v1/otlp/v1/metrics"
    r"|/elasticsearch(/.*)?|(/[^/]+)?/_bulk"
)
# Senders ask these before they send.
_ASKED_BY_SENDERS = re.compile(r"/elasticsearch(/.*)?|/_cat/health|(/datadog)?/info|/datadog/api/v1/validate")
# Questions that may be too long for an address.
_POSTED_QUESTION = re.compile(
    r"/prometheus/api/v1/(query|query_range|query_exemplars|format_query|parse_query|labels|series|read)"
    r"|/loki/api/v1/(?!push$|delete$).+|/pyroscope/querier\.v1\.QuerierService/.+|(/.+)?/git-upload-pack"
)
_ADMIN = re.compile(r"/prometheus/(-|api/v1/admin)/.+|/loki/api/v1/delete|/api/(audit|backups|tokens)(/.*)?")
# Below these there is never a page.
_API = re.compile(r"/(api|otlp|prometheus|loki|tempo|jaeger|zipkin|pyroscope|datadog|triggers|metrics|git|-)(/.*)?")


def needed(method: str, path: str, served: Callable[[str], bool] = lambda path: False) -> str | None:
    """The scope for a request, None when it needs none. `method` may be WEBSOCKET, which counts as GET.

    `served` says whether something other than the page answers at a path: the page's files hold no data, and any
    path that nobody else answers is the page's.
    """
    got = method in ("GET", "HEAD", "OPTIONS", "WEBSOCKET")
    if got and _OPEN.fullmatch(path):
        return None
    if _ADMIN.fullmatch(path):
        return ADMIN
    if got:
        if _ASKED_BY_SENDERS.fullmatch(path):
            return INGEST
        return READ if _API.fullmatch(path) or served(path) else None
    # A forge signs what it sends with a secret that it shares with us, and can show no token.
    if method == "POST" and (path in ("/sign-in", "/sign-out") or _SIGNED.fullmatch(path)):
        return None
    if method in ("POST", "PUT") and _INGEST.fullmatch(path):
        return INGEST
    return READ if method == "POST" and _POSTED_QUESTION.fullmatch(path) else ACT


def allows(scopes: frozenset[str], wanted: str) -> bool:
    """Whether somebody with these scopes may do what needs `wanted`."""
    return any(wanted in _IMPLIED.get(scope, ()) for scope in scopes)
