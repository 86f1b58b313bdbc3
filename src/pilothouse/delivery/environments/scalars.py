"""Single values in a YAML text: where they stand, and another put in their place with every other character kept.

No parser writes YAML back as it was, whatever it remembers of comments and quotes; so nothing is written back. The
value's characters are found (ruamel.yaml's composer and scanner know where each begins and ends), others are put there,
and both texts are read again to see that nothing but this value changed.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pilothouse.delivery.environments.errors import EditError

Path = tuple[str | int, ...]
_STEP = re.compile(r"(?P<name>(?:\\.|[^.\[\]\\])+)|\[(?P<index>\d+)\]|\[(?P<field>[^=\]]+)=(?P<value>[^\]]*)\]")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:@+-]*")
_LARGEST = 2_000_000
# Aliases may repeat a part many times; a text that unfolds to more than this is no configuration.
_MOST_VALUES = 200_000


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: `path` to it (the document's number first), its text, and the characters of its token."""

    path: Path
    value: str
    start: int
    end: int
    style: str


def documents(text: str) -> list[Any]:
    """The text's documents as ruamel composes them. Raises `EditError`."""
    from ruamel.yaml.error import YAMLError

    if len(text) > _LARGEST:
        raise EditError(f"is longer than {_LARGEST:,} characters")
    try:
        return list(_editor().compose_all(text))
    except (YAMLError, ValueError, RecursionError) as error:
        raise EditError(f"is not YAML: {_why(error)}") from None


def values(text: str) -> list[Any]:
    """The text's documents as plain values, every scalar as its text. Raises `EditError`."""
    budget = [_MOST_VALUES]
    return [_value(node, budget) for node in documents(text)]


def scalars(text: str) -> list[Scalar]:
    """All values of mappings and lists, in order; what an alias repeats is there once. Raises `EditError`."""
    tokens = _Tokens(text)
    return [one for number, node in enumerate(documents(text)) for one in _below(node, (number,), tokens, set())]


def find(text: str, key: str) -> Scalar | None:
    """The value at a key such as `image.tag`, `containers[0].tag`, `dependencies[name=shop].version`.

    A dot in a name is written with a backslash before it. None when there is no such key. Raises `EditError` for a
    key that is none, or that leads to what is not a single value.
    """
    steps = list(_steps(key))
    for number, node in enumerate(documents(text)):
        path: list[str | int] = [number]
        for step in steps:
            found = _step(node, step)
            if found is None:
                break
            path.append(found[0])
            node = found[1]
        else:
            if type(node).__name__ != "ScalarNode":
                raise EditError(f"{key}: is not a single value")
            return _scalar(node, tuple(path), _Tokens(text))
    return None


def replaced(text: str, changes: Sequence[tuple[Scalar, str]]) -> str:
    """The text with other values for some scalars. Raises `EditError` when that would change anything else."""
    made = text
    for one, value in sorted(changes, key=lambda change: -change[0].start):
        if one.style in ("|", ">"):
            raise EditError(f"{dotted(one.path)}: is a block of text; write the value on the key's own line")
        made = made[: one.start] + _written(value, one.style) + made[one.end :]
    wanted = values(text)
    for one, value in changes:
        _put(wanted, one.path, value)
    if values(made) != wanted:
        places = ", ".join(dotted(one.path) for one, _ in changes)
        raise EditError(f"{places}: cannot be changed alone; is it shared by an anchor (&) or there twice?")
    return made


def _why(error: Exception) -> str:
    """A parser's words with the line, without its picture of the text."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or not problem:
        return " ".join(str(error).split())[:300]
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"


def dotted(path: Path) -> str:
    """A path for people, without the document's number."""
    shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path[1:])
    return shown.lstrip(".") or "the document"


def _written(value: str, style: str) -> str:
    """The value in the style that was there; plain only where it stays text."""
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and _PLAIN.fullmatch(value) and not value.endswith(":") and _stays_text(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        raise EditError(f"{value!r}: has control characters in it")
    return f'"{escaped}"'


def _stays_text(value: str) -> bool:
    """Whether both YAML 1.1 and 1.2 read the plain value as a string: 1.10 is a number, and becomes 1.1."""
    import yaml

    tag = yaml.resolver.Resolver().resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
    return bool(tag == "tag:yaml.org,2002:str") and not re.fullmatch(
        r"[-+]?(0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9_]*\.?[0-9_]+([eE][-+]?[0-9]+)?\.?|[ynYN])", value
    )


def _editor() -> Any:
    from ruamel.yaml import YAML

    # The parser written in Python: only its marks count characters and not bytes.
    editor = YAML(typ="rt", pure=True)
    editor.allow_duplicate_keys = True
    return editor


class _Tokens:
    """Where each scalar token starts, and where it ends with its style, in order."""

    def __init__(self, text: str) -> None:
        from ruamel.yaml.tokens import ScalarToken

        found = [token for token in _editor().scan(text) if isinstance(token, ScalarToken)]
        self.starts = [token.start_mark.index for token in found]
        self.ends = [(token.end_mark.index, token.style or "") for token in found]


def _scalar(node: Any, path: Path, tokens: _Tokens) -> Scalar:
    # An anchor or a tag stands before the value and belongs to the node, not to the token.
    place = bisect_left(tokens.starts, node.start_mark.index)
    if place == len(tokens.starts) or tokens.starts[place] > node.end_mark.index or not node.value:
        raise EditError(f"{dotted(path)}: is empty; write a value there first")
    start, (end, style) = tokens.starts[place], tokens.ends[place]
    return Scalar(path, node.value, start, end, style)


def _below(node: Any, path: Path, tokens: _Tokens, seen: set[int]) -> Iterator[Scalar]:
    kind = type(node).__name__
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if kind == "MappingNode":
        for key, value in node.value:
            yield from _below(value, (*path, str(key.value)), tokens, seen)
    elif kind == "SequenceNode":
        for number, value in enumerate(node.value):
            yield from _below(value, (*path, number), tokens, seen)
    elif node.value:
        yield _scalar(node, path, tokens)


def _value(node: Any, budget: list[int]) -> Any:
    budget[0] -= 1
    if budget[0] < 0:
        raise EditError("holds too many values")
    kind = type(node).__name__
    if kind == "MappingNode":
        return {str(key.value): _value(value, budget) for key, value in node.value}
    if kind == "SequenceNode":
        return [_value(value, budget) for value in node.value]
    return None if node is None else node.value


def _put(content: Any, path: Path, value: str) -> None:
    for step in path[:-1]:
        content = content[step]
    content[path[-1]] = value


def _steps(key: str) -> Iterator[str | int | tuple[str, str]]:
    at = 0
    while at < len(key):
        if key[at] == "." and at:
            at += 1
        found = _STEP.match(key, at)
        if not found:
            raise EditError(f"{key!r}: is no key; write it as image.tag, containers[0].tag or images[name=shop].tag")
        at = found.end()
        if found["name"]:
            yield re.sub(r"\\(.)", r"\1", found["name"])
        elif found["index"]:
            yield int(found["index"])
        else:
            yield found["field"], found["value"]


def _step(node: Any, step: str | int | tuple[str, str]) -> tuple[str | int, Any] | None:
    kind = type(node).__name__
    if isinstance(step, str) and kind == "MappingNode":
        # Of a key that is there twice the last counts, as for those who read the file.
        return next(((step, value) for key, value in reversed(node.value) if key.value == step), None)
    if isinstance(step, int) and kind == "SequenceNode":
        return (step, node.value[step]) if step < len(node.value) else None
    if isinstance(step, tuple) and kind == "SequenceNode":
        for number, item in enumerate(node.value):
            found = _step(item, step[0])
            if found and getattr(found[1], "value", None) == step[1]:
                return number, item
    return None
