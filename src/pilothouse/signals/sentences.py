"""Sentences that can be said in other languages: the text, and beside it the template and the values it was made of.

Whoever reads text reads text: a `Sentence` is a `str`. Whoever speaks another language looks its template up in a table
of their own and fills in the same values, as gettext does with message ids (docs/adr/0113). What is a sentence inside
a sentence stays one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

# Names of the holes of lists: a, b, c, ...
_NAMES = "abcdefghijklmnopqrstuvwxyz"


class Sentence(str):
    """English text with its parts; `template` has `{name}` where a value stands."""

    template: str
    values: dict[str, str]

    def parts(self) -> dict[str, Any]:
        """`template` and `values`, as JSON; a value that is a sentence has parts too."""
        values = {name: one.parts() if isinstance(one, Sentence) else one for name, one in self.values.items()}
        return {"template": self.template, "values": values}


def sentence(template: str, **values: object) -> Sentence:
    """The text of a template, which must be a literal: translators find it in the source."""
    held = {name: one if isinstance(one, str) else str(one) for name, one in values.items()}
    made = Sentence(template.format_map(held))
    made.template, made.values = template, held
    return made


def joined(separator: str, texts: Sequence[str]) -> str:
    """A list as one sentence; a single text is itself."""
    if len(texts) < 2:
        return texts[0] if texts else ""
    held = dict(zip(_NAMES, texts, strict=False))
    return sentence(separator.join(f"{{{name}}}" for name in held), **held)


def parts_of(text: str) -> dict[str, Any] | None:
    """The parts of what may be a sentence."""
    return text.parts() if isinstance(text, Sentence) else None


def from_parts(parts: dict[str, Any]) -> Sentence:
    """The sentence that had these parts."""
    values = {name: from_parts(one) if isinstance(one, dict) else one for name, one in parts["values"].items()}
    return sentence(parts["template"], **values)


def sentences_in(content: Any) -> dict[str, dict[str, Any]]:
    """By their text the parts of all sentences in what will be JSON."""
    return {one: one.parts() for one in _found(content)}


def _found(content: Any) -> Iterator[Sentence]:
    match content:
        case Sentence():
            yield content
        case dict():
            for one in content.values():
                yield from _found(one)
        case list() | tuple():
            for one in content:
                yield from _found(one)
