"""Which names the built-in forge takes. What is checked here needs no quoting anywhere else."""

from __future__ import annotations

import re

from pilothouse.delivery.forges.errors import InvalidError
from pilothouse.delivery.forges.model import PERMISSIONS, Permission

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")
_HASH = re.compile(r"[0-9a-f]{40}")
# What `git check-ref-format` refuses, and a leading dash, which could be taken for an option.
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|/\.|[/.]$|\.lock(?:/|$)|^@$")
_LONGEST_REF = 244
_CONTEXT = re.compile(r"[^\x00-\x1f\x7f]{1,255}")


def name(text: str, what: str) -> str:
    """The name of a user, an organisation or a repository. Raises `InvalidError`."""
    if not _NAME.fullmatch(text) or ".." in text or text.lower().endswith((".git", ".lock")):
        raise InvalidError(
            f"{what}: {text[:80]!r} cannot be a name: letters, digits, dots, dashes and underscores, at most 64, "
            "beginning with a letter or a digit"
        )
    return text


def full_name(text: str) -> tuple[str, str]:
    """`OWNER/NAME` in its two parts. Raises `InvalidError`."""
    owner, slash, own = text.partition("/")
    if not slash:
        raise InvalidError(f"{text[:80]!r} is not OWNER/NAME, for example shop/cart")
    return name(owner, "owner"), name(own, "repository")


def branch(text: str) -> str:
    """The name of a branch or a tag, without `refs/`. Raises `InvalidError`."""
    if not text or len(text.encode()) > _LONGEST_REF or _BAD_REF.search(text) or text.startswith("refs/"):
        raise InvalidError(f"{text[:80]!r} cannot be the name of a branch or a tag (see git check-ref-format)")
    return text


def is_ref(text: str) -> bool:
    """Whether it is a whole ref that git takes: `refs/heads/main`."""
    return text.startswith("refs/") and len(text.encode()) <= _LONGEST_REF and not _BAD_REF.search(text)


def is_hash(text: str) -> bool:
    """Whether it is a commit's whole hash."""
    return bool(_HASH.fullmatch(text))


def path(text: str) -> str:
    """A file's path from the repository's root. Raises `InvalidError`."""
    parts = text.split("/")
    if "\0" in text or not text or any(part in ("", ".", "..") or _is_git(part) for part in parts):
        raise InvalidError(f"{text[:80]!r} is not a path within a repository")
    return text


def permission(text: str) -> Permission:
    """A permission. Raises `InvalidError`."""
    for known in PERMISSIONS:
        if text == known:
            return known
    raise InvalidError(f"{text[:80]!r} is no permission; there are {', '.join(PERMISSIONS)}")


def line(text: str, what: str, most: int = 255) -> str:
    """A text of one line. Raises `InvalidError`."""
    if not 0 < len(text) <= most or not _CONTEXT.match(text) or "\n" in text:
        raise InvalidError(f"{what}: {text[:80]!r} is not a line of 1 to {most} characters")
    return text


def _is_git(part: str) -> bool:
    """Whether some file system takes it for `.git`."""
    return part.lower().rstrip(". ").partition(":")[0] in (".git", "git~1")
