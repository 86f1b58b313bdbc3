"""Who asks: from the headers of a request to a caller with scopes and a tenant."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from pilothouse.server.access.scopes import SCOPES

SESSION = "pilothouse_session"
TENANT = "x-scope-orgid"
# The tenant of who says none, and of what the process takes in by itself (scrapes, syslog, pipelines).
DEFAULT_TENANT = "default"
# Where each protocol's clients put a secret; the first that is there counts.
_KEYS = ("x-api-key", "dd-api-key", "api-key")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may do something. `tenant` is empty when any tenant may be named."""

    name: str
    scopes: frozenset[str]
    tenant: str = ""
    session: bool = False


ANYBODY = Caller("anybody", frozenset(SCOPES))
"""Who asks where no token is wanted: on loopback, whoever may open a connection may do everything."""


def secret_of(headers: Mapping[str, str]) -> tuple[str, bool]:
    """The token of a request and whether it came as a browser's session; empty when there is none.

    Bearer, Basic (the password; the name is for whoever reads the client's configuration), Elasticsearch's ApiKey,
    and the headers of Datadog's and other agents.
    """
    kind, _, value = headers.get("authorization", "").strip().partition(" ")
    match kind.lower():
        case "bearer" | "token":
            return value.strip(), False
        case "basic":
            return _decoded(value).partition(":")[2], False
        case "apikey":
            return _decoded(value).partition(":")[2] or value.strip(), False
    for name in _KEYS:
        if key := headers.get(name, "").strip():
            return key, False
    for part in headers.get("cookie", "").split(";"):
        name, _, content = part.strip().partition("=")
        if name == SESSION:
            return content, True
    return "", False


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
