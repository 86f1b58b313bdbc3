"""Mutual TLS between proxies: each shows its SPIFFE certificate and asks for the other's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"


def server_tls(directory: Path, proxy: str) -> dict[str, Any]:
    """The inbound listener's socket: a caller without a certificate of our authority is not let in."""
    config = {"@type": f"{_TLS}.DownstreamTlsContext", "require_client_certificate": True}
    return _socket(config | {"common_tls_context": _common(directory, proxy, [])})


def client_tls(directory: Path, proxy: str, identity: str) -> dict[str, Any]:
    """A cluster's socket: only the given SPIFFE identity is spoken to."""
    matcher = {"san_type": "URI", "matcher": {"exact": identity}}
    config = {"@type": f"{_TLS}.UpstreamTlsContext", "common_tls_context": _common(directory, proxy, [matcher])}
    return _socket(config)


def _common(directory: Path, proxy: str, names: list[dict[str, Any]]) -> dict[str, Any]:
    validation: dict[str, Any] = {"trusted_ca": {"filename": str(directory / "authority.pem")}}
    if names:
        validation["match_typed_subject_alt_names"] = names
    return {
        "tls_certificates": [
            {
                "certificate_chain": {"filename": str(directory / f"{proxy}.pem")},
                "private_key": {"filename": str(directory / f"{proxy}.key")},
            }
        ],
        "validation_context": validation,
    }


def _socket(config: dict[str, Any]) -> dict[str, Any]:
    return {"name": "envoy.transport_sockets.tls", "typed_config": config}
