"""What our own clients (commands, collectors) show a server: from the environment, where it is in no process list."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


def credentials() -> dict[str, str]:
    """The headers that say who asks: `PILOTHOUSE_TOKEN`, and for which tenant: `PILOTHOUSE_TENANT`."""
    token, tenant = os.environ.get("PILOTHOUSE_TOKEN", ""), os.environ.get("PILOTHOUSE_TENANT", "")
    return {
        **({"authorization": f"Bearer {token}"} if token else {}),
        **({"x-scope-orgid": tenant} if tenant else {}),
    }


def certificates(server: str) -> ssl.SSLContext | bool:
    """What httpx holds a server's certificate against: the system's, which to read takes 50 ms, only where it has one.

    An http address that leads to https all the same finds nobody whom it trusts.
    """
    import ssl

    return not server.startswith("http://") or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
