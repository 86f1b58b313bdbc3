"""One Kubernetes object, and where it stands in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a source: file name (`-` for stdin, empty for a live cluster), line and column from 1."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(slots=True)
class KubeObject:
    """An object as it was written or as the API server gave it.

    `text` and `line` are the YAML document it came from and that document's first line in `file`; `at` is the path
    from the document's root to the object (not empty for an item of a List). Live objects have none of these.
    """

    content: dict[str, Any]
    file: str = ""
    line: int = 1
    text: str = field(default="", repr=False)
    at: Path = ()

    @property
    def api_version(self) -> str:
        return text_of(self.content.get("apiVersion"))

    @property
    def group(self) -> str:
        """The API group; empty for core."""
        return self.api_version.rpartition("/")[0]

    @property
    def kind(self) -> str:
        return text_of(self.content.get("kind"))

    @property
    def metadata(self) -> Mapping[str, Any]:
        return mapping(self.content.get("metadata"))

    @property
    def name(self) -> str:
        return text_of(self.metadata.get("name")) or text_of(self.metadata.get("generateName"))

    @property
    def namespace(self) -> str:
        """As written; empty when it says none."""
        return text_of(self.metadata.get("namespace"))

    @property
    def labels(self) -> Mapping[str, Any]:
        return mapping(self.metadata.get("labels"))

    @property
    def annotations(self) -> Mapping[str, Any]:
        return mapping(self.metadata.get("annotations"))

    @property
    def spec(self) -> Mapping[str, Any]:
        return mapping(self.content.get("spec"))

    @property
    def status(self) -> Mapping[str, Any]:
        return mapping(self.content.get("status"))

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Group, kind, namespace, name: what is the same object in two states of a cluster or a repository."""
        return (self.group, self.kind, self.namespace, self.name)

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def place(self, path: Path = ()) -> Place:
        """Where a field stands, or the nearest one above it that is written."""
        if not self.text:
            return Place(self.file)
        from pilothouse.kube.positions import find

        line, column = find(self.text, self.at + path)
        return Place(self.file, self.line + line, column + 1)


def mapping(value: Any) -> Mapping[str, Any]:
    """The value when it is a mapping, else an empty one: what is missing and what is of the wrong type reads alike."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> Sequence[Any]:
    """The value when it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def mappings(value: Any) -> list[dict[str, Any]]:
    """Those members of a list that are mappings."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """A name as text: YAML reads `name: 1` as a number, and a mapping is no name."""
    return value if isinstance(value, str) else "" if value is None or isinstance(value, dict | list) else str(value)


def dig(value: Any, *path: str | int) -> Any:
    """What stands at a path, or None: `dig(content, "spec", "template", "spec")`."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value
