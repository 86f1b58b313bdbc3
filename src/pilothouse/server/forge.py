"""The built-in forge in the process: opened when it is first needed, or at the start where it was used before."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

import structlog
from starlette.routing import BaseRoute

if TYPE_CHECKING:
    from pilothouse.delivery.forges.local import House, LocalForge
    from pilothouse.delivery.forges.local.store import Sink
    from pilothouse.server.config import Config

log = structlog.get_logger(__name__)


class LiveForge:
    """The forge of `forge = true`. Nothing of it is imported before somebody asks for it."""

    def __init__(self, config: Config, database: str) -> None:
        self._config, self._database = config, database
        self._directory = config.data / "forge"
        self._address = config.external_url
        self._sink: Sink | None = None
        self._house: House | None = None
        self._lock = threading.Lock()

    @property
    def is_on(self) -> bool:
        """Whether there is one: it was not switched off, the server may change things, and the machine has git."""
        return self._config.forge and not self._config.read_only and bool(shutil.which("git"))

    def listen(self, sink: Sink) -> None:
        """Say who hears of what happens; before `start`."""
        self._sink = sink

    def start(self, address: str) -> None:
        """Begin, reached at this address unless the configuration has another one."""
        self._address = self._config.external_url.rstrip("/") or address
        if self._config.forge and not shutil.which("git"):
            log.warning("there is no git on this machine: the built-in forge is off", setting="forge")
        elif self.is_on and self._directory.exists():
            # What an earlier process did not come to tell is told now, and the start does not wait for it.
            threading.Thread(target=self._open_quietly, name="forge", daemon=True).start()

    def house(self) -> House:
        """The forge, opened. Raises `OSError` where it cannot be kept."""
        from pilothouse.delivery.forges.local import House
        from pilothouse.delivery.forges.local.house import nobody_listens

        with self._lock:
            if self._house is None:
                house = House(self._directory, self._database, self._sink or nobody_listens)
                house.address = self._address
                house.reaches_itself = bool(self._config.external_url) or self._address.startswith("http://")
                house.open()
                self._house = house
            return self._house

    def forge(self) -> LocalForge:
        """The forge as Pilothouse acts on it."""
        from pilothouse.delivery.forges.local import LocalForge

        return LocalForge.as_pilothouse(self.house())

    def routes(self) -> list[BaseRoute]:
        """git over HTTP and the API; none when it is off."""
        if not self.is_on:
            return []
        from pilothouse.delivery.forges.local import api
        from pilothouse.delivery.forges.local.smart_http import SmartHttp

        house = self.house()
        return [*SmartHttp(house, self._config.forge_push_bytes).routes(), *api.routes(house)]

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            if self._house:
                self._house.close()

    def _open_quietly(self) -> None:
        try:
            self.house()
        except Exception as error:
            log.error("the built-in forge cannot be opened", reason=str(error))
