"""Which of the forges somebody means: by its name, or the only one there is."""

from __future__ import annotations

from collections.abc import Collection

from pilothouse.delivery.forges.errors import InvalidError


def chosen(names: Collection[str], name: str = "") -> str:
    """The name of the forge that is meant; empty when there is none at all and none was named.

    Nothing is guessed: the same `OWNER/NAME` may be on two forges, and be two people's. Raises `InvalidError` that says
    which forges there are.
    """
    known = ", ".join(sorted(names)) or "none"
    if name:
        if name not in names:
            raise InvalidError(f"there is no forge {name[:63]!r} here; there are: {known}")
        return name
    if len(names) > 1:
        example = sorted(names)[0]
        raise InvalidError(f"say on which forge, as in `{example}:OWNER/NAME`; there are: {known}")
    return next(iter(names), "")


def parted(place: str) -> tuple[str, str]:
    """Forge and repository of `FORGE:OWNER/NAME`; without a forge, its name is empty."""
    forge, colon, repository = place.partition(":")
    return (forge, repository) if colon else ("", place)
