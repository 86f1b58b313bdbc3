"""Values of a repository's settings, read strictly: what is wrong is refused with its place."""

from __future__ import annotations

from typing import Any

import re2

PATH = ".pilothouse/delivery.yaml"


class SettingsError(Exception):
    """The file cannot be read; the message names the place."""


def mapping(value: Any, where: str, known: tuple[str, ...]) -> dict[str, Any]:
    """A mapping with keys of `known`; none is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(f"{PATH}: {where or 'the file'}: must be a mapping")
    if unknown := sorted(str(key) for key in value if key not in known):
        place = f"{where}.{unknown[0]}" if where else unknown[0]
        raise SettingsError(f"{PATH}: {place}: is not known here; there are {', '.join(known)}")
    return value


def items(value: Any, where: str) -> list[Any]:
    """A list; none is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise SettingsError(f"{PATH}: {where}: must be a list")
    return value


def texts(value: Any, where: str) -> tuple[str, ...]:
    """A list of texts; none is an empty one."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str | int) for one in value):
        raise SettingsError(f"{PATH}: {where}: must be a list of texts")
    return tuple(map(str, value))


def patterns(value: Any, where: str) -> tuple[str, ...]:
    """A list of regular expressions (RE2)."""
    for one in (found := texts(value, where)):
        pattern(one, where)
    return found


def pattern(value: str, where: str) -> str:
    """A regular expression (RE2)."""
    try:
        re2.compile(value)
    except re2.error as error:
        raise SettingsError(f"{PATH}: {where}: {value!r} is not an expression: {error}") from None
    return value


def text(value: Any, where: str) -> str:
    """A text of at most 1000 characters, or a number as people write one (a milestone `1.2`); none is empty."""
    if value is None:
        return ""
    if not isinstance(value, str | int | float) or isinstance(value, bool) or len(str(value)) > 1000:
        raise SettingsError(f"{PATH}: {where}: must be text of at most 1000 characters")
    return str(value)


def flag(value: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise SettingsError(f"{PATH}: {where}: must be true or false")
    return value


def number(value: Any, where: str, least: int) -> int:
    """A whole number up to 100."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= 100:
        raise SettingsError(f"{PATH}: {where}: must be a whole number from {least} to 100")
    return value
