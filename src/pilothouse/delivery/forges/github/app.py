"""GitHub Apps: a signed token for the App, and short-lived ones for each of its installations.

Source: https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping

from pilothouse.delivery.forges.errors import AccessError
from pilothouse.delivery.forges.remote.calling import Authorize, Caller, segment
from pilothouse.delivery.forges.remote.reading import one
from pilothouse.delivery.forges.remote.secrets import Secret

# GitHub takes at most ten minutes, and clocks differ.
_LIFE_SECONDS, _EARLIER_SECONDS = 540, 60
_RENEWED_BEFORE_SECONDS = 300.0


class App:
    """One App; may be used from any thread."""

    def __init__(self, app_id: str, key: Secret, caller: Callable[[Authorize], Caller],
                 clock: Callable[[], float] = time.time) -> None:  # fmt: skip
        """`caller` makes what asks with given headers."""
        self._app_id, self._key, self._clock = app_id, key, clock
        self._caller = caller(self._as_app)
        self._lock = threading.Lock()
        self._installations: dict[str, int] = {}
        self._tokens: dict[int, tuple[str, float]] = {}

    def slug(self) -> str:
        """The App's name: `SLUG[bot]` is its login."""
        return one(self._caller.get("/app")).text("slug")

    def owners(self) -> list[str]:
        """Whose repositories it is installed for."""
        for node in self._caller.pages("/app/installations"):
            installation = one(node)
            owner = installation.node("account").text("login")
            with self._lock:
                self._installations[owner.lower()] = installation.number("id")
        with self._lock:
            return sorted(self._installations)

    def token(self, owner: str, anew: bool = False) -> str:
        """A token for an owner's repositories; a new one shortly before it ends. Raises `AccessError`."""
        installation = self._installation(owner)
        with self._lock:
            token, ends = self._tokens.get(installation, ("", 0.0))
        if token and not anew and ends - self._clock() > _RENEWED_BEFORE_SECONDS:
            return token
        made = one(self._caller.send("POST", f"/app/installations/{installation}/access_tokens"))
        token, ends = made.text("token"), made.moment("expires_at")
        with self._lock:
            self._tokens[installation] = (token, ends)
        return token

    def _installation(self, owner: str) -> int:
        with self._lock:
            known = self._installations.get(owner.lower())
        if known is None:
            self.owners()
            with self._lock:
                known = self._installations.get(owner.lower())
        if known is None:
            raise AccessError(f"the GitHub App is not installed for {segment(owner)}: install it there first")
        return known

    def _as_app(self, anew: bool) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self._jwt()}"}

    def _jwt(self) -> str:
        """A JSON Web Token (RFC 7519) signed with RS256, for the next nine minutes."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(self._key.read().encode(), None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, rsa.RSAPrivateKey):
            # What cannot be read may be a part of the key: it is not repeated.
            raise AccessError(f"{self._key.place}: is no RSA private key in PEM")
        now = int(self._clock())
        claims = {"iat": now - _EARLIER_SECONDS, "exp": now + _LIFE_SECONDS, "iss": self._app_id}
        signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
        signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(signature)}"


def _part(content: Mapping[str, object]) -> str:
    return _encoded(json.dumps(content, separators=(",", ":")).encode())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
