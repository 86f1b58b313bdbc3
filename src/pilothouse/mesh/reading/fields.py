"""One object under strict reading: each field is asked for by name and type, and what nobody asked for is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pilothouse.kube.objects import KubeObject, Path
from pilothouse.mesh.findings import Finding, Level
from pilothouse.mesh.model import Name

_SHOWN = 80


class Fields:
    """Reads the fields of `source` and collects what is wrong; `failed` once there was an error."""

    def __init__(self, source: KubeObject, namespace: str = "default") -> None:
        self.source = source
        self.id = Name(source.namespace or namespace, source.name)
        self.findings: list[Finding] = []

    @property
    def failed(self) -> bool:
        """Whether the object must not be used."""
        return any(finding.level == "error" for finding in self.findings)

    def say(self, level: Level, code: str, path: Path, message: str) -> None:
        """Note something about a field."""
        self.findings.append(
            Finding(level, code, f"{self.source.kind} {self.id}", dotted(path), message, self.source.place(path))
        )

    def error(self, path: Path, message: str, code: str = "invalid") -> None:
        """Note an error."""
        self.say("error", code, path, message)

    def section(self, value: Any, path: Path, known: Iterable[str]) -> Mapping[str, Any]:
        """A mapping with no other keys than `known`."""
        if not isinstance(value, dict):
            self.error(path, f"must be a mapping, not {shown(value)}" if value is not None else "is missing", "type")
            return {}
        names = tuple(known)
        for key in value:
            if key not in names:
                self.error((*path, key), f"is not a field of this version; known are {', '.join(names)}", "unknown")
        return value

    def items(self, value: Any, path: Path, required: bool = True) -> list[Any]:
        """A list; with `required` it must hold something."""
        if value is None and not required:
            return []
        if not isinstance(value, list):
            self.error(path, f"must be a list, not {shown(value)}" if value is not None else "is missing", "type")
            return []
        if required and not value:
            self.error(path, "must name at least one", "empty")
        return value

    def text(self, section: Mapping[str, Any], key: str, path: Path, required: bool = True) -> str:
        """A text; with `required` it must not be empty."""
        value = section.get(key)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or (required and not value):
            said = "is missing" if value is None else f"must be a text, not {shown(value)}"
            self.error((*path, key), said, "type")
            return ""
        return value

    def choice(self, section: Mapping[str, Any], key: str, path: Path, choices: tuple[str, ...]) -> str:
        """One of a few words."""
        value = self.text(section, key, path)
        if value and value not in choices:
            self.error((*path, key), f"must be {' or '.join(choices)}, not {shown(value)}", "choice")
            return ""
        return value

    def port(self, value: Any, path: Path) -> int:
        """A port number; 0 when it is none."""
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
            self.error(path, f"must be a port from 1 to 65535, not {shown(value)}", "port")
            return 0
        return value


def dotted(path: Path) -> str:
    """A path as people write it: `spec.backends[0].weight`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def shown(value: Any) -> str:
    """A wrong value in an error."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
