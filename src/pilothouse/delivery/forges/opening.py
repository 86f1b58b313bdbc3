"""From the configuration to forges that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pilothouse.delivery.forges.interface import Forge
from pilothouse.delivery.forges.remote.calling import Authorize, Caller
from pilothouse.delivery.forges.remote.forge import Access
from pilothouse.delivery.forges.remote.secrets import Secret
from pilothouse.delivery.forges.settings import ForgeSettings

_GITHUB = "application/vnd.github+json"


def open_forge(name: str, settings: ForgeSettings, transport: Any = None, opened: list[Caller] | None = None) -> Forge:
    """A forge of the configuration. Nothing is asked yet. Raises `ValueError` for settings that do not fit.

    What asks is added to `opened`, for who wants to close it.
    """
    whole = settings.named(name)
    access = Access(name, tuple(whole.repositories))
    if not whole.app_id:
        return open_with(Secret(whole.token), access, whole, transport, opened)
    from pilothouse.delivery.forges.github.entering import AppEntry
    from pilothouse.delivery.forges.github.forge import GitHubForge

    entry = AppEntry(whole.app_id, Secret(whole.app_key), _calling(name, whole, transport, opened))
    return GitHubForge(access, entry, whole.checks)


def open_with(
    token: Secret, access: Access, whole: ForgeSettings, transport: Any = None, opened: list[Caller] | None = None
) -> Forge:
    """A forge as whom this token is of, whatever the settings say of that; they have their kind and address."""
    caller = _calling(access.name, whole, transport, opened)
    if whole.kind == "github":
        from pilothouse.delivery.forges.github.entering import TokenEntry
        from pilothouse.delivery.forges.github.forge import GitHubForge

        return GitHubForge(access, TokenEntry(token, caller), whole.checks)
    if whole.kind == "gitlab":
        from pilothouse.delivery.forges.gitlab.forge import GitLabForge

        return GitLabForge(access, token, caller(_header("private-token", "", token)))
    from pilothouse.delivery.forges.forgejo.forge import ForgejoForge

    return ForgejoForge(access, token, caller(_header("authorization", "token ", token)))


def _calling(
    name: str, whole: ForgeSettings, transport: Any, opened: list[Caller] | None
) -> Callable[[Authorize], Caller]:
    accept = _GITHUB if whole.kind == "github" else "application/json"

    def caller(authorize: Authorize) -> Caller:
        made = Caller(name, whole.url, authorize, accept, whole.timeout, transport=transport)
        if opened is not None:
            opened.append(made)
        return made

    return caller


def _header(name: str, prefix: str, token: Secret) -> Authorize:
    def authorize(anew: bool) -> Mapping[str, str]:
        return {name: f"{prefix}{token.read()}"}

    return authorize
