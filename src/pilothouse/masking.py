"""Secrets that got into a text, and are left out of it before it is logged, shown or kept.

What is known to be a secret is not put into texts to begin with. This is for what others say: a library's error repeats
the address that was asked, and people write passwords and tokens into addresses.
"""

from __future__ import annotations

import re

_COVER = "***"
_COVERED = (
    # The password of an address, those too that should have been quoted: up to the last @.
    (re.compile(r"(://[^:/@\s]*):[^\s\"',]+@"), rf"\1:{_COVER}@"),
    # A token in the place of a user's name, as git takes it.
    (re.compile(r"(://)[^:/@\s\"',]{20,}@"), rf"\1{_COVER}@"),
    (
        re.compile(r"(?i)([?&][\w.-]*(?:password|passwd|secret|token|api_?key|access_?key|signature)=)[^&\s\"',]+"),
        rf"\1{_COVER}",
    ),
    (re.compile(r"(?i)\b(authorization\W{1,4}\w+|bearer) +[\w.~+/=-]{8,}"), rf"\1 {_COVER}"),
    # Our own tokens, the forge's too.
    (re.compile(r"\b(ph[tf]_)[\w-]{20,}"), rf"\1{_COVER}"),
)


def masked(text: str, *secrets: str) -> str:
    """The text without passwords of addresses, secrets in their queries, credentials of headers and our own tokens.

    `secrets` are those that are known: what is shown one may say it back.
    """
    for secret in filter(None, secrets):
        text = text.replace(secret, _COVER)
    for pattern, cover in _COVERED:
        text = pattern.sub(cover, text)
    return text
