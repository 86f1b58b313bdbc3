"""Promotions in the server: the environments file, the thread that moves them, and how everything stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from pilothouse.delivery.environments import Environment, EnvironmentsError
from pilothouse.delivery.environments.declaring import Declared
from pilothouse.delivery.environments.drifting import Standing, cluster_versions, standing
from pilothouse.delivery.forges import ForgeError
from pilothouse.delivery.promoting.asking import RefusedError
from pilothouse.delivery.promoting.crew import Crew
from pilothouse.delivery.promoting.driving import Driver
from pilothouse.delivery.promoting.promotion import ONGOING, Happened, Promotion
from pilothouse.delivery.promoting.store import PromotionStore
from pilothouse.releases.running import RunningVersion, running

if TYPE_CHECKING:
    from pilothouse.delivery.forges import Event, Forge
    from pilothouse.engine import Engine
    from pilothouse.releases.store import ReleaseStore

log = structlog.get_logger(__name__)


class PromotionServer:
    """All of promoting in one process. `start` and `close` from any thread."""

    def __init__(
        self, place: str, database: str, releases: ReleaseStore, engine: Engine | None = None,
        forge: Callable[[str], Forge | None] = lambda name: None, shifters: Collection[str] = ("http",),
    ) -> None:  # fmt: skip
        """`place` is the environments file: a path, or `[FORGE:]OWNER/NAME:PATH`; `forge` finds forges by name."""
        self.declared = Declared(place, forge)
        self.store = PromotionStore(database)
        # Who knows which pull requests a version came of says so here.
        self.tell_changes: Callable[[str, str, str], None] = lambda service, version, words: None
        # Where browsers find this server's page; empty while nobody knows.
        self.address: Callable[[], str] = lambda: ""
        self.crew = Crew(
            self.store, self.declared.environments, releases, forge, shifters, lambda *said: self.tell_changes(*said),
            lambda: self.address(),
        )  # fmt: skip
        self._engine = engine
        self._driver = Driver(self.crew)

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._driver.start()

    def close(self) -> None:
        """Stop after the move at hand."""
        self._driver.stop()
        self.store.close()

    def heard(self, event: Event) -> None:
        """Something happened on the forge: look at once at what it may concern."""
        if event.kind == "push":
            self.declared.forget()
        if event.number or event.kind == "status":
            self._driver.wake(event.forge, event.repository if event.number else "", event.number)

    def wake(self) -> None:
        """Look at all promotions at once."""
        self._driver.wake()

    def standings(self, environment: Environment) -> tuple[list[Standing], str]:
        """How each service of an environment stands, and why it could not be told where it could not."""
        problem = ""
        try:
            deployed = self.declared.deployed(environment)
        except (EnvironmentsError, ForgeError) as error:
            deployed, problem = dict.fromkeys(environment.services, ""), str(error)
        heard = self._heard(environment)
        cluster, refused = self._in_cluster(environment)
        moving = {one.service for one in self.store.all(environment=environment.name, ongoing=True) if one.rollout}
        found = []
        for service in environment.services:
            version = deployed.get(service, "")
            why = str(version) if isinstance(version, Exception) else problem or refused
            said = "" if isinstance(version, Exception) else version
            found.append(
                standing(
                    environment, service, said, heard.get(service, []),
                    cluster.get(service, []) if cluster is not None else None, service in moving, why,
                )
            )  # fmt: skip
        return found, problem

    def act(self, key: int, action: str, by: str) -> Promotion:
        """Approve (one without a pull request) or cancel a promotion. Raises `RefusedError`, `ConflictError`."""
        promotion = self.store.one(key)
        if promotion is None:
            raise RefusedError(f"there is no promotion {key}")
        if promotion.state not in ONGOING:
            raise RefusedError(f"promotion {key} has ended: {promotion.state.replace('_', ' ')}")
        if action == "cancel":
            return self._cancelled(promotion, by)
        if promotion.number:
            which = f"{promotion.forge}:{promotion.repository}" if promotion.forge else promotion.repository
            raise RefusedError(
                f"approve its pull request{f', {promotion.url}' if promotion.url else ''}: "
                f"pilothouse pr review {promotion.number} --approve -R {which}"
            )
        if by and by == promotion.by:
            raise RefusedError("somebody else than who asked for it must approve it")
        done = replace(promotion, approved_by=by or "somebody")
        changed = self.store.change(done, Happened(time.time(), "approved", "approved", by or "somebody"))
        self._driver.wake()
        return changed

    def _cancelled(self, promotion: Promotion, by: str) -> Promotion:
        if promotion.state not in ("opening", "open"):
            raise RefusedError(f"promotion {promotion.id} is merged; abort rollout {promotion.rollout} to take it back")
        words = f"cancelled by {by}" if by else "cancelled"
        if (forge := self.crew.forge_with(promotion)) is not None:
            forge.close(promotion.repository, promotion.number)
        return self.store.change(
            replace(promotion, state="closed", reason=words), Happened(time.time(), "closed", words, by or "somebody")
        )

    def _heard(self, environment: Environment) -> Mapping[str, list[RunningVersion]]:
        return running(self._engine, environment.telemetry) if self._engine is not None else {}

    def _in_cluster(self, environment: Environment) -> tuple[dict[str, Any] | None, str]:
        if not environment.cluster:
            return None, ""
        from pilothouse.kube import Cluster, KubeError

        try:
            with Cluster.connect(environment.cluster) as cluster:
                return cluster_versions(cluster, environment.namespace or cluster.namespace, environment.services), ""
        except (KubeError, OSError) as error:
            return None, f"cluster {environment.cluster}: {error}"
