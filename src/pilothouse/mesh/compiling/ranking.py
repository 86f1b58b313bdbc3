"""Linkerd does not take the first rule that matches: it takes the match that says most.

Of all matches that hold, the proxy compares the length of what the path matched (a regular expression always matches
the whole path; no path counts as the prefix `/`), then whether a method is asked for, then how many headers are; only
what is equal in all of these goes by order (linkerd2-proxy, linkerd/http/route: `find` and `RequestMatch` at 3865944,
`PathMatch` at 7cc8fef). So the order of branches is said in those terms, and what cannot be said is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pilothouse.mesh.compiling.overlapping import Overlap, compared
from pilothouse.mesh.compiling.routing import Branch
from pilothouse.mesh.model import METHODS, HttpMatch

_ANY_PATH = ".*"


def with_path(match: HttpMatch) -> HttpMatch:
    """The same match with an expression for any path, so that paths never decide."""
    return match if match.path_regex else replace(match, path_regex=_ANY_PATH)


def ranked(branches: Sequence[Branch], lose: Callable[[Branch, str], None]) -> tuple[Branch, ...]:
    """Branches whose earlier ones also count first where more of them match; `lose` is told what was left out."""
    methods = _asking_for_methods(branches)
    made: list[Branch] = []
    earlier: list[HttpMatch] = []
    for branch in branches:
        kept: list[HttpMatch] = []
        for match in branch.matches:
            over = next((other for other in earlier if _counts_first(match, other, methods)), None)
            if over is None:
                kept.append(match)
            else:
                lose(branch, f"match {match.name} would count before {over.name} in Linkerd, since it asks for more")
        earlier += kept
        said = [one for match in kept for one in _said(match, match in methods)]
        if kept or not branch.matches:
            made.append(replace(branch, matches=tuple(said)))
    return tuple(made)


def _asking_for_methods(branches: Sequence[Branch]) -> set[HttpMatch]:
    """Matches of any method that also have to name methods, since a later one that may hold too does."""
    found: set[HttpMatch] = set()
    later: list[HttpMatch] = []
    for branch in reversed(branches):
        for match in branch.matches:
            if not match.methods and any(
                (other.methods or other in found) and compared(match, other) is not Overlap.DISJOINT for other in later
            ):
                found.add(match)
        later += branch.matches
    return found


def _counts_first(match: HttpMatch, other: HttpMatch, methods: set[HttpMatch]) -> bool:
    """Whether a match says more than an earlier one that may hold too."""
    mine, its = ((bool(one.methods) or one in methods, len(one.headers)) for one in (match, other))
    return mine > its and compared(other, match) is not Overlap.DISJOINT


def _said(match: HttpMatch, methods: bool) -> list[HttpMatch]:
    # Methods that have no name here are still taken by the match as it is.
    whole = with_path(match)
    return [replace(whole, methods=METHODS), whole] if methods else [whole]
