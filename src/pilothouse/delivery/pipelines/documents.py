"""YAML to Kubernetes objects: many documents a file, lists unwrapped, places remembered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pilothouse.delivery.pipelines.checking import shape
from pilothouse.delivery.pipelines.checking.shapes import SHAPES
from pilothouse.delivery.pipelines.errors import DocumentError

LARGEST = 8_000_000
_MOST_NODES = 400_000
_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Document:
    """One object as it was written, and where: `source` is a file or address, `line` counts from 1."""

    body: dict[str, Any]
    source: str = ""
    line: int = 1

    @property
    def kind(self) -> str:
        return str(self.body.get("kind", ""))

    @property
    def version(self) -> str:
        return str(self.body.get("apiVersion", ""))

    @property
    def name(self) -> str:
        """`metadata.name`, or `metadata.generateName` where only that is given."""
        meta = self.body.get("metadata")
        meta = meta if isinstance(meta, dict) else {}
        return str(meta.get("name") or meta.get("generateName") or "")

    @property
    def title(self) -> str:
        """For messages: `Task/build (ci.yaml:3)`."""
        place = f" ({self.source}:{self.line})" if self.source else ""
        return f"{self.kind or 'object'}/{self.name or '(no name)'}{place}"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """As `sigs.k8s.io/yaml` reads: no dates, no duplicate keys, no merge bombs."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen and key != "<<":
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is there twice", key_node.start_mark)
            seen.add(key)
        return dict(super().construct_mapping(node, deep))


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_text(text: str, source: str = "") -> list[Document]:
    """The objects of a YAML text. Raises `DocumentError` with file and line."""
    if len(text) > LARGEST:
        raise DocumentError(f"{source or 'the text'} has {len(text)} characters; at most {LARGEST} are read")
    try:
        return list(_documents(text, source))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise DocumentError(f"{source or 'text'}{line}: not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DocumentError(f"{source or 'text'}: not YAML: {str(error) or type(error).__name__}") from None


def read_files(paths: Iterable[Path]) -> list[Document]:
    """The objects of files; a directory stands for the YAML files in it."""
    found: list[Document] = []
    for path in paths:
        for file in _files(path):
            try:
                found += read_text(file.read_text(encoding="utf-8"), str(file))
            except OSError as error:
                raise DocumentError(f"{file}: {error.strerror}") from None
            except UnicodeDecodeError as error:
                raise DocumentError(f"{file}: not UTF-8 at byte {error.start}") from None
    return found


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())


def _documents(text: str, source: str) -> Iterator[Document]:
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            line = node.start_mark.line + 1
            _bounded(node, source)
            body = loader.construct_document(node)
            yield from _objects(body, source, line)
    finally:
        loader.dispose()


def _objects(body: Any, source: str, line: int) -> Iterator[Document]:
    if body is None:
        return
    if not isinstance(body, dict):
        raise DocumentError(
            f"{source or 'text'}:{line}: expected an object with apiVersion and kind, found {_what(body)}"
        )
    if body.get("kind") == "List" and isinstance(body.get("items"), list):
        for item in body["items"]:
            yield from _objects(item, source, line)
        return
    kind = str(body.get("kind", ""))
    if str(body.get("apiVersion", "")).startswith("tekton.dev/") and kind in SHAPES:
        body = shape.normalise(body, kind)
    yield Document(body, source, line)


def _bounded(node: Any, source: str) -> None:
    """Aliases share nodes, so a small text can stand for billions of values: count them as they would be expanded."""
    counted: dict[int, int] = {}

    def count(one: Any, depth: int) -> int:
        if depth > 100:
            raise DocumentError(f"{source or 'text'}: nested more than 100 deep")
        if isinstance(one, yaml.ScalarNode):
            return 1
        if id(one) not in counted:
            counted[id(one)] = 1
            inner = one.value if isinstance(one, yaml.SequenceNode) else [part for pair in one.value for part in pair]
            counted[id(one)] = 1 + sum(count(part, depth + 1) for part in inner)
        if counted[id(one)] > _MOST_NODES:
            raise DocumentError(f"{source or 'text'}: stands for more than {_MOST_NODES} values")
        return counted[id(one)]

    count(node, 0)


def _what(body: Any) -> str:
    return {list: "a list", str: "text", bool: "a boolean"}.get(type(body), type(body).__name__)
