"""Commands in a comment: lines that begin with a slash, outside of code and quotations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
_OPEN_FENCE = re.compile(r"^(```|~~~).*\Z", re.MULTILINE | re.DOTALL)
_HIDDEN = re.compile(r"<!--.*?(-->|\Z)", re.DOTALL)
_COMMAND = re.compile(r"^/(?:lh-)?([A-Za-z?][A-Za-z-]*)(?![^\s?])[ \t]*([^\n\r]*)$", re.MULTILINE)
_LONGEST = 65_536


@dataclass(frozen=True, slots=True)
class Command:
    """One line: the word in lower case, and what follows it."""

    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        """What follows, word by word."""
        return self.rest.split()


def plain(text: str) -> str:
    """A comment without code blocks, hidden parts and quotations."""
    text = text[:_LONGEST].replace("\r\n", "\n").replace("\r", "\n")
    text = _OPEN_FENCE.sub("", _FENCE.sub("", _HIDDEN.sub("", text)))
    return "\n".join(line for line in text.split("\n") if not line.startswith((">", "    ", "\t")))


def commands(text: str) -> Iterator[Command]:
    """The commands of a comment, in order."""
    for found in _COMMAND.finditer(plain(text)):
        yield Command(found[1].lower(), found[2].strip())
