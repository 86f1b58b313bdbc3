"""The forges of the configuration in the server: their doors, and the polls of those that cannot reach us."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pilothouse.control.opening import open_database
from pilothouse.delivery.forges.opening import open_forge
from pilothouse.delivery.forges.remote.secrets import Secret, SecretError
from pilothouse.delivery.forges.settings import ForgeSettings
from pilothouse.delivery.inbox import Inbox
from pilothouse.delivery.webhooks import api
from pilothouse.delivery.webhooks.door import Door

if TYPE_CHECKING:
    from starlette.routing import Route

    from pilothouse.delivery.forges import Forge
    from pilothouse.delivery.polling import Poller


class ForgeServer:
    """All remote forges. `start` and `close` from any thread."""

    def __init__(
        self, settings: Mapping[str, ForgeSettings], inbox: Inbox, database: str,
        transports: Callable[[str], Any] = lambda name: None,
    ) -> None:  # fmt: skip
        """What happens goes into `inbox`; `transports` gives what a forge is asked through instead of the network.

        Raises `ValueError` for settings that do not fit.
        """
        self._inbox = inbox
        self.forges: dict[str, Forge] = {
            name: open_forge(name, one, transports(name)) for name, one in settings.items()
        }
        self.doors = {
            name: Door(name, str(one.kind), partial(_secrets, one), frozenset(map(str.lower, one.repositories)))
            for name, one in settings.items()
        }
        self._polled = {name: (self.forges[name], one.polled) for name, one in settings.items() if one.polled}
        self._database = open_database(database) if self._polled else None
        self._poller: Poller | None = None

    def routes(self, most_bytes: int = api.LARGEST) -> list[Route]:
        """`/webhooks/NAME` of each."""
        return api.routes(self.doors, self._inbox, most_bytes)

    def start(self) -> None:
        """Begin to poll those that are to be polled."""
        if self._database is not None:
            from pilothouse.delivery.polling import Poller

            self._poller = Poller(self._polled, self._inbox, self._database)
            self._poller.start()

    def close(self) -> None:
        """Poll no more. The inbox is whose it was."""
        if self._poller:
            self._poller.close()
        if self._database is not None:
            self._database.dispose()


def _secrets(settings: ForgeSettings) -> tuple[str, ...]:
    """The webhooks' secrets, read each time: a replaced file counts at once. One that is not there is passed over."""
    found = []
    for place in settings.webhook_secret:
        try:
            found.append(Secret(place).read())
        except SecretError:
            continue
    return tuple(found)
