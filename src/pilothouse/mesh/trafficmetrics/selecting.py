"""Label selectors as kubectl sends them: which of the listed resources are asked for."""

from __future__ import annotations

from collections.abc import Mapping


class SelectorError(Exception):
    """A selector that is not known here."""


def selected(selector: str, labels: Mapping[str, str] | None) -> bool:
    """Whether a resource's own labels match; one that is not known here has none."""
    if labels is None:
        return False
    for part in filter(None, (one.strip() for one in selector.split(","))):
        name, unequal, value = part.partition("!=")
        if unequal:
            if labels.get(name.strip()) == value.strip():
                return False
            continue
        name, equal, value = part.replace("==", "=").partition("=")
        if part.startswith("!"):
            if part[1:] in labels:
                return False
        elif " " in part.strip():
            raise SelectorError(f"{part!r}: NAME=VALUE, NAME!=VALUE, NAME and !NAME are known")
        elif name.strip() not in labels or (equal and labels[name.strip()] != value.strip()):
            return False
    return True


def equalities(selector: str) -> dict[str, str]:
    """The part of a selector that the list repeats as `matchLabels`."""
    pairs = (part.replace("==", "=").partition("=") for part in selector.split(",") if "=" in part and "!" not in part)
    return {name.strip(): value.strip() for name, _, value in pairs}
