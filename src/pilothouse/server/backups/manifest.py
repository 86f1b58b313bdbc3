"""What a backup says of itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FILE = "manifest.json"
FORMAT = 1


class BackupError(Exception):
    """A backup cannot be made, read or restored; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """`schema` is the number of the engine's last migration; `tables` has parts, rows and bytes by tenant and table.

    `notes` say what is not in it, and who keeps that.
    """

    version: str
    made: str
    schema: int
    tables: dict[str, dict[str, dict[str, int]]]
    journal_bytes: int
    seconds_held: float
    notes: list[str]
    format: int = FORMAT

    @property
    def rows(self) -> int:
        """Of all tables of all tenants."""
        return sum(table["rows"] for tables in self.tables.values() for table in tables.values())

    @property
    def bytes(self) -> int:
        """Of all parts of all tenants, and the journals."""
        return self.journal_bytes + sum(one["bytes"] for tables in self.tables.values() for one in tables.values())

    def to_json(self) -> dict[str, Any]:
        """As the file and the API have it."""
        return asdict(self) | {"rows": self.rows, "bytes": self.bytes}

    def write(self, directory: Path) -> None:
        """Into a backup's directory."""
        (directory / FILE).write_text(json.dumps(self.to_json(), indent=2) + "\n")


def read(directory: Path) -> Manifest:
    """The manifest of a backup. Raises `BackupError`."""
    try:
        content = json.loads((directory / FILE).read_text())
        if content.pop("format") != FORMAT:
            raise BackupError(f"{directory}: a newer Pilothouse made this; restore it with that one")
        for name in ("rows", "bytes"):
            content.pop(name)
        return Manifest(**content)
    except FileNotFoundError:
        raise BackupError(f"{directory}: there is no {FILE}: this is not a whole backup") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BackupError(f"{directory / FILE}: cannot be read: {error}") from None
