"""The configuration as the API shows it: what holds where the file says nothing, and no secrets."""

from __future__ import annotations

from typing import Any

import yaml

from pilothouse.masking import masked

# What stands where a secret was.
_COVER = "<secret>"
_SECRETS = frozenset(("password", "bearer_token", "credentials", "client_secret", "secret_key", "secrets", "token"))
_GLOBAL = {"scrape_interval": "1m", "scrape_timeout": "10s", "evaluation_interval": "1m"}


def shown(content: Any) -> str:
    """What a configuration file says, as YAML. Its secrets are covered as Prometheus covers them."""
    said = content if isinstance(content, dict) else {}
    whole = {"global": {**_GLOBAL, **(said.get("global") or {})}, **{k: v for k, v in said.items() if k != "global"}}
    return str(yaml.safe_dump(_covered(whole), sort_keys=False, allow_unicode=True))


def _covered(content: Any, below: str = "") -> Any:
    if isinstance(content, dict):
        return {
            key: _COVER if value and _is_secret(key, below) else _covered(value, key) for key, value in content.items()
        }
    if isinstance(content, list):
        return [_covered(one, below) for one in content]
    # As Go's net/url writes an address without its password.
    return masked(content).replace(":***@", ":xxxxx@") if isinstance(content, str) else content


def _is_secret(key: str, below: str) -> bool:
    """Whether a setting is one; a private key is, a label that is called `key` is not."""
    return (key in _SECRETS and below != "labels") or (key == "key" and below == "tls_config")
