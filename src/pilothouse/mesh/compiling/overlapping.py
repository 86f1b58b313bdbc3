"""How two matches lie to each other, as far as it can be told from their literal parts."""

from __future__ import annotations

from enum import Enum

from pilothouse.mesh.globbing import contains, disjoint
from pilothouse.mesh.model import HttpMatch


class Overlap(Enum):
    """What the first match is to the second."""

    EQUAL = "equal"
    CONTAINS = "contains"
    WITHIN = "within"
    DISJOINT = "disjoint"
    UNKNOWN = "unknown"


def compared(one: HttpMatch, other: HttpMatch) -> Overlap:
    """What `one` is to `other`: all parts must agree for containment, one that is disjoint is enough to part them."""
    parts = (_paths(one, other), _methods(one, other), _headers(one, other))
    if Overlap.DISJOINT in parts:
        return Overlap.DISJOINT
    found = {part for part in parts if part is not Overlap.EQUAL}
    if not found:
        return Overlap.EQUAL
    return found.pop() if len(found) == 1 else Overlap.UNKNOWN


def _paths(one: HttpMatch, other: HttpMatch) -> Overlap:
    left, right = one.path_regex or "/", other.path_regex or "/"
    if left == right:
        return Overlap.EQUAL
    if disjoint(left, right):
        return Overlap.DISJOINT
    wide, narrow = contains(left, right), contains(right, left)
    if wide and narrow:
        return Overlap.EQUAL
    if left == "/" or wide:
        return Overlap.CONTAINS
    if right == "/" or narrow:
        return Overlap.WITHIN
    return Overlap.UNKNOWN


def _methods(one: HttpMatch, other: HttpMatch) -> Overlap:
    left, right = set(one.methods), set(other.methods)
    if left == right:
        return Overlap.EQUAL
    if not left or (right and left > right):
        return Overlap.CONTAINS
    if not right or left < right:
        return Overlap.WITHIN
    return Overlap.UNKNOWN if left & right else Overlap.DISJOINT


def _headers(one: HttpMatch, other: HttpMatch) -> Overlap:
    """More conditions lie within fewer."""
    left, right = set(one.headers), set(other.headers)
    if left == right:
        return Overlap.EQUAL
    if left < right:
        return Overlap.CONTAINS
    return Overlap.WITHIN if left > right else Overlap.UNKNOWN
