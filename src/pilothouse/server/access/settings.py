"""The settings of access that are more than a word: tenants, and who may do what after signing in."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from pilothouse.server.access.callers import DEFAULT_TENANT
from pilothouse.server.access.scopes import SCOPES
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import parse_duration

_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_MOST_TENANTS = 200


def _duration(text: str) -> str:
    try:
        parse_duration(text, "duration")
    except BadRequestError as error:
        raise ValueError(str(error)) from None
    return text


class Tenant(BaseModel):
    """What one tenant has of its own; what is not said is as for everybody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    retention: Annotated[str, AfterValidator(_duration)] | None = None
    requests_per_second: float = Field(0, ge=0, description="of all its callers together; 0: no limit")
    bytes_per_second: float = Field(0, ge=0, description="that all its callers together may send; 0: no limit")


def _named(given: object) -> object:
    """From the environment, or as a list, they are names alone."""
    if isinstance(given, str):
        given = [name.strip() for name in re.split(r"[;,]", given) if name.strip()]
    return {str(name): {} for name in given} if isinstance(given, list) else given


def _checked(given: dict[str, Tenant]) -> dict[str, Tenant]:
    for name in given:
        if not _TENANT.fullmatch(name) or name == DEFAULT_TENANT:
            raise ValueError(
                f"{name!r} cannot be a tenant's name: lower-case letters, digits, - and _, at most 63, "
                f"and not {DEFAULT_TENANT!r}, which is always there"
            )
    if len(given) > _MOST_TENANTS:
        raise ValueError(f"more than {_MOST_TENANTS} tenants are too many for one process; run another one")
    return given


Tenants = Annotated[dict[str, Tenant], BeforeValidator(_named), AfterValidator(_checked)]


def _roles_of(given: object) -> object:
    if not isinstance(given, str):
        return given
    pairs = [part.rpartition("=") for part in given.split(";") if part.strip()]
    return {rule.strip(): scope.strip() for rule, _, scope in pairs}


def _checked_roles(given: dict[str, str]) -> dict[str, str]:
    for rule, scope in given.items():
        if scope not in SCOPES or not all(rule.partition(":")):
            raise ValueError(f"{rule}={scope}: CLAIM:VALUE and one of {', '.join(SCOPES)} are wanted")
    return given


Roles = Annotated[dict[str, str], BeforeValidator(_roles_of), AfterValidator(_checked_roles)]
