"""References to container images: `registry:5000/acme/shop:1.2.3@sha256:...` (distribution/reference)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pilothouse.delivery.environments.errors import EditError

_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}(@sha256:[0-9a-f]{64})?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True)
class Image:
    """A reference's parts; `tag` and `digest` may be empty."""

    name: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Image:
        """From a reference as manifests write it."""
        rest, _, digest = text.partition("@")
        name, colon, tag = rest.rpartition(":")
        if not colon or "/" in tag:
            name, tag = rest, ""
        return cls(name, tag, digest)

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def is_called(self, name: str) -> bool:
        """Whether it is the named image; a name without a slash fits it in any registry."""
        return name in (self.name, self.name.rpartition("/")[2])

    def at(self, version: str, prefix: str) -> Image:
        """The image at another version, `TAG` or `TAG@sha256:...`. Raises `EditError`: no digest may stay behind."""
        tag, _, digest = version.partition("@")
        if not _TAG.fullmatch(prefix + tag):
            raise EditError(f"{prefix + tag!r}: is no tag that an image can have")
        if self.digest and not digest:
            raise EditError(
                f"{self}: is pinned by its digest, which would stay the old one; promote VERSION@sha256:DIGEST"
            )
        return Image(self.name, prefix + tag, digest)


def checked_version(version: str) -> str:
    """The version, when it is one that can be written anywhere. Raises `EditError`."""
    if not _VERSION.fullmatch(version):
        raise EditError(f"{version[:80]!r}: is no version; write it as 1.2.3 or 1.2.3@sha256:DIGEST")
    return version


def without(version: str, prefix: str) -> str:
    """A version as it is called elsewhere: without what stands before it, and without a digest."""
    return version.partition("@")[0].removeprefix(prefix)
