"""The port at which Kubernetes' API server asks an aggregated API: TLS, and only for the API server's front proxy.

The API server authenticates and authorizes who asks before it hands a request on (Kubernetes' documentation, "Configure
the Aggregation Layer"); what is left to check here is that the request comes from it.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette

from pilothouse.server.guarding import HANDLERS

if TYPE_CHECKING:
    from pilothouse.server.mesh import LiveMesh


def check_files(directory: Path) -> None:
    """Raises `OSError` that says which file cannot be used."""
    certificate, key, authority = (directory / name for name in ("tls.crt", "tls.key", "ca.crt"))
    for path in (certificate, key, authority):
        if not path.is_file():
            raise OSError(f"aggregated_api_tls: {path} is not there")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authority)
    except ssl.SSLError as error:
        raise OSError(f"aggregated_api_tls: {directory}: {error.reason or error}") from None


def aggregated_app(mesh: LiveMesh | None) -> Starlette:
    """TrafficMetrics and nothing else."""
    return Starlette(routes=mesh.aggregated() if mesh else [], exception_handlers=HANDLERS)


def tls_config(app: Any, directory: Path) -> uvicorn.Config:
    """How to serve `app` with the files of a directory."""
    return uvicorn.Config(
        app, http="httptools", ws="none", log_config=None, access_log=False, server_header=False, lifespan="off",
        timeout_graceful_shutdown=5, ssl_certfile=directory / "tls.crt", ssl_keyfile=directory / "tls.key",
        ssl_ca_certs=str(directory / "ca.crt"), ssl_cert_reqs=ssl.CERT_REQUIRED,
    )  # fmt: skip
