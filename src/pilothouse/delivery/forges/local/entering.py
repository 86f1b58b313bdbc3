"""Who asks, by what an HTTP request says of itself."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from pilothouse.delivery.forges.errors import AccessError
from pilothouse.delivery.forges.local.people import PREFIX, Bearer

if TYPE_CHECKING:
    from pilothouse.delivery.forges.local.house import House

# What git and other programs send as the name when only the token counts.
_ANY_NAME = frozenset({"", "token", "x-access-token", "oauth2", "git"})


class UnknownTokenError(AccessError):
    """The token was never given out, is over, or is another's."""


def bearer(house: House, authorization: str) -> Bearer | None:
    """Who an `Authorization` header names: `Bearer TOKEN`, `token TOKEN`, or Basic with the token as the password.

    None when there is no header, or a key of another door: the server's own tokens are not people of the forge. Raises
    `UnknownTokenError` for a token of the forge that does not let anybody in.
    """
    if not authorization:
        return None
    kind, _, rest = authorization.partition(" ")
    login, token = "", rest.strip()
    if kind.lower() == "basic":
        try:
            login, _, token = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise UnknownTokenError("the Authorization header is not Basic, as RFC 7617 has it") from None
    elif kind.lower() not in ("bearer", "token"):
        raise UnknownTokenError("Authorization: send Bearer TOKEN, or Basic with the token as the password")
    # git sends a name alone before it asks for the password.
    if kind.lower() == "basic" and not token and login.lower() not in _ANY_NAME:
        login, token = "", login
    if not token.startswith(PREFIX) and login.lower() in _ANY_NAME:
        return None
    found = house.people.who(token)
    if not found or (login.lower() not in _ANY_NAME and login.lower() != found.user.login.lower()):
        raise UnknownTokenError("this token is not known here; `pilothouse forge token LOGIN` makes one")
    return found
