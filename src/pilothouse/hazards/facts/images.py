"""An image reference taken apart (https://github.com/distribution/reference)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=4096)
def image(reference: str) -> dict[str, Any]:
    """`registry`, `repository`, `tag`, `digest`; `mutable` when the same reference can mean another image tomorrow."""
    rest, _, digest = reference.partition("@")
    head, slash, tail = rest.partition("/")
    registry = head if slash and ("." in head or ":" in head or head == "localhost") else "docker.io"
    path = tail if registry != "docker.io" or head == "docker.io" else rest
    repository, colon, tag = path.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = path, ""
    if registry == "docker.io" and "/" not in repository:
        repository = f"library/{repository}"
    return {
        "full": reference,
        "registry": registry,
        "repository": repository,
        "tag": tag,
        "digest": digest,
        "mutable": not digest and tag in ("", "latest"),
    }
