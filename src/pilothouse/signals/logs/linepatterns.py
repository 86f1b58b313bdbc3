"""`<ip> - <_> "<method>`: literals and captures, for `| pattern` and the filters `|>` and `!>`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_CAPTURE = re.compile(r"<([A-Za-z_][A-Za-z0-9_]*)>")


class PatternError(ValueError):
    """A pattern that is none."""


@dataclass(frozen=True, slots=True)
class LinePattern:
    """Alternating `parts`: a capture is (name, True), a literal (text, False); `_` names nothing."""

    parts: tuple[tuple[str, bool], ...]

    def captures(self, line: str) -> dict[str, str]:
        """Each named capture's text; what a missing literal would have ended takes the rest and is the last."""
        found: dict[str, str] = {}
        place = 0
        for number, (text, is_capture) in enumerate(self.parts):
            if not is_capture:
                if number == 0:
                    if not line.startswith(text):
                        return {}
                    place = len(text)
                continue
            literal = self.parts[number + 1][0] if number + 1 < len(self.parts) else None
            end = len(line) if literal is None else line.find(literal, place)
            missed = end < 0
            if text != "_":
                found[text] = line[place:] if missed else line[place:end]
            if missed:
                break
            place = end + len(literal or "")
        return found if line else {}

    def test(self, line: str) -> bool:
        """Whether the line has this form: literals in order, something in each capture, nothing left over."""
        if not line:
            return False
        place = 0
        for number, (text, is_capture) in enumerate(self.parts):
            if is_capture:
                continue
            found = line.find(text, place)
            if found < 0 or (number and found == place):
                return False
            place = found + len(text)
        return self.parts[-1][1] == (place != len(line))


@lru_cache(1024)
def parse_pattern(text: str, captures: bool) -> LinePattern:
    """A pattern with named captures, or (for a line filter) with unnamed ones only."""
    parts: list[tuple[str, bool]] = []
    place = 0
    for found in _CAPTURE.finditer(text):
        if found.start() > place:
            parts.append((text[place : found.start()], False))
        elif parts and parts[-1][1]:
            raise PatternError("found consecutive capture: invalid expression")
        parts.append((found[1], True))
        place = found.end()
    if place < len(text):
        parts.append((text[place:], False))
    names = [name for name, is_capture in parts if is_capture and name != "_"]
    if not parts:
        raise PatternError("syntax error: unexpected $end, expecting IDENTIFIER or LITERAL")
    if captures and not names:
        raise PatternError("at least one capture is required")
    if not captures and names:
        raise PatternError("named captures are not allowed")
    for name in names:
        if names.count(name) > 1:
            raise PatternError(f"duplicate capture name ({name}): invalid expression")
    return LinePattern(tuple(parts))
