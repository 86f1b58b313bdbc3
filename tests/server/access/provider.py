"""A stand-in for an OpenID provider: discovery, authorization, token and keys, by the specifications."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet


@dataclass
class StandInProvider:
    """Signs in whoever comes as `person`; `spoil` changes the claims or the key of what it signs."""

    client_id: str = "pilothouse"
    client_secret: str = "s3cret:with/odd chars"
    person: dict[str, Any] = field(default_factory=dict)
    spoil: dict[str, Any] = field(default_factory=dict)
    wrong_key: bool = False
    address: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one", "use": "sig"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        return {
            "issuer": self.address, "authorization_endpoint": f"{self.address}/authorize?from=here",
            "token_endpoint": f"{self.address}/token", "jwks_uri": f"{self.address}/keys",
        }  # fmt: skip

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to, once its user has said yes."""
        assert asked["response_type"] == "code"
        assert asked["client_id"] == self.client_id
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, sent: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        login = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        quoted = ":".join(urlencode({"": part})[1:] for part in (self.client_id, self.client_secret))
        asked = self.codes.pop(sent.get("code", ""), None)
        if login != quoted:
            return 401, {"error": "invalid_client"}
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not asked or asked["redirect_uri"] != sent["redirect_uri"] or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant", "error_description": "the code is not good"}
        claims = {
            "iss": self.address, "aud": self.client_id, "sub": "42", "exp": int(time.time()) + 60,
            "iat": int(time.time()), "nonce": asked["nonce"], **self.person, **self.spoil,
        }  # fmt: skip
        key = ECKey.generate_key("P-256", {"kid": "one"}) if self.wrong_key else self.key
        return 200, {"token_type": "Bearer", "id_token": jwt.encode({"alg": "ES256", "kid": "one"}, claims, key)}


@contextmanager
def provider(**settings: Any) -> Iterator[StandInProvider]:
    """One that listens on loopback."""
    found = StandInProvider(**settings)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(303)
                self.send_header("location", found.authorize(asked))
                self.end_headers()
                return
            known = {
                "/.well-known/openid-configuration": found.described(),
                "/keys": KeySet([found.key]).as_dict(private=False),
            }
            self._say(200 if parts.path in known else 404, known.get(parts.path, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            sent = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(*found.token(sent, self.headers.get("authorization", "")))

        def _say(self, status: int, content: dict[str, Any]) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
