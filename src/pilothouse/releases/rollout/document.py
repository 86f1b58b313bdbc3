"""YAML as people write it, read with errors that name the place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import parse_duration

_LARGEST = 500_000
_NUMBER = re.compile(r"\d+(\.\d+)?")


def documents(text: str, field: str = "plan") -> list[dict[str, Any]]:
    """The mappings of a YAML (or JSON) text. Raises `BadRequestError`.

    Aliases are refused: a few lines of them can stand for gigabytes.
    """
    if len(text) > _LARGEST:
        raise BadRequestError(f"{field}: is longer than {_LARGEST:,} characters", field)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.CSafeLoader)):
            raise BadRequestError(f"{field}: YAML aliases (*name) are not taken; write it out", field)
        found = [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadRequestError(f"{field}: is not YAML: {' '.join(str(error).split())[:300]}", field) from None
    for one in found:
        if not isinstance(one, dict):
            raise BadRequestError(f"{field}: must be a mapping, such as `service: checkout`", field)
    return found


class Place:
    """A part of a document, and where it is, for the errors."""

    def __init__(self, content: Any, path: str = "", field: str = "plan") -> None:
        self._content, self.path, self._field = content, path, field

    def wrong(self, words: str) -> BadRequestError:
        """The error that says what is wrong here."""
        return BadRequestError(f"{self._field}: {self.path or 'the document'}: {words}", self._field)

    @property
    def content(self) -> Any:
        """What is there."""
        return self._content

    def mapping(self) -> Mapping[str, Any]:
        """This part as a mapping; nothing is an empty one."""
        if self._content is None:
            return {}
        if not isinstance(self._content, dict) or not all(isinstance(name, str) for name in self._content):
            raise self.wrong("must be a mapping of names to values")
        return self._content

    def only(self, *known: str) -> Place:
        """This part; raises for a name that is not known, so that a typing error is not silently ignored."""
        for name in self.mapping():
            if name not in known:
                raise self.wrong(f"{name!r} is not known; known are {', '.join(known)}")
        return self

    def at(self, name: str) -> Place:
        """The part under a name; its content is None when it is not there."""
        return Place(self.mapping().get(name), f"{self.path}.{name}".lstrip("."), self._field)

    def items(self) -> list[Place]:
        """This part's members as a list; nothing is an empty one."""
        if self._content is None:
            return []
        if not isinstance(self._content, list):
            raise self.wrong("must be a list")
        return [Place(one, f"{self.path}[{place}]", self._field) for place, one in enumerate(self._content)]

    def text(self, default: str = "") -> str:
        """This part as text."""
        if self._content is None:
            return default
        if isinstance(self._content, bool) or not isinstance(self._content, str | int | float):
            raise self.wrong("must be text")
        return str(self._content)

    def number(self, least: float = float("-inf"), most: float = float("inf")) -> float:
        """This part as a number within bounds; `99 %` is 99."""
        content = self._content
        if isinstance(content, str) and _NUMBER.fullmatch(content.removesuffix("%").strip()):
            content = float(content.removesuffix("%"))
        if isinstance(content, bool) or not isinstance(content, int | float) or content != content:
            raise self.wrong(f"{content!r} is not a number")
        if not least <= content <= most:
            raise self.wrong(f"{content:g} is not between {least:g} and {most:g}")
        return float(content)

    def whole(self, least: int, most: int) -> int:
        """This part as a whole number within bounds."""
        value = self.number(least, most)
        if value != int(value):
            raise self.wrong(f"{value:g} is not a whole number")
        return int(value)

    def seconds(self) -> float:
        """This part as a duration: `90s`, `1h30m`, or a number of seconds."""
        if isinstance(self._content, int | float) and not isinstance(self._content, bool):
            return self.number(0, 1e9)
        text = self.text()
        if _NUMBER.fullmatch(text):
            return float(text)
        try:
            return parse_duration(text, self.path)
        except BadRequestError as error:
            raise self.wrong(str(error).partition(": ")[2]) from None

    def flag(self, default: bool) -> bool:
        """This part as yes or no."""
        if self._content is None:
            return default
        if not isinstance(self._content, bool):
            raise self.wrong("must be true or false")
        return self._content
