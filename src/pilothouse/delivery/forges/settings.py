"""`[forges.NAME]` of the configuration: which forges there are, and how they let us in.

```toml
[forges.github]
token = "env:GITHUB_TOKEN"
webhook_secret = "file:/run/secrets/github-webhook"
repositories = ["acme/shop"]
```
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from pilothouse.delivery.forges.remote.secrets import Secret, SecretError
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import parse_duration

Kind = Literal["github", "gitlab", "forgejo", "gitea"]
KINDS: tuple[Kind, ...] = ("github", "gitlab", "forgejo", "gitea")
_NAME = re.compile(r"^(?!local$)[a-z0-9][a-z0-9.-]{0,62}$")
_URLS = {"github": "https://api.github.com", "gitlab": "https://gitlab.com/api/v4"}


def _place(text: str) -> str:
    if text:
        try:
            Secret(text)
        except SecretError as error:
            raise ValueError(str(error)) from None
    return text


def _seconds(text: str) -> str:
    try:
        parse_duration(text, "poll")
    except BadRequestError as error:
        raise ValueError(str(error)) from None
    return text


Place = Annotated[str, AfterValidator(_place)]
Places = Annotated[list[Place], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)]


def read(given: Mapping[str, Mapping[str, Any]]) -> dict[str, ForgeSettings]:
    """The tables of a configuration, by the forges' names. Raises `ValueError` that names the table and the field."""
    found = {}
    for name, table in given.items():
        if not _NAME.match(name):
            raise ValueError(f"forges.{name[:40]}: a name is of letters, digits, dots and dashes; `local` is built in")
        try:
            found[name] = ForgeSettings(**table).named(name)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = ".".join(map(str, (name, *first["loc"])))
            raise ValueError(f"forges.{where}: {first['msg'].removeprefix('Value error, ')}") from None
    return found


class ForgeSettings(BaseModel):
    """One forge. Secrets are places: `env:NAME` or `file:PATH`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: Kind | Literal[""] = Field("", description="github, gitlab, forgejo or gitea; by its name when not given")
    url: str = Field("", description="of the API; needed for forgejo and gitea: https://forge.example.org/api/v1")
    token: Place = Field("", description="an access token of the user that Pilothouse acts as")
    app_id: str = Field("", description="GitHub only: an App instead of a token")
    app_key: Place = Field("", description="the App's private key, in PEM")
    checks: bool | None = Field(None, description="GitHub only: report checks, not statuses; by default an App does")
    webhook_secret: Places = Field([], description="of the webhooks; two while one replaces the other")
    repositories: list[str] = Field([], description="only these; empty: all that the token may push to")
    poll: Annotated[str, AfterValidator(_seconds)] | Literal[""] = Field(
        "", description="ask so often what happened, where no webhook can reach this server: 30s, 5m"
    )
    timeout: float = Field(20.0, gt=0, le=300, description="seconds that one answer may take")

    @model_validator(mode="after")
    def _whole(self) -> ForgeSettings:
        if bool(self.app_id) != bool(self.app_key):
            raise ValueError("app_id and app_key belong together")
        if not self.token and not self.app_id:
            raise ValueError("token is needed, or for GitHub app_id and app_key")
        if self.url and not self.url.startswith(("https://", "http://")):
            raise ValueError("url: write https://HOST/...")
        return self

    @property
    def polled(self) -> float:
        """Seconds between two looks; 0 for none."""
        return parse_duration(self.poll, "poll") if self.poll else 0.0

    def named(self, name: str) -> ForgeSettings:
        """With the kind and the address that follow from its name. Raises `ValueError`."""
        kind: str = self.kind or (name if name in KINDS else "")
        if not kind:
            raise ValueError(f"forges.{name}.kind: is needed: {', '.join(KINDS)}")
        url = self.url or _URLS.get(kind, "")
        if not url:
            raise ValueError(f"forges.{name}.url: is needed, as https://forge.example.org/api/v1")
        if self.app_id and kind != "github":
            raise ValueError(f"forges.{name}.app_id: is for GitHub only")
        return self.model_copy(update={"kind": kind, "url": url.rstrip("/")})
