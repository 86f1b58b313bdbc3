"""From the configuration to forges that can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilothouse.delivery.forges.interface import Forge
from pilothouse.delivery.forges.remote.calling import Authorize, Caller
from pilothouse.delivery.forges.remote.forge import Access
from pilothouse.delivery.forges.remote.secrets import Secret
from pilothouse.delivery.forges.settings import ForgeSettings

_GITHUB = "application/vnd.github+json"


def open_forge(name: str, settings: ForgeSettings, transport: Any = None) -> Forge:
    """A forge of the configuration. Nothing is asked yet. Raises `ValueError` for settings that do not fit."""
    whole = settings.named(name)
    access = Access(name, tuple(whole.repositories))

    def caller(authorize: Authorize) -> Caller:
        accept = _GITHUB if whole.kind == "github" else "application/json"
        return Caller(name, whole.url, authorize, accept, whole.timeout, transport=transport)

    if whole.kind == "github":
        from pilothouse.delivery.forges.github.entering import AppEntry, Entry, TokenEntry
        from pilothouse.delivery.forges.github.forge import GitHubForge

        entry: Entry
        if whole.app_id:
            entry = AppEntry(whole.app_id, Secret(whole.app_key), caller)
        else:
            entry = TokenEntry(Secret(whole.token), caller)
        return GitHubForge(access, entry, whole.checks)
    token = Secret(whole.token)
    if whole.kind == "gitlab":
        from pilothouse.delivery.forges.gitlab.forge import GitLabForge

        return GitLabForge(access, token, caller(_header("private-token", "", token)))
    from pilothouse.delivery.forges.forgejo.forge import ForgejoForge

    return ForgejoForge(access, token, caller(_header("authorization", "token ", token)))


def _header(name: str, prefix: str, token: Secret) -> Authorize:
    def authorize(anew: bool) -> Mapping[str, str]:
        return {name: f"{prefix}{token.read()}"}

    return authorize
