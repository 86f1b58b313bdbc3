"""OpenID Connect, the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 6749, RFC 7636).

The library checks signatures and claims (joserfc); what is asked of the provider is three HTTP calls.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pilothouse.masking import masked
from pilothouse.server.access.scopes import SCOPES

if TYPE_CHECKING:
    import httpx

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_LEEWAY_SECONDS = 60


class OpenIdError(Exception):
    """Somebody cannot be signed in; the message may be shown to them."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who signs people in, and what that lets them do.

    `roles` maps `CLAIM:VALUE` (`groups:sre`, `email:ana@example.org`) to a scope; `default_scope` is for everybody
    who can sign in, empty for nothing. `tenant_claim` names the claim that has the tenant, empty for any tenant.
    """

    issuer: str
    client_id: str
    client_secret: str = ""
    default_scope: str = "read"
    roles: Mapping[str, str] | None = None
    tenant_claim: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What has to come back unchanged; kept by the browser while its user is away at the provider."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Attempt:
        """Three fresh secrets."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @classmethod
    def read(cls, text: str) -> Attempt | None:
        """As `write` wrote it."""
        parts = text.split(".")
        return cls(*parts) if len(parts) == 3 and all(parts) else None

    def write(self) -> str:
        """For a cookie."""
        return f"{self.state}.{self.nonce}.{self.verifier}"


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in, with what they may do."""

    name: str
    scopes: tuple[str, ...]
    tenant: str


class OpenId:
    """One provider; its description is asked for when it is first needed."""

    def __init__(self, provider: Provider, client: httpx.Client | None = None) -> None:
        self._provider = provider
        # With the provider: every server without one starts without the client.
        import httpx

        self._client = client or httpx.Client(timeout=10, follow_redirects=False)
        self._known: dict[str, Any] | None = None

    def address(self, attempt: Attempt, redirect: str) -> str:
        """Where to send a browser to sign in. Raises `OpenIdError`."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self._provider.client_id, "redirect_uri": redirect,
            "scope": "openid profile email", "state": attempt.state, "nonce": attempt.nonce,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        endpoint = str(self._described()["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def person(self, attempt: Attempt | None, answer: Mapping[str, str], redirect: str) -> Person:
        """Who came back with this answer in the address. Raises `OpenIdError`."""
        if attempt is None or not hmac.compare_digest(attempt.state.encode(), answer.get("state", "").encode()):
            raise OpenIdError("this sign-in was not begun here, or took too long; begin again")
        if error := answer.get("error"):
            raise OpenIdError(f"the provider says: {answer.get('error_description') or error}"[:300])
        return self._named(self._claims(self._token(answer.get("code", ""), attempt, redirect), attempt))

    def _token(self, code: str, attempt: Attempt, redirect: str) -> str:
        sent = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect,
            "client_id": self._provider.client_id, "code_verifier": attempt.verifier,
        }  # fmt: skip
        import httpx

        secret = self._provider.client_secret
        # RFC 6749, 2.3.1, has both parts form-encoded before they are joined.
        login = httpx.BasicAuth(*(urlencode({"": part})[1:] for part in (self._provider.client_id, secret)))
        endpoint = str(self._described()["token_endpoint"])
        answer = self._asked("POST", endpoint, data=sent, **({"auth": login} if secret else {}))
        if not isinstance(answer.get("id_token"), str):
            raise OpenIdError("the provider sent no ID token")
        return str(answer["id_token"])

    def _claims(self, token: str, attempt: Attempt) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        keys = KeySet.import_key_set(self._asked("GET", str(self._described()["jwks_uri"])))  # type: ignore[arg-type]
        registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._provider.issuer},
            aud={"essential": True, "value": self._provider.client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": attempt.nonce},
            sub={"essential": True},
        )
        try:
            claims = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
            registry.validate(claims)
        except (JoseError, ValueError, KeyError) as error:
            raise OpenIdError(f"the provider's ID token is not good: {error}"[:300]) from None
        return dict(claims)

    def _named(self, claims: Mapping[str, Any]) -> Person:
        provider = self._provider
        found = {provider.default_scope} if provider.default_scope else set()
        for rule, scope in (provider.roles or {}).items():
            claim, _, value = rule.partition(":")
            # An address that the provider has not verified is anybody's to claim.
            if claim == "email" and claims.get("email_verified") is not True:
                continue
            said = claims.get(claim)
            if value in (said if isinstance(said, list) else [said]):
                found.add(scope)
        name = str(claims.get("email") or claims.get("preferred_username") or claims["sub"])[:200]
        if not found:
            raise OpenIdError(f"{name} is signed in, and may do nothing here")
        tenant = claims.get(provider.tenant_claim) if provider.tenant_claim else ""
        if provider.tenant_claim and not (isinstance(tenant, str) and tenant):
            raise OpenIdError(f"{name} has no tenant: the claim {provider.tenant_claim} is not there")
        return Person(name, tuple(scope for scope in SCOPES if scope in found), str(tenant))

    def _described(self) -> dict[str, Any]:
        if self._known is None:
            issuer = self._provider.issuer
            found = self._asked("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                raise OpenIdError(f"{issuer} calls itself {found.get('issuer')}; oidc_issuer must be the same text")
            if lacking := {"authorization_endpoint", "token_endpoint", "jwks_uri"} - found.keys():
                raise OpenIdError(f"{issuer} does not say its {', '.join(sorted(lacking))}")
            self._known = found
        return self._known

    def _asked(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        import httpx

        try:
            response = self._client.request(method, address, headers={"accept": "application/json"}, **more)
            content = response.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            raise OpenIdError("the sign-in provider does not answer as it should; try again later") from None
        if not response.is_success or not isinstance(content, dict):
            said = content.get("error_description") or content.get("error") if isinstance(content, dict) else ""
            shown = masked(str(said), *self._shown(more)) if said else response.status_code
            raise OpenIdError(f"the provider refuses: {shown}"[:300])
        return content

    def _shown(self, request: Mapping[str, Any]) -> list[str]:
        """What a provider was shown and may say back: its refusal is shown to who is signing in."""
        login = request.get("auth")
        header = str(login._auth_header).partition(" ")[2] if login else ""
        return [header, self._provider.client_secret, *map(str, request.get("data", {}).values())]
