"""As whom somebody at a terminal asks a forge: a token from where people keep it, and only for the forge it is of."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from pilothouse.delivery.forges.errors import AccessError
from pilothouse.delivery.forges.interface import Forge
from pilothouse.delivery.forges.locating import Located
from pilothouse.delivery.forges.opening import open_forge, open_with
from pilothouse.delivery.forges.remote.calling import Caller
from pilothouse.delivery.forges.remote.forge import Access
from pilothouse.delivery.forges.remote.secrets import Secret

# A token of the built-in forge, which nobody else is told.
OURS = "phf_"
_SECONDS = 20
_VARIABLES = {
    "github": ("GH_TOKEN", "GITHUB_TOKEN"),
    "gitlab": ("GITLAB_TOKEN",),
    "forgejo": ("FORGEJO_TOKEN", "GITEA_TOKEN"),
    "gitea": ("GITEA_TOKEN",),
}
_ENTERPRISE = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")


def open_as_person(
    place: Located, given: str = "", environment: Mapping[str, str] = os.environ, opened: list[Caller] | None = None
) -> Forge:
    """The forge, asked with the first token of: the one given, the forge's own variable, the clone's address, git's
    credential helper, the configuration (with which it is the user that Pilothouse acts as). Raises `AccessError`.
    """
    whole = place.settings.named(place.name)
    if secret := _found(place, given, environment):
        return open_with(secret, Access(place.name), whole, opened=opened)
    if not place.configured:
        raise AccessError(
            f"no token for {place.host}: set {' or '.join(variables(place, environment))}, say --token, or let git "
            "keep one (git credential approve)"
        )
    return open_forge(place.name, place.settings, opened=opened)


def variables(place: Located, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The variables that hold a token for this host; those of github.com and gitlab.com are for these alone."""
    kind = place.settings.named(place.name).kind
    if kind == "github" and place.host != "github.com":
        return _ENTERPRISE
    if kind == "gitlab" and place.host not in ("gitlab.com", environment.get("GITLAB_HOST", "")):
        return ()
    return _VARIABLES[kind]


def _found(place: Located, given: str, environment: Mapping[str, str]) -> Secret | None:
    if given and not given.startswith(OURS):
        return Secret.given(given, "--token")
    for name in variables(place, environment):
        if environment.get(name, "").strip():
            return Secret(f"env:{name}")
    url = urlsplit(place.address) if "://" in place.address else None
    if url is not None and url.scheme in ("http", "https") and url.password:
        return Secret.given(unquote(url.password), "the token in the clone's address")
    if kept := _kept_by_git(place):
        return Secret.given(kept, "git's credential")
    return None


def _kept_by_git(place: Located) -> str:
    """What git's credential helper has for the host; it is not let ask anybody."""
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "GCM_INTERACTIVE": "never"}
    web = urlsplit(place.settings.named(place.name).url)
    host = place.host if web.port is None else f"{place.host}:{web.port}"
    try:
        done = subprocess.run(
            ["git", "-c", "core.askPass=", "credential", "fill"],  # noqa: S607
            input=f"protocol={web.scheme}\nhost={host}\n\n", capture_output=True, text=True, timeout=_SECONDS,
            check=False, env=os.environ | quiet,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    return lines.get("password", "") if done.returncode == 0 else ""
