"""What an expression of RE2 says of every text that it matches, as far as plain texts go.

Read character by character, giving up at anything unusual: a wrong answer here would lose lines. The idea is that of
the trigram queries of Google Code Search (R. Cox, "Regular Expression Matching with a Trigram Index", 2012), with whole
texts instead of trigrams.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

Texts = tuple[str, ...]
SHORTEST = 3
MOST = 100
# So many texts may come of putting alternatives after one another.
_MOST_JOINED = 16
_MOST_GROUPS = 50
_PLAIN = re.compile(r"[^\\.+*?()|\[\]{}^$]")
_ESCAPED = re.compile(r"\\([^A-Za-z0-9])")
_CLASS = re.compile(r"\[\^?\]?(?:[^\]\\\[]|\\.)*\]|\\[dwsDWS]|\.")
_SMALL_CLASS = re.compile(r"\[([^\\\-^\[\]]{1,4})\]")
_EDGE = re.compile(r"[\^$]|\\[bB]")
_OPENING = re.compile(r"\((?:\?:|\?P<\w+>|(?!\?))")
_COUNT = re.compile(r"(?:[*+?]|\{(\d+)(?:,\d*)?\})\??")


class UnusualError(ValueError):
    """Something in an expression that is not read here."""


@dataclass(frozen=True, slots=True)
class Told:
    """`exact`: the only texts that match, if they are few (`edges`: at some places only).

    `required`: of each of these, a match contains one.
    """

    exact: Texts | None
    required: tuple[Texts, ...] = ()
    edges: bool = False


_NOTHING = Told(None)


def told(expression: str) -> Told:
    """All that can be told. Raises `UnusualError`."""
    if expression.count("(") > _MOST_GROUPS:
        raise UnusualError("so many groups")
    found, place = _alternatives(expression, 0)
    if place != len(expression):
        raise UnusualError(expression[place:])
    return found


def best(found: Told) -> tuple[Texts, ...]:
    """The two sets of texts that are likely to be in the fewest lines: of long texts, and few."""
    exact = () if found.exact is None else (found.exact,)
    sets = {one: None for one in (*exact, *found.required) if min(map(len, one), default=0) >= SHORTEST}
    return tuple(sorted(sets, key=lambda one: (-min(map(len, one)), len(one)))[:2])


def _alternatives(text: str, place: int) -> tuple[Told, int]:
    found = []
    while True:
        one, place = _row(text, place)
        found.append(one)
        if text[place : place + 1] != "|":
            break
        place += 1
    if len(found) == 1:
        return found[0], place
    edges = any(one.edges for one in found)
    if all(one.exact is not None for one in found):
        exact = tuple(dict.fromkeys(part for one in found for part in one.exact or ()))
        return (Told(exact, (), edges) if len(exact) <= MOST else _NOTHING), place
    sets = [best(one)[:1] for one in found]
    joined = tuple(dict.fromkeys(part for one in sets for of_one in one for part in of_one))
    return (Told(None, (joined,)) if all(sets) and len(joined) <= MOST else _NOTHING), place


def _row(text: str, place: int) -> tuple[Told, int]:
    """Atoms after one another: their texts are put together as long as they are sure and few."""
    run: Texts = ("",)
    required: list[Texts] = []
    whole, edges = True, False
    while place < len(text) and text[place] not in "|)":
        atom, place = _atom(text, place)
        atom, repeated, place = _counted(text, place, atom)
        edges = edges or atom.edges
        joined = _joined(run, atom.exact)
        if joined is None or repeated:
            required.append(joined or run)
            whole, joined = False, atom.exact or ("",)
        required += atom.required
        run = joined
    sets = tuple(one for one in (*required, run) if min(map(len, one)) >= SHORTEST)
    return (Told(run, (), edges) if whole else Told(None, sets)), place


def _joined(run: Texts, after: Texts | None) -> Texts | None:
    if after is None or len(run) * len(after) > max(_MOST_JOINED, len(run), len(after)):
        return None
    return tuple(dict.fromkeys(first + second for first, second in product(run, after)))


def _counted(text: str, place: int, atom: Told) -> tuple[Told, bool, int]:
    """The atom with the quantifier behind it, and whether it may come several times."""
    found = _COUNT.match(text, place)
    if not found:
        return atom, False, place
    place = found.end()
    if text[place : place + 1] in ("*", "+", "?", "{"):
        raise UnusualError(text[place:])
    if found[0].startswith("?") and atom.exact is not None:
        return Told(("", *atom.exact), (), atom.edges), False, place
    if found[0][0] in "*?" or (found[1] and int(found[1]) == 0):
        return _NOTHING, True, place
    return atom, True, place


def _atom(text: str, place: int) -> tuple[Told, int]:
    if found := _PLAIN.match(text, place):
        return Told((found[0],)), found.end()
    if found := _ESCAPED.match(text, place):
        return Told((found[1],)), found.end()
    if found := _EDGE.match(text, place):
        return Told(("",), (), edges=True), found.end()
    if found := _SMALL_CLASS.match(text, place):
        return Told(tuple(dict.fromkeys(found[1]))), found.end()
    if found := _CLASS.match(text, place):
        return _NOTHING, found.end()
    if found := _OPENING.match(text, place):
        inner, place = _alternatives(text, found.end())
        if text[place : place + 1] != ")":
            raise UnusualError(text[place:])
        return inner, place + 1
    raise UnusualError(text[place:])
