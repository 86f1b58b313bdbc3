"""Regular expressions as the globs that Istio's policies take, where both mean the same, and what is known of overlaps.

An expression is taken apart into alternatives of literal text, "anything" (`.*`), "something" (`.+`) and "one path
segment" (`[^/]+`). What has other parts (classes, counted repeats) is not lowered; the caller says that it is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import product
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_MOST_ALTERNATIVES = 64
SEGMENT = "{*}"
"""One segment of letters that Envoy takes in a path: not `=`, not `*` (uri_template_lib/uri_template_internal.cc)."""
_TEMPLATE = re.compile(r"(/({\*}|[-a-zA-Z0-9._~%!$&'()+,;:@]+))+/?")


class Gap(Enum):
    """What is not literal."""

    ANYTHING = ".*"
    SOMETHING = ".+"
    SEGMENT = "[^/]+"


Part = str | Gap


@dataclass(frozen=True, slots=True)
class Shape:
    """One alternative: literal texts and gaps, and whether it ends there (`$`) or anything may follow."""

    parts: tuple[Part, ...]
    ended: bool = False

    @property
    def literal(self) -> str | None:
        """The text, when there are no gaps."""
        return "".join(map(str, self.parts)) if all(isinstance(part, str) for part in self.parts) else None


@lru_cache(maxsize=4096)
def shapes(pattern: str) -> tuple[Shape, ...] | None:
    """The alternatives of an expression, or None when it has parts that are no literals and gaps."""
    try:
        tree = parser.parse(pattern)
    except Exception:
        return None
    found = _sequence(list(tree))
    if found is None or len(found) > _MOST_ALTERNATIVES:
        return None
    return tuple(dict.fromkeys(_joined(shape) for shape in found))


def path_globs(pattern: str) -> tuple[str, ...] | None:
    """Istio's globs for a path expression that is anchored at its start; None when there are none that are equal."""
    return _globs(pattern, open_ended=True)


def value_globs(pattern: str) -> tuple[str, ...] | None:
    """Istio's globs for an expression of a header's whole value; None when there are none that are equal.

    `*` asks for a header that is there, also an empty one (pilot/pkg/security/authz/matcher/header.go): so it is `.*`,
    and nothing is `.+`.
    """
    return _globs(pattern, open_ended=False)


def _globs(pattern: str, open_ended: bool) -> tuple[str, ...] | None:
    found = shapes(pattern)
    if found is None:
        return None
    globs = []
    for shape in found:
        parts = shape.parts
        if open_ended and not shape.ended and parts[-1:] not in ((Gap.ANYTHING,), (Gap.SOMETHING,)):
            parts = (*parts, Gap.ANYTHING)
        glob = _path_glob(parts) if open_ended else _value_glob(parts)
        if glob is None:
            return None
        globs.append(glob)
    return tuple(dict.fromkeys(globs))


def _value_glob(parts: tuple[Part, ...]) -> str | None:
    return None if parts == (Gap.SOMETHING,) else _glob(parts)


def _path_glob(parts: tuple[Part, ...]) -> str | None:
    # No path is empty.
    return "*" if parts == (Gap.SOMETHING,) else _glob(parts) or _template(parts)


def _glob(parts: tuple[Part, ...]) -> str | None:
    text = "".join(part for part in parts if isinstance(part, str))
    if any(letter in text for letter in "*{}"):
        return None
    match parts:
        case (str(),):
            return text
        case (str(), Gap.ANYTHING):
            return f"{text}*"
        case (Gap.ANYTHING, str()):
            return f"*{text}"
        case (Gap.ANYTHING,):
            return "*"
    return None


def _template(parts: tuple[Part, ...]) -> str | None:
    """`/a/{*}/b`: whole segments only, with nothing in them that Envoy takes for no path (RFC 3986)."""
    written = ""
    for place, part in enumerate(parts):
        if isinstance(part, str):
            written += part
            continue
        after = parts[place + 1] if place + 1 < len(parts) else "/"
        if part is not Gap.SEGMENT or not written.endswith("/") or not isinstance(after, str) or after[:1] != "/":
            return None
        written += SEGMENT
    return written if _TEMPLATE.fullmatch(written) else None


def contains(general: str, special: str) -> bool | None:
    """Whether all paths of `special` are paths of `general` (both anchored at the start); None when not known."""
    return _compared(general, special, _covers)


def disjoint(one: str, other: str) -> bool | None:
    """Whether no path matches both; None when not known."""
    left, right = _plain(one), _plain(other)
    if left is None or right is None:
        begin, start = _beginning(one), _beginning(other)
        return None if begin.startswith(start) or start.startswith(begin) else True
    return all(not (_covers(a, b) or _covers(b, a)) for a in left for b in right)


@lru_cache(maxsize=4096)
def _beginning(pattern: str) -> str:
    """The literal text that every path of an expression begins with."""
    try:
        tokens = list(parser.parse(pattern))
    except Exception:
        return ""
    if tokens and tokens[0][0] is op.AT:
        del tokens[0]
    text = ""
    for kind, value in tokens:
        if kind is not op.LITERAL:
            break
        text += chr(value)
    return text


def _compared(general: str, special: str, covers: Any) -> bool | None:
    wide, narrow = _plain(general), _plain(special)
    if wide is None or narrow is None:
        return None
    return all(any(covers(a, b) for a in wide) for b in narrow)


def _plain(pattern: str) -> tuple[tuple[str, bool], ...] | None:
    """Alternatives as (text, whether it is the whole path); None when one is more than a literal."""
    found = shapes(pattern)
    if found is None:
        return None
    plain = []
    for shape in found:
        parts = shape.parts[:-1] if shape.parts[-1:] == (Gap.ANYTHING,) else shape.parts
        if not all(isinstance(part, str) for part in parts):
            return None
        ended = shape.ended and parts == shape.parts
        plain.append(("".join(map(str, parts)), ended))
    return tuple(plain)


def _covers(wide: tuple[str, bool], narrow: tuple[str, bool]) -> bool:
    if wide[1]:
        return narrow == wide
    return narrow[0].startswith(wide[0])


def _sequence(tokens: list[Any]) -> list[Shape] | None:
    options: list[list[Shape]] = []
    for place, (kind, value) in enumerate(tokens):
        found = _token(kind, value, first=place == 0, last=place == len(tokens) - 1)
        if found is None:
            return None
        options.append(found)
        if len(options) > 400:
            return None
    count = 1
    for option in options:
        count *= len(option)
    if count > _MOST_ALTERNATIVES:
        return None
    made = []
    for chosen in product(*options):
        if any(shape.ended for shape in chosen[:-1]):
            return None
        parts = tuple(part for shape in chosen for part in shape.parts)
        made.append(Shape(parts, bool(chosen) and chosen[-1].ended))
    return made


def _token(kind: Any, value: Any, first: bool, last: bool) -> list[Shape] | None:
    if kind is op.LITERAL:
        return [Shape((chr(value),))]
    if kind is op.AT and value in (op.AT_BEGINNING, op.AT_BEGINNING_STRING) and first:
        return [Shape(())]
    if kind is op.AT and value in (op.AT_END, op.AT_END_STRING) and last:
        return [Shape((), ended=True)]
    if kind is op.SUBPATTERN and not value[1] and not value[2]:
        return _sequence(list(value[3]))
    if kind is op.BRANCH:
        branches = [_sequence(list(branch)) for branch in value[1]]
        return None if any(found is None for found in branches) else [s for found in branches for s in found or ()]
    if kind is op.MAX_REPEAT:
        return _repeat(*value)
    return None


def _repeat(least: Any, most: Any, tokens: Any) -> list[Shape] | None:
    inner = list(tokens)
    if most is op.MAXREPEAT and least in (0, 1) and len(inner) == 1:
        kind, value = inner[0]
        if kind is op.ANY:
            return [Shape((Gap.SOMETHING if least else Gap.ANYTHING,))]
        if least and (kind, value) == (op.NOT_LITERAL, ord("/")):
            return [Shape((Gap.SEGMENT,))]
    if (least, most) == (0, 1):
        found = _sequence(inner)
        return None if found is None else [Shape(()), *found]
    return None


def _joined(shape: Shape) -> Shape:
    """Neighbouring literals as one text."""
    parts: list[Part] = []
    for part in shape.parts:
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        elif part != "":
            parts.append(part)
    return Shape(tuple(parts), shape.ended)
