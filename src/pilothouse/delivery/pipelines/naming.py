"""Names of what a run creates."""

from __future__ import annotations

import hashlib
import random
import uuid

_LONGEST, _HEAD = 63, 31
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def child(parent: str, suffix: str) -> str:
    """`parent` + `suffix` in at most 63 characters; what is too long is hashed (Knative's `kmeta.ChildName`)."""
    if len(parent) <= _LONGEST - len(suffix):
        return parent + suffix
    if _HEAD - len(suffix) <= 0:
        digest = hashlib.md5((parent + suffix).encode(), usedforsecurity=False).hexdigest()
        name = parent[:_HEAD] + digest
        return (name + suffix[: max(0, _LONGEST - len(name))]).rstrip("-.")
    digest = hashlib.md5(parent.encode(), usedforsecurity=False).hexdigest()
    return parent[: _HEAD - len(suffix)] + digest + suffix


def generated(prefix: str) -> str:
    """`prefix` and five letters, as Kubernetes' `generateName` makes it."""
    return prefix[:58] + "".join(random.choices(_LETTERS, k=5))  # noqa: S311  (a name, not a secret)


def uid() -> str:
    """A new UID."""
    return str(uuid.uuid4())
