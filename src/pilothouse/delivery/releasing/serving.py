"""Releases in the server: each commit that comes to a default branch is released once what it waits for is green."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from pilothouse.control.claiming import Claim
from pilothouse.delivery.forges import ForgeError, MissingError, UnavailableError
from pilothouse.delivery.projects import FILE
from pilothouse.delivery.releasing.pending import Pending, PendingStore
from pilothouse.delivery.releasing.release import Release, ReleaseError

if TYPE_CHECKING:
    from pilothouse.delivery.forges import Event, Forge
    from pilothouse.delivery.releasing.publishing import Releasing

log = structlog.get_logger(__name__)
_EVERY = 2.0
Refusing = Callable[[str, str, str], str]
"""From a repository, the service that it says it is, and its forge: why it may not release as that, or nothing."""
Released = Callable[[Release], None]
"""Hears of a release that was made; may hear of one twice after a crash."""


class ReleaseServer:
    """Releases by itself what repositories with a `.pilothouse.yaml` merge. `start` and `close` from any thread."""

    def __init__(
        self, releasing: Callable[[str], Releasing], database: str, released: Released,
        refusing: Refusing = lambda repository, service, forge: "", every: float = _EVERY, owner: str = "",
    ) -> None:  # fmt: skip
        """`releasing` finds what makes releases on a forge, by its name. Of several processes on one database, told
        apart by `owner`, one makes them.
        """
        self.store = PendingStore(database)
        self._claim = Claim(self.store.database, "releases", owner)
        self._releasing, self._released, self._refusing, self._every = releasing, released, refusing, every
        self._resting: dict[tuple[str, str], float] = {}
        self._woken, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="releases", daemon=True)

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the release at hand."""
        self._stopped.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=60)
        self._claim.let_go()
        self.store.close()

    def heard(self, event: Event) -> None:
        """Something happened on the forge: a push to a default branch asks for a release."""
        if event.kind == "push" and event.ref is not None and event.ref.branch and not event.ref.deleted:
            forge = self._releasing(event.forge).forge
            if event.ref.branch == forge.repository(event.repository).default_branch:
                self.store.ask(event.repository, event.ref.after, event.forge)
                self._woken.set()
        elif event.kind == "status":
            self._woken.set()

    def made(self, release: Release) -> None:
        """Somebody has made a release: it goes its way as one that was made here, and is not made again."""
        self.store.ask(release.repository, release.commit, release.forge)
        pending = self.store.one(release.repository, release.commit, release.forge)
        self._released(release)
        if pending is not None:
            self.store.keep(replace(pending, state="released", reason="", version=release.version))

    def tell(self, service: str, version: str, words: str) -> None:
        """Say something of a release on the pull requests that are in it. What a forge refuses stops nothing."""
        try:
            for pending in self.store.released(version):
                releasing = self._releasing(pending.forge)
                release = releasing.work_out(pending.repository, pending.commit)
                if release.service == service:
                    releasing.tell(release, words, key="verdict")
        except (ReleaseError, ForgeError) as error:
            log.warning("a release's pull requests were not told", service=service, version=version, reason=str(error))

    def look(self) -> None:
        """Look once at all that waits; nothing while another process does."""
        if not self._claim.held():
            return
        for pending in self.store.waiting():
            if self._stopped.is_set():
                return
            # Those after a commit whose forge did not answer wait with it: released first they would take its version.
            source = (pending.forge, pending.repository)
            if time.monotonic() < self._resting.get(source, 0.0):
                continue
            try:
                self._move(pending)
            except ReleaseError as error:
                self._decided(pending, "refused", str(error))
            except ForgeError as error:
                if isinstance(error, UnavailableError):
                    self._resting[source] = time.monotonic() + max(error.retry_after, self._every)
                why = f"cannot go on: {error}"
                if why != pending.reason:  # it is looked at every few seconds
                    log.warning("a release waits", repository=pending.repository, reason=str(error))
                self._waits(pending, why)

    def _move(self, pending: Pending) -> None:
        releasing = self._releasing(pending.forge)
        forge = releasing.forge
        try:
            forge.read_file(pending.repository, FILE, pending.commit)
        except MissingError:
            self._decided(pending, "refused", f"has no {FILE}")
            return
        project = releasing.project(pending.repository, pending.commit)
        if not project.release.automatic:
            self._decided(pending, "refused", "release.automatic is false")
            return
        if forge.repository(pending.repository).fork_of:
            raise ReleaseError("a fork makes no releases")
        if why := self._refusing(pending.repository, project.service, pending.forge):
            raise ReleaseError(why)
        waits = _not_green(forge, pending, project.release.after)
        if waits:
            self._waits(pending, waits)
            return
        release = releasing.work_out(pending.repository, pending.commit)
        run = pending.run or releasing.tested(release)
        releasing.publish(release, run)
        self._released(release)
        self.store.keep(replace(pending, state="released", reason="", version=release.version, run=run))

    def _waits(self, pending: Pending, reason: str) -> None:
        if reason != pending.reason:
            self.store.keep(replace(pending, reason=reason))

    def _decided(self, pending: Pending, state: str, reason: str) -> None:
        self.store.keep(replace(pending, state=state, reason=reason))  # type: ignore[arg-type]

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._woken.wait(self._every)
            self._woken.clear()
            try:
                self.look()
            except Exception as error:
                log.error("releases could not be looked at", reason=str(error), exc_info=True)


def _not_green(forge: Forge, pending: Pending, after: tuple[str, ...]) -> str:
    """What the commit waits for, or nothing. Raises `ReleaseError` for what will not be green any more."""
    if not after:
        return ""
    states = {name: one.state for name, one in forge.statuses(pending.repository, pending.commit).items()}
    for name in after:
        if states.get(name) in ("failure", "error"):
            raise ReleaseError(f"{name} failed")
    missing = [name for name in after if states.get(name) != "success"]
    return f"waits for {', '.join(missing)}" if missing else ""
