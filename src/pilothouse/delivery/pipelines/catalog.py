"""The objects that a run may refer to: what a cluster's API would answer, from files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from typing import Any

from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.errors import RunError

RUN_KINDS = ("PipelineRun", "TaskRun", "CustomRun")


class Catalog:
    """Objects by kind and name; of two with the same name the later one holds."""

    def __init__(self, documents: Iterable[Document] = ()) -> None:
        self._objects: dict[tuple[str, str], Document] = {}
        for document in documents:
            self.add(document)

    def add(self, document: Document) -> None:
        """Add or replace an object."""
        self._objects[document.kind, document.name] = document

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        """The body of an object."""
        found = self._objects.get((kind, name))
        return found.body if found else None

    def documents(self, *kinds: str) -> list[Document]:
        """All objects, or those of some kinds, in the order in which they were added."""
        return [one for (kind, _), one in self._objects.items() if not kinds or kind in kinds]

    def names(self, kind: str) -> list[str]:
        """The names of all objects of a kind."""
        return [name for found, name in self._objects if found == kind]

    def config_map(self, name: str) -> dict[str, bytes] | None:
        """The entries of a ConfigMap."""
        body = self.find("ConfigMap", name)
        if body is None:
            return None
        found = {str(key): _text(value).encode() for key, value in (body.get("data") or {}).items()}
        return found | _decoded(body.get("binaryData") or {}, f"ConfigMap {name}")

    def secret(self, name: str) -> dict[str, bytes] | None:
        """The entries of a Secret, decoded."""
        body = self.find("Secret", name)
        if body is None:
            return None
        plain = {str(key): _text(value).encode() for key, value in (body.get("stringData") or {}).items()}
        return _decoded(body.get("data") or {}, f"Secret {name}") | plain

    def secret_values(self) -> Iterator[bytes]:
        """Every value of every Secret, for masking."""
        for name in self.names("Secret"):
            yield from (self.secret(name) or {}).values()

    def key(self, kind: str, name: str, key: str) -> bytes | None:
        """One entry of a ConfigMap or Secret."""
        found = self.secret(name) if kind == "Secret" else self.config_map(name)
        return None if found is None else found.get(key)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _decoded(entries: dict[str, Any], name: str) -> dict[str, bytes]:
    try:
        return {str(key): base64.b64decode(_text(value), validate=False) for key, value in entries.items()}
    except (binascii.Error, ValueError):
        raise RunError(
            "CreateContainerConfigError", f"{name}: data is not Base64; use stringData for plain text"
        ) from None
