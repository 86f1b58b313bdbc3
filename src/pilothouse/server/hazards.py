"""The hazards room in the process: its store and API always, its watch where a cluster is to be watched."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import Route

if TYPE_CHECKING:
    from pilothouse.hazards.store import FindingStore
    from pilothouse.hazards.watching import Watcher
    from pilothouse.server.config import Config
    from pilothouse.server.measuring import Measurements
    from pilothouse.signals.receive.otlp import Receiver


class LiveHazards:
    """Findings of the watched cluster; `start` begins to watch when the configuration says so."""

    def __init__(self, config: Config, database: str, receiver: Receiver, measurements: Measurements) -> None:
        self._config, self._receiver, self._database = config, receiver, database
        self._watcher: Watcher | None = None
        if config.kube:
            measurements.watch_hazards(self._store.counts)
            self._watcher = self._made()

    @cached_property
    def _store(self) -> FindingStore:
        """Opened by who needs it first: most processes never ask."""
        from pilothouse.hazards.store import FindingStore

        return FindingStore(self._database)

    def _made(self) -> Watcher:
        from pilothouse.hazards.loading import RuleError, all_rules
        from pilothouse.hazards.narrating import Narrator
        from pilothouse.hazards.watching import Watcher
        from pilothouse.kube import Cluster

        files = [Path(part.strip()) for part in self._config.hazard_rules.split(",") if part.strip()]
        try:
            rules = all_rules(files)
        except RuleError as error:
            raise OSError(f"hazard_rules: {error}") from None
        return Watcher(
            lambda: Cluster.connect(self._config.kube_context), rules, self._store,
            narrator=Narrator.into(self._receiver),
        )  # fmt: skip

    def start(self, prometheus: str, socket: str = "") -> None:
        """Begin to watch; telemetry is asked of our own Prometheus API at this address, or through a Unix socket."""
        if self._watcher is None:
            return
        from pilothouse.hazards.telemetry import Prometheus

        self._watcher.telemetry = Prometheus(prometheus, socket=socket)
        self._watcher.start()

    def routes(self) -> list[Route]:
        """The room's endpoints."""
        from pilothouse.hazards import api

        return api.routes(self._store, self._watcher)

    def close(self) -> None:
        """Stop watching and let go of the database."""
        if self._watcher:
            self._watcher.close()
        if "_store" in self.__dict__:
            self._store.close()
