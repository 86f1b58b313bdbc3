"""YAML and JSON text into objects, document by document, so that one broken document costs nothing but itself.

YAML is read as the Kubernetes tools read it (1.1: `yes` is true, `0644` is octal), through libyaml's composer and a
constructor of our own, which is three times as fast as PyYAML's safe loader and never runs a tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from pilothouse.kube.objects import KubeObject, Path, mapping

# etcd refuses an object above 1.5 MiB; a List of many is larger.
MAX_DOCUMENT = 32_000_000
# Aliases may repeat a part; a document that unfolds to more values than this is an attack ("billion laughs").
MAX_VALUES = 2_000_000
MAX_DEPTH = 200
_BREAK = re.compile(r"^(?:---|\.\.\.)(?=\s|$)", re.MULTILINE)
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_PLAIN_STRING = re.compile(r"[A-Za-z/][A-Za-z0-9_./:=@-]*[./:=@-][A-Za-z0-9_./:=@-]*")
_EXPONENT = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]{1,3}")
_WORDS = {
    word: value
    for value, words in {True: "true yes on y", False: "false no off n", None: "null"}.items()
    for text in words.split()
    for word in (text, text.capitalize(), text.upper())
} | {"": None, "~": None}
# Go's YAML reads a bare y or n as text.
for _letter in ("y", "n", "Y", "N"):
    del _WORDS[_letter]
_RESOLVER = yaml.resolver.Resolver()
_CONSTRUCTOR = SafeConstructor()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a source that cannot be read: `file`, `line` and `column` (from 1), and a message that says what."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass(slots=True)
class Parsed:
    """The objects of a text, in its order, and what could not be read."""

    objects: list[KubeObject] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def parse(text: str, file: str = "-") -> Parsed:
    """All objects of a multi-document text; Lists are taken apart into their items."""
    parsed = Parsed()
    for line, document in split(text):
        if len(document) > MAX_DOCUMENT:
            parsed.problems.append(
                Problem(
                    file, line, 1, f"a document of {len(document) >> 20} MiB; no object in Kubernetes is that large"
                )
            )
            continue
        try:
            content = load(document)
        except yaml.MarkedYAMLError as error:
            parsed.problems.append(_problem(error, file, line, document))
            continue
        except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
            parsed.problems.append(Problem(file, line, 1, str(error).replace("\n", " ") or type(error).__name__))
            continue
        for at, item in _items(content):
            if isinstance(item, dict):
                parsed.objects.append(KubeObject(item, file, line, document, at))
            elif item is not None:
                parsed.problems.append(
                    Problem(file, line, 1, f"not a Kubernetes object: a {_NAMES.get(type(item), 'value')}")
                )
    return parsed


_NAMES = {str: "text", list: "list", int: "number", float: "number", bool: "truth value"}


def split(text: str) -> Iterator[tuple[int, str]]:
    """The documents with their first lines (from 1). `---` at the head of a line can stand nowhere else in YAML."""
    start, line = 0, 1
    for found in _BREAK.finditer(text):
        if document := text[start : found.start()]:
            if not _blank(document):
                yield line, document
            line += document.count("\n")
        start = found.end()
    if not _blank(text[start:]):
        yield line, text[start:]


def _blank(document: str) -> bool:
    return all(not stripped or stripped[0] == "#" for stripped in map(str.strip, document.splitlines()))


class _Composing(CParser, Composer):
    """libyaml's parser and composer without tag resolution, which is done faster below."""

    def descend_resolver(self, *_: Any) -> None: ...

    def ascend_resolver(self) -> None: ...

    def resolve(self, _kind: Any, _value: Any, implicit: Any) -> str:
        return "" if implicit in (True, (True, False)) else "!str"

    def dispose(self) -> None: ...


def compose(document: str) -> Any:
    """The node tree of one document (for positions), or None."""
    return _Composing(document).get_single_node()


def load(document: str) -> Any:
    """The value of one document; raises `yaml.YAMLError` or `ValueError`."""
    node = compose(document)
    return None if node is None else _Constructing().value(node, 0)


class _Constructing:
    """Nodes into values: aliased parts are shared, counted as if they were not, and merge keys are followed."""

    def __init__(self) -> None:
        self._done: dict[int, tuple[Any, int]] = {}
        self._count = 0

    def value(self, node: Any, depth: int) -> Any:
        if type(node) is yaml.ScalarNode:
            self._count += 1
            return _scalar(node)
        known = self._done.get(id(node))
        if known is not None:
            if known[1] < 0:
                raise ConstructorError(None, None, "an alias that holds itself", node.start_mark)
            self._count += known[1]
            self._check(node)
            return known[0]
        if depth > MAX_DEPTH:
            raise ConstructorError(None, None, f"nested deeper than {MAX_DEPTH}", node.start_mark)
        before = self._count
        self._done[id(node)] = (None, -1)
        made = self._mapping(node, depth) if type(node) is yaml.MappingNode else self._sequence(node, depth)
        self._check(node)
        self._done[id(node)] = (made, self._count - before)
        return made

    def _sequence(self, node: Any, depth: int) -> list[Any]:
        self._count += 1
        return [self.value(item, depth + 1) for item in node.value]

    def _mapping(self, node: Any, depth: int) -> dict[str, Any]:
        self._count += 1
        made: dict[str, Any] = {}
        merged: list[Any] = []
        for key_node, value_node in node.value:
            if type(key_node) is not yaml.ScalarNode:
                raise ConstructorError(None, None, _unhashable(key_node), key_node.start_mark)
            if key_node.value == "<<" and not key_node.style:
                merged.append(value_node)
                continue
            key = _scalar(key_node)
            name = key if type(key) is str else key_node.value
            if name in made:
                raise ConstructorError(None, None, f"the key {name!r} is here twice", key_node.start_mark)
            made[name] = self.value(value_node, depth + 1)
        for value_node in merged:
            given = self.value(value_node, depth + 1)
            for one in given if isinstance(given, list) else [given]:
                if not isinstance(one, dict):
                    raise ConstructorError(None, None, "`<<` wants a mapping", value_node.start_mark)
                made = one | made
        return made

    def _check(self, node: Any) -> None:
        if self._count > MAX_VALUES:
            raise ConstructorError(None, None, f"aliases unfold to more than {MAX_VALUES:,} values", node.start_mark)


def _unhashable(node: Any) -> str:
    return "a mapping or list as a key: is this an unrendered template ({{ ... }})? Render it first, or give the chart"


def _scalar(node: Any) -> Any:
    """A scalar's value; text that cannot be anything else takes the short way."""
    text: str = node.value
    if node.style or node.tag == "!str":
        return text
    if node.tag:
        return _CONSTRUCTOR.construct_object(node, deep=True) if _known(node.tag) else text
    if text in _WORDS:
        return _WORDS[text]
    if text.isalpha() or _PLAIN_STRING.fullmatch(text):
        return text
    if ":" in text:
        # `1:30` is a number to YAML 1.1 and none to Go's reader.
        return text
    if _EXPONENT.fullmatch(text):
        return float(text)
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    if tag == "tag:yaml.org,2002:int":
        return _CONSTRUCTOR.construct_yaml_int(yaml.ScalarNode(tag, text))
    if tag == "tag:yaml.org,2002:float":
        return _CONSTRUCTOR.construct_yaml_float(yaml.ScalarNode(tag, text))
    return text


def _known(tag: str) -> bool:
    return tag.startswith("tag:yaml.org,2002:") and tag.rpartition(":")[2] in ("int", "float", "bool", "null")


def _items(content: Any) -> Iterable[tuple[Path, Any]]:
    """The document itself, or the items of a List (which may hold Lists)."""
    if mapping(content).get("kind", "") == "List" or _is_typed_list(content):
        items = content.get("items")
        for number, item in enumerate(items if isinstance(items, list) else []):
            for at, inner in _items(item):
                yield ("items", number, *at), inner
    else:
        yield (), content


def _is_typed_list(content: Any) -> bool:
    return isinstance(content, dict) and str(content.get("kind", "")).endswith("List") and "items" in content


def _problem(error: yaml.MarkedYAMLError, file: str, line: int, document: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    row, column = (mark.line, mark.column) if mark else (0, 0)
    message = (error.problem or error.context or "not YAML").strip()
    lines = document.split("\n")
    written = lines[row] if row < len(lines) else ""
    if _TEMPLATE.search(written) and "template" not in message:
        message += "; this is an unrendered template ({{ ... }}): render it first, or give the chart's directory"
    elif "\t" in written[: column + 1]:
        message += "; YAML does not allow tabs for indentation"
    return Problem(file, line + row, column + 1, message)
