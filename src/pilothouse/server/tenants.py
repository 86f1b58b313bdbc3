"""The tenants of a process: what each one runs with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pilothouse.server.config import Config

# What the process takes in by itself, acts on, or watches is the default tenant's.
_OURS: dict[str, Any] = {
    "prometheus_config": "",
    "profiles_config": "",
    "mesh_config": "",
    "mesh_services": "",
    "mesh": "",
    "pipelines": "",
    "environments": "",
    "kube": False,
    "dashboards": "",
    "backups": "",
    "tenants": {},
    "oidc_issuer": "",
    "insecure": True,
    "require_tokens": False,
    "tls_cert": "",
    "cache_bytes": 0,
}


def tenant_configs(config: Config) -> Iterator[tuple[str, Config]]:
    """Each tenant's name and configuration. Ports, tokens and TLS are the process', not the tenant's."""
    for name, tenant in config.tenants.items():
        own = {
            "data": config.data / "tenants" / name,
            "store": config.store or str(config.data / "store"),
            "retention": tenant.retention or config.retention,
        }
        yield name, config.model_copy(update=_OURS | own)
