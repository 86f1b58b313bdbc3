"""Previews in the server: one thread starts, watches and ends all of them.

A preview follows its pull request: another commit takes the old one's place at the same address, closing ends it, and
so does its time. After a restart those that lived are started again, and what an earlier process left is cleared away.
"""

from __future__ import annotations

import math
import queue
import shutil
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog

from pilothouse.delivery.forges import PERMISSIONS, ForgeError, MissingError, PullRequest, UnavailableError
from pilothouse.delivery.previews.preview import LIVE, Preview, PreviewError
from pilothouse.delivery.previews.store import PreviewStore
from pilothouse.delivery.previews.wording import KEY, comment
from pilothouse.delivery.projects import FILE, ProjectError, read_project

if TYPE_CHECKING:
    from pilothouse.delivery.forges import Event, Forge
    from pilothouse.delivery.projects.project import PreviewPlan

log = structlog.get_logger(__name__)
_EVERY, _LONGEST = 0.5, 300.0
_MOST = 20
Trusted = Callable[[str, PullRequest], bool]
"""Whether the commit of a pull request on a forge (by its name) may be run here."""


class Running(Protocol):
    """A preview that runs somewhere: on a `port` of this machine (else 0), or in the namespace `place`."""

    how: str
    port: int
    place: str

    @property
    def url(self) -> str:
        """Where it is."""

    def ready(self) -> bool:
        """Whether it answers."""

    def failed(self) -> str:
        """Why it will never answer, or nothing."""

    def log(self) -> str:
        """The last that it said."""

    def stop(self) -> None:
        """End it, and take away all that it was."""


class Starter(Protocol):
    """What makes previews run."""

    def start(self, preview: Preview, plan: PreviewPlan, place: Path) -> Running:
        """Begin one, with `place` as a directory of its own. Raises `PreviewError`, `OSError`, the forge's errors."""

    def sweep(self, live: Collection[int]) -> None:
        """Take away what earlier processes left of previews that are not among the live ones."""


@dataclass(slots=True)
class _Live:
    running: Running
    commit: str
    due: float
    ready: bool = False
    log: str = ""


@dataclass(frozen=True, slots=True)
class _Later:
    """When a pull request is looked at again, after `wait` seconds."""

    at: float = math.inf
    wait: float = _EVERY


@dataclass(frozen=True, slots=True)
class Ask:
    """Something to be done by the thread: a pull request to look at again, or (0) all of them."""

    forge: str = ""
    repository: str = ""
    number: int = 0


class PreviewServer:
    """All previews of one process. `start` and `close` from any thread."""

    def __init__(
        self, forge: Callable[[str], Forge], database: str, data: Path, starter: Starter,
        trusted: Trusted | None = None, most: int = _MOST,
    ) -> None:  # fmt: skip
        """`forge` finds a forge by its name; `starter` begins previews; `trusted` says which may be; at most `most`
        live at once.
        """
        self.store = PreviewStore(database)
        self._forge, self._data, self._starter, self._most = forge, data / "previews", starter, most
        self._trusted = trusted or self._by_permission
        self._asked: queue.SimpleQueue[Ask] = queue.SimpleQueue()
        self._live: dict[int, _Live] = {}
        self._logs: dict[int, str] = {}
        self._later: dict[Ask, _Later] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="previews", daemon=True)

    def start(self) -> None:
        """Clear away what an earlier process left, and start again what lived."""
        self._thread.start()

    def close(self) -> None:
        """End all that run; those that live are started again by the next process."""
        self._stopped.set()
        self._asked.put(Ask())
        if self._thread.is_alive():
            self._thread.join(timeout=60)
        self.store.close()

    def heard(self, event: Event) -> None:
        """Something happened on the forge."""
        # A comment may have said /ok-to-test.
        if event.number and event.kind in ("pull_request", "comment"):
            self.look(event.repository, event.number, event.forge)

    def look(self, repository: str, number: int, forge: str = "local") -> None:
        """See whether a pull request wants a preview, another one, or none any more."""
        self._asked.put(Ask(forge, repository, number))

    def stop(self, key: int, by: str = "") -> Preview | None:
        """End one before its time; None when there is none."""
        preview = self.store.one(key)
        if preview is not None and preview.state in LIVE:
            reason = f"stopped by {by}" if by else "stopped"
            preview = self.store.keep(replace(preview, state="stopped", reason=reason))
            self._asked.put(Ask())
        return preview

    def log(self, key: int) -> str:
        """The last lines of one, also of one that failed."""
        live = self._live.get(key)
        return live.running.log() if live is not None else self._logs.get(key, "")

    # The thread

    def _work(self) -> None:
        self._begin()
        while not self._stopped.is_set():
            try:
                ask = self._asked.get(timeout=_EVERY)
                if ask.number:
                    self._guarded(self._answer, ask)
            except queue.Empty:
                pass
            self._guarded(self._watch)
            self._ask_again()
        for key in list(self._live):
            self._end(key)

    def _guarded(self, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except ForgeError as error:
            log.warning("a preview could not be looked at", reason=str(error))
        except Exception as error:
            log.error("a preview could not be looked at", reason=str(error), exc_info=True)

    def _begin(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(parents=True, exist_ok=True)
        live = self.store.all(live=True)
        self._guarded(self._starter.sweep, {preview.id for preview in live})
        for preview in live:
            self.store.keep(replace(preview, state="asked"))
            self.look(preview.repository, preview.number, preview.forge)

    def _answer(self, ask: Ask) -> None:
        """Look at a pull request; where the forge does not answer, later again: no other event may ever come."""
        try:
            self._look(ask)
        except UnavailableError as error:
            wait = max(error.retry_after, min(self._later.get(ask, _Later()).wait * 2, _LONGEST))
            self._later[ask] = _Later(time.monotonic() + wait, wait)
            raise
        self._later.pop(ask, None)

    def _ask_again(self) -> None:
        now = time.monotonic()
        for ask, later in self._later.items():
            if now >= later.at:
                self._later[ask] = replace(later, at=math.inf)
                self._asked.put(ask)

    def _look(self, ask: Ask) -> None:
        try:
            pull = self._forge(ask.forge).pull_request(ask.repository, ask.number)
        except MissingError:
            self._close(ask, "the pull request is gone")
            return
        if pull.state != "open":
            self._close(ask, f"the pull request was {pull.state}")
            return
        known = self.store.of_pull(ask.repository, ask.number, ask.forge)
        current = known is not None and known.commit == pull.head.sha
        if known is not None and current and (known.state in ("failed", "stopped") or known.id in self._live):
            return
        plan = self._plan(ask.forge, pull)
        if plan is None:
            self._close(ask, "its commit has no `preview` section")
            return
        if not self._trusted(ask.forge, pull):
            return
        asked = known if known is not None and current else None
        self._run(asked or self.store.ask(ask.repository, ask.number, pull.head.sha, ask.forge), plan)

    def _plan(self, forge: str, pull: PullRequest) -> PreviewPlan | None:
        """What the pull request's own commit says. A file that cannot be used is told where it can be mended."""
        repository = pull.head.repository or pull.repository
        try:
            text = self._forge(forge).read_file(repository, FILE, pull.head.sha).decode(errors="replace")
            return read_project(text, pull.repository).preview
        except MissingError:
            return None
        except ProjectError as error:
            preview = self.store.ask(pull.repository, pull.number, pull.head.sha, forge)
            self._failed(preview, f"{FILE}: {error}")
            return None

    def _run(self, preview: Preview, plan: PreviewPlan) -> None:
        self._end(preview.id)
        if len(self._live) >= self._most:
            self._failed(preview, f"{self._most} previews run already, which is the most")
            return
        now = time.time()
        expires = preview.expires or now + plan.life
        preview = self.store.keep(replace(preview, state="starting", started=now, expires=expires, reason=""))
        self._tell(preview)
        place = self._data / str(preview.id)
        try:
            running = self._starter.start(preview, plan, place)
        except UnavailableError as error:
            shutil.rmtree(place, ignore_errors=True)
            self.store.keep(replace(preview, state="asked", reason=str(error)))
            raise
        except (PreviewError, OSError) as error:
            shutil.rmtree(place, ignore_errors=True)
            self._failed(preview, str(error))
            return
        self._live[preview.id] = _Live(running, preview.commit, now + plan.start)
        self.store.keep(replace(preview, url=running.url, port=running.port, place=running.place, how=running.how))

    def _watch(self) -> None:
        for key, live in list(self._live.items()):
            preview = self.store.one(key)
            if preview is None or preview.state not in LIVE:
                self._end(key)
                if preview is not None:
                    self._tell(preview)
            elif why := live.running.failed():
                self._failed(preview, why)
            elif time.time() >= preview.expires:
                self._finished(preview, "its time is over")
            elif not live.ready and live.running.ready():
                live.ready = True
                self._tell(self.store.keep(replace(preview, state="ready", url=live.running.url)))
            elif not live.ready and time.time() > live.due:
                self._failed(preview, f"it was not ready after {live.due - preview.started:.0f} s")

    def _close(self, ask: Ask, reason: str) -> None:
        preview = self.store.of_pull(ask.repository, ask.number, ask.forge)
        if preview is not None and preview.state in LIVE:
            left = preview.id not in self._live
            self._finished(preview, reason)
            if left:
                # An earlier process began it, and may have been killed before it could end it.
                self._starter.sweep({one.id for one in self.store.all(live=True)})

    def _finished(self, preview: Preview, reason: str) -> None:
        self._end(preview.id)
        self._tell(self.store.keep(replace(preview, state="stopped", reason=reason)))

    def _failed(self, preview: Preview, reason: str) -> None:
        self._end(preview.id)
        self._tell(self.store.keep(replace(preview, state="failed", reason=reason)))

    def _end(self, key: int) -> None:
        live = self._live.pop(key, None)
        if live is None:
            return
        self._logs[key] = live.running.log()
        try:
            live.running.stop()
        finally:
            shutil.rmtree(self._data / str(key), ignore_errors=True)

    def _tell(self, preview: Preview) -> None:
        try:
            text = comment(preview, self.log(preview.id))
            self._forge(preview.forge).add_comment(preview.repository, preview.number, text, key=KEY)
        except ForgeError as error:
            log.warning("a preview's comment was not written", preview=preview.id, reason=str(error))

    def _by_permission(self, forge: str, pull: PullRequest) -> bool:
        allowed = self._forge(forge).permission(pull.repository, pull.author)
        return PERMISSIONS.index(allowed) >= PERMISSIONS.index("write")
