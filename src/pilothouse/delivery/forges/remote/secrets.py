"""Secrets come from the environment or from files, are read when they are needed, and are never shown."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse.delivery.forges.errors import AccessError


class SecretError(AccessError):
    """A secret that is not where the configuration says; the message names the place, never the secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is: `env:NAME` or `file:PATH`. Files are read each time, so that they can be replaced."""

    place: str
    _kind: str = field(init=False, repr=False)
    _name: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        kind, _, name = self.place.partition(":")
        if kind not in ("env", "file") or not name:
            # It may be the secret itself that somebody wrote there: it is not repeated.
            raise SecretError("a secret is not written here: write env:NAME or file:PATH")
        object.__setattr__(self, "_kind", kind)
        object.__setattr__(self, "_name", name)

    @classmethod
    def given(cls, secret: str, place: str) -> Secret:
        """One that somebody gave by hand; `place` is how it is called in errors."""
        made = cls("env:GIVEN")
        object.__setattr__(made, "place", place)
        object.__setattr__(made, "_kind", "given")
        object.__setattr__(made, "_name", secret)
        return made

    def read(self) -> str:
        """The secret. Raises `SecretError`."""
        if self._kind == "env":
            found = os.environ.get(self._name, "").strip()
        elif self._kind == "given":
            found = self._name.strip()
        else:
            try:
                found = Path(self._name).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SecretError(f"{self.place}: {getattr(error, 'strerror', None) or 'is not text'}") from None
        if not found:
            raise SecretError(f"{self.place}: is empty or not set")
        return found
