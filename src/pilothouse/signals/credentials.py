"""What our own clients (commands, collectors) show a server: from the environment, where it is in no process list."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


_CERTIFICATE, _KEY = "PILOTHOUSE_CLIENT_CERTIFICATE", "PILOTHOUSE_CLIENT_KEY"


def credentials() -> dict[str, str]:
    """The headers that say who asks: `PILOTHOUSE_TOKEN`, and for which tenant: `PILOTHOUSE_TENANT`."""
    token, tenant = os.environ.get("PILOTHOUSE_TOKEN", ""), os.environ.get("PILOTHOUSE_TENANT", "")
    return {
        **({"authorization": f"Bearer {token}"} if token else {}),
        **({"x-scope-orgid": tenant} if tenant else {}),
    }


class CertificateError(ValueError):
    """Our own certificate cannot be shown; the message names the setting."""


def certificates(server: str) -> ssl.SSLContext:
    """What httpx holds a server's certificate against, and shows it of ours.

    The authorities are the system's, or those in `SSL_CERT_FILE`: to read them takes 50 ms, so that it is done only
    where a server has a certificate. An http address that leads to https all the same finds nobody whom it trusts. Ours
    is the PEM file `PILOTHOUSE_CLIENT_CERTIFICATE`, its key in the same file or in `PILOTHOUSE_CLIENT_KEY`.
    """
    import ssl

    if server.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    import httpx

    try:
        context = httpx.create_ssl_context()
    except OSError as error:
        named = os.environ.get("SSL_CERT_FILE", "")
        raise CertificateError(f"SSL_CERT_FILE={named}: no certificates as PEM: {_reason(error)}") from None
    show_ours(context)
    return context


def show_ours(context: ssl.SSLContext) -> None:
    """Have it show our own certificate, if the environment names one; raises `CertificateError`."""
    shown = {name: os.environ[name] for name in (_CERTIFICATE, _KEY) if os.environ.get(name)}
    if shown and _CERTIFICATE not in shown:
        raise CertificateError(f"{_KEY} is set, and {_CERTIFICATE} is not")
    if shown:
        try:
            # No file asks for a pass phrase on the terminal.
            context.load_cert_chain(shown[_CERTIFICATE], shown.get(_KEY), password=lambda: b"")
        except OSError as error:
            named = " and ".join(f"{name}={path}" for name, path in shown.items())
            reason = f"no certificate with its key, unencrypted, as PEM: {_reason(error)}"
            raise CertificateError(f"{named}: {reason}") from None


def _reason(error: OSError) -> str:
    return str(getattr(error, "reason", "") or error.strerror or error)
