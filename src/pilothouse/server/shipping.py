"""Releases, promotions and previews in the process: built where a forge or an environments file asks for them."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import TYPE_CHECKING

import structlog
from starlette.routing import Route

if TYPE_CHECKING:
    from pilothouse.delivery.forges import Event, Forge
    from pilothouse.delivery.previews.serving import PreviewServer, Starter, Trusted
    from pilothouse.delivery.promoting.serving import PromotionServer
    from pilothouse.delivery.releasing.publishing import Releasing
    from pilothouse.delivery.releasing.release import Release
    from pilothouse.delivery.releasing.serving import ReleaseServer
    from pilothouse.engine import Engine
    from pilothouse.releases.store import ReleaseStore
    from pilothouse.server.config import Config
    from pilothouse.server.forge import LiveForge

log = structlog.get_logger(__name__)


class LiveShipping:
    """From a merge to production. The forge is opened, and what needs it imported, with the first event of it."""

    def __init__(
        self, config: Config, database: str, releases: ReleaseStore, engine: Engine, forge: LiveForge | None,
        shifters: Collection[str], trusted: Trusted | None = None,
    ) -> None:  # fmt: skip
        """`trusted` says which pull requests may be previewed; else those of people who may write."""
        from pilothouse.delivery.promoting.serving import PromotionServer

        self._config, self._database, self._releases, self._live = config, database, releases, forge
        self._trusted = trusted
        self.promotions: PromotionServer = PromotionServer(
            config.environments, database, releases, engine, self.forge, shifters
        )
        self.previews: PreviewServer | None = None
        self.releasing: ReleaseServer | None = None
        self._lock = threading.Lock()
        self._begun = self._closed = False

    def forge(self) -> Forge | None:
        """The forge that environments and repositories are on, or None."""
        return self._live.forge() if self._live is not None and self._live.is_on else None

    def start(self) -> None:
        """Begin; after the forge has."""
        if self._config.environments:
            self.promotions.start()
        if self._live is not None and self._live.is_on and (self._config.data / "forge").exists():
            # The forge opens itself meanwhile; the start does not wait for it.
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
        self.promotions.close()

    def _begin_quietly(self) -> None:
        try:
            self._begin()
        except Exception as error:
            log.error("releases and previews cannot begin", reason=str(error))

    def _begin(self) -> None:
        forge = self.forge()
        with self._lock:
            if self._begun or self._closed or forge is None:
                return
            self._begun = True
            from pilothouse.delivery.previews.serving import PreviewServer
            from pilothouse.delivery.releasing.serving import ReleaseServer

            self.releasing = ReleaseServer(self._releaser(), self._database, self._released, self._refused)
            self.releasing.start()
            self.promotions.tell_changes = self.releasing.tell
            if starter := self._starter(forge):
                self.previews = PreviewServer(forge, self._database, self._config.data, starter, self._trusted)
                self.previews.start()

    def _releaser(self) -> Releasing:
        from pilothouse.delivery.releasing.publishing import Releasing

        forge = self.forge()
        if forge is None:
            raise OSError("there is no forge here to release from")
        return Releasing(forge, self._releases.marks, self._config.data)

    def _refused(self, repository: str, service: str) -> str:
        from pilothouse.delivery.environments import EnvironmentsError
        from pilothouse.delivery.forges import UnavailableError

        try:
            return self.promotions.declared.environments().why_not_from(repository, service)
        except EnvironmentsError as error:
            # Asked again later: whether it may is not known before the file can be read.
            raise UnavailableError(str(error)) from None

    def _released(self, release: Release) -> None:
        from pilothouse.delivery.environments import EnvironmentsError
        from pilothouse.delivery.promoting.asking import released

        try:
            if released(self.promotions.crew, release.service, release.version, release.changes, "release"):
                self.promotions.wake()
        except EnvironmentsError as error:
            log.warning("a release goes nowhere", service=release.service, version=release.version, reason=str(error))

    def _starter(self, forge: Forge) -> Starter | None:
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
