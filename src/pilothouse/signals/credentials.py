"""What our own clients (commands, collectors) show a server: from the environment, where it is in no process list."""

from __future__ import annotations

import os


def credentials() -> dict[str, str]:
    """The headers that say who asks: `PILOTHOUSE_TOKEN`, and for which tenant: `PILOTHOUSE_TENANT`."""
    token, tenant = os.environ.get("PILOTHOUSE_TOKEN", ""), os.environ.get("PILOTHOUSE_TENANT", "")
    return {
        **({"authorization": f"Bearer {token}"} if token else {}),
        **({"x-scope-orgid": tenant} if tenant else {}),
    }
