"""Is a request genuine? Compared in constant time, over the very bytes that came, before anything is parsed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

# RFC 2104 with the hashes that forges sign with; SHA-1 is only what old installations can do.
_HASHES = ("sha256", "sha1")


def equal(given: str, wanted: str | bytes) -> bool:
    """Whether a header is the secret itself; an empty secret is nobody's."""
    secret = wanted.encode() if isinstance(wanted, str) else wanted
    return bool(secret) and hmac.compare_digest(secret, given.encode("utf-8", "replace"))


def hexadecimal(secret: bytes, body: bytes, given: str, name: str = "sha256") -> bool:
    """Whether a header is the HMAC of the body in hexadecimal digits."""
    wanted = hmac.new(secret, body, name).hexdigest()
    return bool(secret) and hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace"))


def prefixed(secret: bytes, body: bytes, given: str, allowed: tuple[str, ...] = _HASHES) -> bool | None:
    """Whether a header as `sha256=DIGITS` is the HMAC of the body; None when it is of no known form."""
    name, _, digest = given.partition("=")
    return hexadecimal(secret, body, digest, name) if name in allowed else None


def standard(secret: str, identity: str, timestamp: str, body: bytes, given: str) -> bool:
    """Standard Webhooks, as GitLab signs: `v1,BASE64` of `ID.TIMESTAMP.BODY`; several are separated by spaces.

    The secret is `whsec_` and Base64 (https://www.standardwebhooks.com, GitLab merge request 230944).
    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    signed = f"{identity}.{timestamp}.".encode("utf-8", "replace") + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    found = [one.partition(",")[2].encode("utf-8", "replace") for one in given.split() if one.startswith("v1,")]
    return bool(key) and any(hmac.compare_digest(wanted, one) for one in found)
