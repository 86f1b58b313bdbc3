"""Releases, promotions and previews in the process: built where a forge or an environments file asks for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import structlog
from starlette.routing import Route

if TYPE_CHECKING:
    from pilothouse.delivery.forges import Event, Forge
    from pilothouse.delivery.previews.serving import PreviewServer, Starter
    from pilothouse.delivery.promoting.serving import PromotionServer
    from pilothouse.delivery.releasing.publishing import Releasing
    from pilothouse.delivery.releasing.release import Release
    from pilothouse.delivery.releasing.serving import ReleaseServer
    from pilothouse.engine import Engine
    from pilothouse.releases.store import ReleaseStore
    from pilothouse.server.config import Config
    from pilothouse.server.delivery import LiveDelivery

log = structlog.get_logger(__name__)


class LiveShipping:
    """From a merge to production. The forge is opened, and what needs it imported, with the first event of it."""

    def __init__(
        self, config: Config, database: str, releases: ReleaseStore, engine: Engine, delivery: LiveDelivery | None,
        shifters: Collection[str],
    ) -> None:  # fmt: skip
        """`delivery` knows the forges, which pull requests may be previewed, and which runs tested what."""
        self._config, self._database, self._releases, self._delivery = config, database, releases, delivery
        self._engine, self._shifters = engine, shifters
        self._promotions: PromotionServer | None = None
        self._making = threading.Lock()
        self.previews: PreviewServer | None = None
        self.releasing: ReleaseServer | None = None
        self._lock = threading.Lock()
        self._begun = self._closed = False

    @property
    def promotions(self) -> PromotionServer:
        """Made when it is first wanted: a server without environments never imports it."""
        with self._making:
            if self._promotions is None:
                from pilothouse.delivery.promoting.serving import PromotionServer

                self._promotions = PromotionServer(
                    self._config.environments, self._database, self._releases, self._engine, self.forge, self._shifters
                )
                if self._delivery is not None:
                    self._promotions.address = self._delivery.address
            return self._promotions

    def forge(self, name: str = "") -> Forge | None:
        """A forge by its name; without one the only one there is, None when there is none at all.

        Raises the forges' `InvalidError` for one that is not there, and where it is not said which of several.
        """
        from pilothouse.delivery.forges.choosing import chosen

        if self._delivery is None:
            return None
        found = chosen(self._delivery.names, name)
        return self._delivery.forge(found) if found else None

    def start(self) -> None:
        """Begin; after the forge has."""
        if self._config.environments:
            self.promotions.start()
        live = self._delivery
        if live is not None and (live.has_remote or (live.is_on and (self._config.data / "forge").exists())):
            # The forges open themselves meanwhile; the start does not wait for them.
            threading.Thread(target=self._begin_quietly, name="shipping", daemon=True).start()

    def heard(self, event: Event) -> None:
        """Something happened on the forge, and was acted on: do what follows. Never raises."""
        try:
            self._begin()
            self.promotions.heard(event)
            for one in (self.previews, self.releasing):
                if one is not None:
                    one.heard(event)
        except Exception as error:
            log.error("an event was not followed", delivery=event.delivery, reason=str(error))

    def routes(self) -> list[Route]:
        """The endpoints."""
        from pilothouse.delivery.previews import api as previews
        from pilothouse.delivery.promoting import api as promotions
        from pilothouse.delivery.releasing import api as releases

        return [
            *promotions.routes(self.promotions),
            *previews.routes(lambda: self.previews),
            *releases.routes(lambda: self.releasing, self._releaser),
        ]

    def close(self) -> None:
        """Stop, previews too; all goes on with the next process."""
        with self._lock:
            self._closed = True
        for one in (self.releasing, self.previews):
            if one is not None:
                one.close()
        with self._making:
            if self._promotions is not None:
                self._promotions.close()

    def _begin_quietly(self) -> None:
        try:
            self._begin()
        except Exception as error:
            log.error("releases and previews cannot begin", reason=str(error))

    def _begin(self) -> None:
        live = self._delivery
        with self._lock:
            if self._begun or self._closed or live is None or not live.is_on:
                return
            self._begun = True
            from pilothouse.delivery.previews.serving import PreviewServer
            from pilothouse.delivery.releasing.serving import ReleaseServer

            self.releasing = ReleaseServer(self._releaser, self._database, self._released, self._refused)
            self.releasing.start()
            self.promotions.tell_changes = self.releasing.tell
            if starter := self._starter(live.forge):
                self.previews = PreviewServer(
                    live.forge, self._database, self._config.data, starter, live.is_trusted
                )  # fmt: skip
                self.previews.start()

    def _releaser(self, name: str = "") -> Releasing:
        from pilothouse.delivery.releasing.publishing import Releasing

        forge = self.forge(name)
        if forge is None or self._delivery is None:
            raise OSError("there is no forge here to release from")
        live = self._delivery
        return Releasing(forge, self._releases.marks, self._config.data, live.run, live.tested)

    def _refused(self, repository: str, service: str, forge: str) -> str:
        from pilothouse.delivery.environments import EnvironmentsError
        from pilothouse.delivery.forges import InvalidError, UnavailableError

        try:
            return self.promotions.declared.environments().why_not_from(repository, service, forge)
        except (EnvironmentsError, InvalidError) as error:
            # Asked again later: whether it may is not known before the file can be read.
            raise UnavailableError(str(error)) from None

    def _released(self, release: Release) -> None:
        from pilothouse.delivery.environments import EnvironmentsError
        from pilothouse.delivery.forges import InvalidError
        from pilothouse.delivery.promoting.asking import released

        try:
            if released(self.promotions.crew, release.service, release.version, release.changes, "release"):
                self.promotions.wake()
        except (EnvironmentsError, InvalidError) as error:
            log.warning("a release goes nowhere", service=release.service, version=release.version, reason=str(error))

    def _starter(self, forge: Callable[[str], Forge]) -> Starter | None:
        if self._config.previews == "local":
            from pilothouse.delivery.previews.local import LocalStarter

            return LocalStarter(forge)
        if self._config.previews == "kubernetes":
            from pilothouse.delivery.previews.namespaced import NamespaceStarter
            from pilothouse.kube import Cluster, KubeError

            try:
                cluster = Cluster.connect(self._config.kube_context)
            except KubeError as error:
                log.error("there are no previews: the cluster cannot be reached", reason=str(error))
                return None
            return NamespaceStarter(forge, cluster, self._config.preview_domain)
        return None
