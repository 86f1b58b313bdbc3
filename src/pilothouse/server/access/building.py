"""From the configuration to what decisions are made from; refuses what would leave a server open by accident."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import Engine

from pilothouse.server.access.admission import Access
from pilothouse.server.access.auditing import AuditLog
from pilothouse.server.access.callers import DEFAULT_TENANT
from pilothouse.server.access.certificates import Certificates
from pilothouse.server.access.limiting import Rates
from pilothouse.server.access.token_files import TokenFile
from pilothouse.server.access.tokens import TokenStore

if TYPE_CHECKING:
    from pilothouse.server.access.openid import OpenId
    from pilothouse.server.config import Config

_PORTS = ("http", "otlp_grpc", "otlp_http")


class OpenServerError(OSError):
    """The server would be open to a network without anybody having said that it may be."""


def access_of(config: Config, database: Engine) -> Access:
    """Raises `OpenServerError` when others could reach the ports and no token is there that could be asked for."""
    file = TokenFile(Path(config.tokens_file)) if config.tokens_file else None
    tokens, beyond = TokenStore(database, file), [name for name in _PORTS if not on_loopback(getattr(config, name))]
    required = (config.require_tokens or bool(beyond)) and not config.insecure
    if required and not config.oidc_issuer and tokens.empty:
        why = f"{getattr(config, beyond[0])} can be reached by others" if beyond else "require_tokens is set"
        raise OpenServerError(
            f"{why}, and there is no token to ask for: make one with `pilothouse token create NAME --scope admin`, "
            "or say --insecure if whoever reaches it may do everything"
        )
    each = Rates(config.requests_per_second, config.bytes_per_second)
    tenants = {DEFAULT_TENANT: Rates()}
    for name, one in config.tenants.items():
        tenants[name] = Rates(one.requests_per_second, one.bytes_per_second)
    external = urlsplit(config.external_url).netloc
    return Access(tokens, AuditLog(database), required, config.read_only, external, tenants, each)


def openid_of(config: Config) -> OpenId | None:
    """The provider that signs people in, when there is one."""
    if not config.oidc_issuer:
        return None
    # With its HTTP client, which every other start would wait for.
    from pilothouse.server.access.openid import OpenId, Provider

    secret = config.oidc_client_secret.get_secret_value()
    return OpenId(
        Provider(
            config.oidc_issuer, config.oidc_client_id, secret, config.oidc_scope, config.oidc_roles,
            config.oidc_tenant_claim,
        )
    )  # fmt: skip


def certificates_of(config: Config) -> Certificates | None:
    """The certificate to show, when there is one. Raises `OSError` that names a file that cannot be used."""
    if not config.tls_cert:
        return None
    client_ca = Path(config.client_ca) if config.client_ca else None
    return Certificates(Path(config.tls_cert), Path(config.tls_key or config.tls_cert), client_ca)


def on_loopback(address: str) -> bool:
    """Whether only this machine can reach HOST:PORT."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
