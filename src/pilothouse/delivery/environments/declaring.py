"""The environments file as it is now, and what the environments declare now; not fetched again for every question."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.delivery.environments.changing import all_deployed
from pilothouse.delivery.environments.errors import EnvironmentsError
from pilothouse.delivery.environments.model import Environments
from pilothouse.delivery.environments.reading import read_environments
from pilothouse.delivery.forges.errors import MissingError

if TYPE_CHECKING:
    from pilothouse.delivery.environments.model import Environment, Source
    from pilothouse.delivery.forges import Forge

_SECONDS = 5.0
_MOST_KEPT = 200
Deployed = dict[str, "str | Exception"]


class Declared:
    """Where the environments file is: a path of this machine, or `OWNER/NAME:PATH` on the forge; where there are
    several, `FORGE:OWNER/NAME:PATH`. From any thread.
    """

    def __init__(
        self, place: str, forge: Callable[[str], Forge | None] = lambda name: None, seconds: float = _SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`forge` finds a forge by its name. What one was asked for is believed for so many seconds."""
        self.place, self._find, self._seconds, self._clock = place, forge, seconds, clock
        self._read: tuple[float, Environments] | None = None
        self._kept: dict[tuple[str, str], Deployed] = {}
        self._tips: dict[str, tuple[float, str]] = {}
        self._guard = threading.Lock()

    def environments(self) -> Environments:
        """All environments. Raises `EnvironmentsError` that names the file, and the forge's errors."""
        with self._guard:
            known = self._read
        if known and self._clock() - known[0] < self._seconds:
            return known[1]
        if not self.place:
            return Environments()
        try:
            found = self._loaded()
        except EnvironmentsError as error:
            raise EnvironmentsError(f"{self.place}: {error}") from None
        with self._guard:
            self._read = (self._clock(), found)
        return found

    def deployed(self, environment: Environment) -> Deployed:
        """For each service the version that the environment declares, or why that cannot be told. Raises as above."""
        source = environment.source
        if source.directory:
            return all_deployed(environment)
        key = (str(environment), self._tip(source))
        with self._guard:
            known = self._kept.get(key)
        if known is None:
            known = all_deployed(environment, self._find(source.forge), key[1])
            with self._guard:
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                self._kept[key] = known
        return known

    def forget(self) -> None:
        """Something was pushed: ask again."""
        with self._guard:
            self._read = None
            self._tips.clear()

    def _loaded(self) -> Environments:
        path = Path(self.place)
        whose, repository, name = _parts(self.place)
        if path.is_file() or "/" not in repository or path.is_absolute():
            return _from_file(path)
        forge = self._find(whose)
        if forge is None:
            raise EnvironmentsError("is on a forge, and no forge is configured here")
        try:
            text = forge.read_file(repository, name).decode(errors="replace")
        except MissingError as error:
            raise EnvironmentsError(f"forge {forge.name}: {error}") from None
        return read_environments(text, repository, forge=forge.name)

    def _tip(self, source: Source) -> str:
        forge = self._find(source.forge)
        if forge is None:
            raise EnvironmentsError(f"{source.repository}: is on a forge, and no forge is configured here")
        key = f"{forge.name}:{source.repository}@{source.branch}"
        with self._guard:
            known = self._tips.get(key)
        if known and self._clock() - known[0] < self._seconds:
            return known[1]
        ref = source.branch or forge.repository(source.repository).default_branch
        sha = forge.commit(source.repository, ref).sha
        with self._guard:
            self._tips[key] = (self._clock(), sha)
        return sha


def _parts(place: str) -> tuple[str, str, str]:
    """Forge, repository and path of `[FORGE:]OWNER/NAME:PATH`; a repository without a slash is none."""
    first, _, rest = place.partition(":")
    if "/" in first or ":" not in rest:
        return "", first, rest
    repository, _, path = rest.partition(":")
    return first, repository, path


def _from_file(path: Path) -> Environments:
    try:
        text = path.read_text()
    except OSError as error:
        raise EnvironmentsError(error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise EnvironmentsError("is not UTF-8") from None
    return read_environments(text, directory=path.resolve().parent)
