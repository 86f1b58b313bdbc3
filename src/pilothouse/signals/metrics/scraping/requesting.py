"""HTTP clients as Prometheus' configuration describes them: who we are, whom we trust, by which way."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from pilothouse import __version__

if TYPE_CHECKING:
    from pilothouse.signals.metrics.configuring import HttpClient, Tls

_VERSIONS = {
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}


class Credentials(httpx.Auth):
    """Reads secrets from their files at each request: they are rotated."""

    def __init__(self, settings: HttpClient, directory: Path) -> None:
        self._settings, self._directory = settings, directory

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if header := self._header():
            request.headers["Authorization"] = header
        yield request

    def _header(self) -> str:
        one = self._settings
        if one.basic_auth:
            user = self._secret(one.basic_auth.username, one.basic_auth.username_file)
            password = self._secret(one.basic_auth.password, one.basic_auth.password_file)
            return str(httpx.BasicAuth(user, password)._auth_header)
        if one.authorization:
            secret = self._secret(one.authorization.credentials, one.authorization.credentials_file)
            return f"{one.authorization.type} {secret}"
        if one.bearer_token or one.bearer_token_file:
            return f"Bearer {self._secret(one.bearer_token, one.bearer_token_file)}"
        return ""

    def _secret(self, text: str, file: str) -> str:
        return (self._directory / file).read_text().strip() if file else text


def client(settings: HttpClient, directory: Path, timeout: float) -> httpx.AsyncClient:
    """A client for these settings; files are relative to `directory`. Raises `OSError` and `ssl.SSLError`."""
    headers = {"User-Agent": f"Pilothouse/{__version__}"}
    for name, said in settings.http_headers.items():
        values = [*said.get("values", ()), *said.get("secrets", ())]
        values += [(directory / file).read_text().strip() for file in said.get("files", ())]
        headers[name] = ", ".join(values)
    return httpx.AsyncClient(
        auth=Credentials(settings, directory),
        headers=headers,
        verify=context(settings.tls_config, directory),
        follow_redirects=settings.follow_redirects,
        timeout=timeout,
        proxy=settings.proxy_url or None,
        trust_env=settings.proxy_from_environment,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=500, keepalive_expiry=300),
    )


def extensions(settings: HttpClient) -> dict[str, Any]:
    """What a request must say of the server's name."""
    name = settings.tls_config.server_name
    return {"sni_hostname": name} if name else {}


def context(tls: Tls, directory: Path) -> ssl.SSLContext:
    """Whom to trust."""
    made = ssl.create_default_context(
        cafile=str(directory / tls.ca_file) if tls.ca_file else None, cadata=tls.ca or None
    )
    if tls.insecure_skip_verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if tls.min_version in _VERSIONS:
        made.minimum_version = _VERSIONS[tls.min_version]
    if tls.max_version in _VERSIONS:
        made.maximum_version = _VERSIONS[tls.max_version]
    if tls.cert_file:
        made.load_cert_chain(directory / tls.cert_file, directory / tls.key_file if tls.key_file else None)
    elif tls.cert:
        # The library reads certificates from files only.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(f"{tls.cert}\n{tls.key}\n")
            file.flush()
            made.load_cert_chain(file.name)
    return made
