"""Delivery in the process: begun with the first event of a forge, or at the start where there was some before.

A server that nobody delivers with imports nothing of it, and runs no thread for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import structlog
from starlette.routing import BaseRoute

if TYPE_CHECKING:
    from pilothouse.delivery.acting.confining import Walls
    from pilothouse.delivery.acting.serving import DeliveryServer
    from pilothouse.delivery.forges import Event, Forge, PullRequest
    from pilothouse.delivery.inbox import Inbox
    from pilothouse.delivery.pipelines.serving import PipelineServer
    from pilothouse.delivery.releasing.release import Release
    from pilothouse.delivery.webhooks.serving import ForgeServer
    from pilothouse.server.config import Config
    from pilothouse.server.forge import LiveForge

log = structlog.get_logger(__name__)


class LiveDelivery:
    """The inbox, what acts on it, and the pipelines that run its jobs."""

    def __init__(self, config: Config, database: str, forge: LiveForge, pipelines: PipelineServer | None) -> None:
        """`pipelines` are those of the configured directory, if any."""
        self._config, self._database, self._forge = config, database, forge
        self._given = pipelines
        self._listeners: tuple[Callable[[Event], None], ...] = ()
        self._own: PipelineServer | None = None
        self._inbox: Inbox | None = None
        self._remote: ForgeServer | None = None
        self._server: DeliveryServer | None = None
        self._telemetry, self._socket, self._address = "", "", ""
        self._lock = threading.RLock()
        self._begun = threading.Event()
        forge.listen(self.heard)

    @property
    def is_on(self) -> bool:
        """Whether there is a forge whose events could be acted on."""
        return self._forge.is_on or self.has_remote

    @property
    def has_remote(self) -> bool:
        """Whether forges elsewhere are configured: GitHub, GitLab, Forgejo."""
        return bool(self._config.forges) and not self._config.read_only

    def start(self, address: str, telemetry: str, socket: str) -> None:
        """Say where this server is reached and where runs are told of; go on with what an earlier process left."""
        self._address = self._config.external_url.rstrip("/") or address
        self._telemetry, self._socket = telemetry, socket
        if self.has_remote or (self.is_on and (self._config.data / "delivery").exists()):
            self._begin()

    def heard(self, event: Event) -> None:
        """Something happened on the built-in forge: kept first, acted on by a thread of its own."""
        self.inbox().put_now(event)
        self._begin()

    def _begin(self) -> None:
        if not self._begun.is_set():
            self._begun.set()
            # The forge may be in the middle of opening itself, and this needs it open.
            threading.Thread(target=self._open_quietly, name="delivery-begin", daemon=True).start()

    def _open_quietly(self) -> None:
        try:
            self.server()
        except Exception as error:
            self._begun.clear()
            log.error("delivery cannot begin", reason=str(error))

    def inbox(self) -> Inbox:
        """What came from forges."""
        from pilothouse.delivery.inbox import Inbox

        with self._lock:
            if self._inbox is None:
                self._inbox = Inbox(self._database)
            return self._inbox

    def pipelines(self) -> PipelineServer:
        """What runs jobs: the pipelines of the configured directory, or of one that is empty."""
        if self._given is not None:
            return self._given
        from pilothouse.delivery.pipelines.serving import PipelineServer

        with self._lock:
            if self._own is None:
                directory = self._config.data / "delivery" / "pipelines"
                directory.mkdir(parents=True, exist_ok=True)
                own = PipelineServer(directory, self._config.data, self._database)
                own.start(self._telemetry, self._socket)
                self._own = own
            return self._own

    def forges(self) -> dict[str, Forge]:
        """The forges that are worked for, by name."""
        found: dict[str, Forge] = {}
        if self._forge.is_on:
            forge = self._forge.forge()
            found[forge.name] = forge
        return found | (self.remote().forges if self.has_remote else {})

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the forges that are worked for; none of them is opened for that."""
        return (*(("local",) if self._forge.is_on else ()), *(self._config.forges if self.has_remote else ()))

    def forge(self, name: str) -> Forge:
        """One forge by its name, which is among `names`."""
        return self._forge.forge() if name == "local" else self.remote().forges[name]

    def remote(self) -> ForgeServer:
        """The forges elsewhere, with their doors."""
        from pilothouse.delivery.forges.settings import read
        from pilothouse.delivery.webhooks.serving import ForgeServer

        with self._lock:
            if self._remote is None:
                self._remote = ForgeServer(read(self._config.forges), self.inbox(), self._database)
            return self._remote

    def server(self) -> DeliveryServer:
        """What acts, begun. Raises `DeliveryError`, `OSError`."""
        from pilothouse.delivery.acting.manifests import ManifestCheck
        from pilothouse.delivery.acting.serving import DeliveryServer

        forges = self.forges()
        with self._lock:
            if self._server is None:
                pipelines, checked = self.pipelines(), ManifestCheck(forges)
                made = DeliveryServer(
                    self._database, self._config.data, forges, self.inbox(), pipelines, self._page,
                    (*self._listeners, checked.heard), cast("Walls", self._config.strangers),
                    cast("Walls", self._config.members),
                )  # fmt: skip
                made.start()
                self._server = made
                self._begun.set()
                if self.has_remote:
                    self.remote().start()
            return self._server

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Say who else hears of events, after they were acted on; before `start`."""
        self._listeners = (*self._listeners, listener)

    def is_trusted(self, forge: str, pull: PullRequest) -> bool:
        """Whether the head of a pull request on a forge may be run here."""
        return self.server().is_trusted(forge, pull)

    def tested(self, release: Release) -> str:
        """The pipeline run that tested the commit of a release; empty when none did."""
        return self.server().tested(release.forge, release.repository, release.commit)

    def run(self, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        """A pipeline run with its TaskRuns, as Tekton writes them; None for one that is not known."""
        store = self.pipelines().store
        found = store.find(name)
        return (store.object(found.uid), store.task_runs(found.uid)) if found is not None else None

    def address(self) -> str:
        """Where browsers find this server's page; empty before the start."""
        return self._address

    def _page(self, run: str) -> str:
        return f"{self._address}/delivery/runs/{run}"

    def routes(self) -> list[BaseRoute]:
        """`/api/delivery/...`."""
        from pilothouse.delivery.acting import api
        from pilothouse.delivery.inbox import api as events

        return [*api.routes(self.server()), *events.routes(self.inbox())]

    def webhook_routes(self) -> list[BaseRoute]:
        """`/webhooks/NAME` of each forge elsewhere."""
        return [*self.remote().routes()]

    def pipeline_routes(self) -> list[BaseRoute]:
        """The runs of jobs, where no directory of pipelines is configured."""
        from pilothouse.delivery.pipelines import api

        return [*api.routes(self.pipelines(), self._config.max_body_bytes)]

    def close(self) -> None:
        """Take no more; what was begun goes on in the next process."""
        with self._lock:
            self._begun.set()
            parts = (self._remote, self._server, self._own, self._inbox)
        # Not under the lock: what is being done is waited for, and asks for the inbox.
        for part in parts:
            if part is not None:
                part.close()
