"""TLS for HTTP and gRPC; certificates that are renewed on disk are used for connections made from then on."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Certificates:
    """A certificate chain and its key as PEM files, and the authority whose clients alone may connect, if any."""

    def __init__(self, cert: Path, key: Path, client_ca: Path | None = None) -> None:
        """Reads all files once; raises `OSError` that names the file that cannot be used."""
        self._cert, self._key, self._client_ca = cert, key, client_ca
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        if client_ca:
            self._context.verify_mode = ssl.CERT_REQUIRED
            _named(client_ca, lambda: self._context.load_verify_locations(client_ca))
        self._load()
        self._version = self._files()

    def context(self) -> ssl.SSLContext:
        """For the HTTP ports."""
        return self._context

    def credentials(self) -> Any:
        """For the gRPC port."""
        import grpc

        version: tuple[float, ...] = ()

        def current() -> Any:
            nonlocal version
            found = self._files()
            if found == version:
                return None
            try:
                pairs = [(self._key.read_bytes(), self._cert.read_bytes())]
                authority = self._client_ca.read_bytes() if self._client_ca else None
            except OSError:
                return None
            version = found
            return grpc.ssl_server_certificate_configuration(pairs, authority)

        return grpc.dynamic_ssl_server_credentials(current(), current, bool(self._client_ca))

    def renew(self) -> bool:
        """Read the files again when they changed; whether they did. Raises `OSError` and keeps what it has."""
        found = self._files()
        if found == self._version:
            return False
        self._load()
        self._version = found
        return True

    def _load(self) -> None:
        self._key.read_bytes()
        _named(self._cert, lambda: self._context.load_cert_chain(self._cert, self._key))

    def _files(self) -> tuple[float, ...]:
        try:
            return self._cert.stat().st_mtime, self._key.stat().st_mtime
        except OSError:
            return ()


def _named(file: Path, load: Callable[[], None]) -> None:
    try:
        load()
    except (ssl.SSLError, ValueError) as error:
        raise OSError(f"{file}: not a certificate that can be used with its key: {error}") from None
    except OSError as error:
        raise OSError(f"{file}: {error.strerror or error}") from None
