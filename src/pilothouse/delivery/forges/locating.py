"""Which forge and repository somebody at a terminal means: by the address of the clone, or by `FORGE:OWNER/NAME`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from pilothouse.delivery.forges.errors import InvalidError
from pilothouse.delivery.forges.settings import ForgeSettings, Kind

# What everybody knows, by the host that people see: what it is called here, its kind, its API, and the variable that
# has its token.
_KNOWN: dict[str, tuple[str, Kind, str, str]] = {
    "github.com": ("github", "github", "https://api.github.com", "GITHUB_TOKEN"),
    "gitlab.com": ("gitlab", "gitlab", "https://gitlab.com/api/v4", "GITLAB_TOKEN"),
    "codeberg.org": ("codeberg", "forgejo", "https://codeberg.org/api/v1", "FORGEJO_TOKEN"),
}
_SCP = re.compile(r"^(?:[^@/:]+@)?([^/:@]+):(?!//)(.+)$")
_API = re.compile(r"/api(?:/v\d+)?/?$")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Located:
    """A repository on a forge elsewhere. `host` is what people see of the forge, `configured` whether the settings are
    of the configuration, `address` where the clone is from, empty when it was named.
    """

    name: str
    settings: ForgeSettings
    repository: str
    host: str
    configured: bool = False
    address: str = ""


def located(address: str, configured: Mapping[str, ForgeSettings]) -> Located | None:
    """What a clone's address leads to; None when no forge is known there."""
    url = _split(address)
    if url is None or not url.hostname:
        return None
    for name, settings in configured.items():
        web = _web(settings)
        if _same(url, web):
            path = unquote(url.path).removeprefix(web.path.rstrip("/"))
            return Located(name, settings, _repository(path), web.hostname or "", True, address)
    host = url.hostname.lower()
    return _known(host, _repository(unquote(url.path)), address) if host in _KNOWN else None


def named(forge: str, repository: str, configured: Mapping[str, ForgeSettings]) -> Located:
    """A repository on the forge of that name. Raises `InvalidError` that says which names there are."""
    if forge in configured:
        return Located(forge, configured[forge], repository, _web(configured[forge]).hostname or "", True)
    for host, (name, *_) in _KNOWN.items():
        if forge in (host, name):
            return _known(host, repository)
    there = ", ".join(dict.fromkeys(["local", *configured, *(name for name, *_ in _KNOWN.values())]))
    raise InvalidError(
        f"there is no forge {forge[:63]!r}; there are: {there}. Another one is a table [forges.NAME] with kind and url "
        "in pilothouse.toml"
    )


def _known(host: str, repository: str, address: str = "") -> Located:
    name, kind, url, variable = _KNOWN[host]
    return Located(name, ForgeSettings(kind=kind, url=url, token=f"env:{variable}"), repository, host, False, address)


def host_of(address: str) -> str:
    """The host in a clone's address, for people; empty for a path."""
    url = _split(address)
    return (url.hostname or "") if url else ""


def _split(address: str) -> SplitResult | None:
    """`https://HOST/...`, `ssh://git@HOST/...`, `git@HOST:OWNER/NAME.git`; None for a path."""
    if "://" not in address:
        found = _SCP.match(address)
        address = f"ssh://{found[1]}/{found[2].lstrip('/')}" if found else ""
    try:
        url = urlsplit(address)
        int(url.port or 0)  # read when it is asked for: one that is no number is an error
    except ValueError:
        return None
    return url if url.scheme else None


def _web(settings: ForgeSettings) -> SplitResult:
    """Where people see the forge whose API this is."""
    if settings.url == "https://api.github.com":
        return urlsplit("https://github.com")
    return urlsplit(_API.sub("", settings.url))


def _same(url: SplitResult, web: SplitResult) -> bool:
    """Over ssh the port is another one; over HTTP two forges may be on one host."""
    if (url.hostname or "").lower() != (web.hostname or "").lower():
        return False
    ports = [one.port or _PORTS.get(one.scheme) for one in (url, web)]
    return url.scheme not in _PORTS or ports[0] == ports[1]


def _repository(path: str) -> str:
    return path.strip("/").removesuffix(".git")
