"""The ports and who answers at them."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pilothouse import __version__
from pilothouse.server.access.building import on_loopback
from pilothouse.server.doctor.model import Finding, failed, ok, warning
from pilothouse.signals.credentials import credentials, show_ours

if TYPE_CHECKING:
    from pilothouse.server.config import Config

_PORTS = {"http": "--http", "otlp_grpc": "--otlp-grpc", "otlp_http": "--otlp-http"}


def status(config: Config) -> dict[str, Any] | None:
    """What a server at the configured address says; None when there is none, {} when it says nothing of use."""
    import httpx

    scheme = "https" if config.tls_cert else "http"
    host, _, port = config.http.rpartition(":")
    place = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - asked here, not bound
    try:
        with httpx.Client(timeout=5, headers=credentials(), verify=_trusted(config)) as client:
            if "Pilothouse" not in client.get(f"{scheme}://{place}:{port}/-/healthy").text:
                return None
            answer = client.get(f"{scheme}://{place}:{port}/api/status")
            return dict(answer.json()) if answer.is_success else {}
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return None


def _trusted(config: Config) -> ssl.SSLContext:
    """For a server on this machine: its own certificate and no other, whichever name it is for."""
    if not config.tls_cert:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.create_default_context(cafile=config.tls_cert)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    show_ours(context)
    return context


def ports(config: Config, status: dict[str, Any] | None) -> Iterator[Finding]:
    """Whether each port is ours or free."""
    for name, flag in _PORTS.items():
        address = getattr(config, name)
        problem = _taken(address)
        if problem is None:
            yield ok(name, f"{address} is free" if status is None else f"{address} is free: the server uses another")
        elif status is not None:
            yield ok(name, f"{address} is answered")
        else:
            remedy = f"stop who has it (`ss -ltnp`), or choose another with {flag}"
            if config.client_ca:
                remedy = (
                    f"is it this server? PILOTHOUSE_CLIENT_CERTIFICATE names a certificate to ask it with; or {remedy}"
                )
            yield failed(name, f"{address}: {problem}", remedy)


def server(config: Config, status: dict[str, Any]) -> Iterator[Finding]:
    """What the server says of itself."""
    if not status:
        yield warning(
            "server", "a server runs, and does not say more", "set PILOTHOUSE_TOKEN to one with the scope read"
        )
        return
    if status["version"] != __version__:
        said = f"the server is {status['version']}, this command {__version__}"
        yield warning("version", said, "restart the server after an upgrade")
    else:
        yield ok("version", f"{__version__}, up {status['uptime_seconds'] / 3600:.1f} h")
    if status["storing"] == "ok":
        yield ok("store", "what comes in is stored")
    else:
        waiting = sum(status["journal_bytes"].values()) / 1e6
        remedy = "see its log; nothing that was acknowledged is lost, it waits in the journal"
        yield failed("store", f"the store refuses what comes in; {waiting:.1f} MB wait", remedy)
    if status["data"] != str(config.data):
        remedy = "ask with the same --config and --data that the server has"
        yield warning("data", f"the server uses {status['data']}, and {config.data} was looked at", remedy)


def access(config: Config) -> Finding:
    """Who may come in."""
    beyond = [getattr(config, name) for name in _PORTS if not on_loopback(getattr(config, name))]
    if not beyond:
        return ok("access", "only this machine can reach the ports")
    if config.insecure:
        return warning(
            "access", f"whoever reaches {beyond[0]} may do everything", "make tokens, and leave --insecure out"
        )
    if not config.tls_cert:
        remedy = "give --tls-cert and --tls-key, or let a proxy before it speak TLS"
        return warning("access", f"tokens cross the network to {beyond[0]} in clear text", remedy)
    return ok("access", "tokens and TLS are asked for")


def _taken(address: str) -> str | None:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, int(port)))
        except OSError as error:
            return "is taken" if error.errno == errno.EADDRINUSE else os.strerror(error.errno or 0)
    return None
