"""`sslmode` in a PostgreSQL address, as libpq and every operator's examples write it: our driver does not know it.

https://www.postgresql.org/docs/current/libpq-ssl.html
"""

from __future__ import annotations

import ssl
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def encrypted(url: str) -> tuple[str | URL, dict[str, Any]]:
    """The address without `sslmode` and `sslrootcert`, and what the driver takes in their place.

    Without `sslmode` the connection is encrypted where the server can. Raises ArgumentError for a mode that there is
    not, OSError for a file of authorities that cannot be read.
    """
    if not url.startswith("postgresql+pg8000:"):
        return url, {}
    parsed = make_url(url)
    mode, root = parsed.query.get("sslmode"), parsed.query.get("sslrootcert")
    if mode is None:
        return url, {}
    if mode not in _MODES:
        raise ArgumentError(f"sslmode={mode} is none of {', '.join(_MODES)}")
    plain = parsed.difference_update_query(["sslmode", "sslrootcert"])
    if mode in ("allow", "prefer"):
        return plain, {}
    return plain, {"ssl_context": False if mode == "disable" else _context(mode, str(root) if root else None)}


def _context(mode: str, root: str | None) -> ssl.SSLContext:
    """Whom it believes: `verify-full` an authority and the host's name, `verify-ca` an authority, `require` anybody."""
    context = ssl.create_default_context(cafile=root) if mode != "require" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_NONE if mode == "require" else ssl.CERT_REQUIRED
    return context
