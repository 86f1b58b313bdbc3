"""The loop: something changed, what should be there is compiled, and the cluster is made to say it."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog

from pilothouse.kube import Cluster, KubeError
from pilothouse.mesh.checking import check
from pilothouse.mesh.compiling import Compiled, Options, compile_to
from pilothouse.mesh.controlling.interpreting import interpreted, owners
from pilothouse.mesh.controlling.kinds import INTERFACE, SURROUNDINGS, WRITTEN
from pilothouse.mesh.controlling.leading import Leadership
from pilothouse.mesh.controlling.planning import Plan, plan, wanted_objects
from pilothouse.mesh.controlling.telling import Teller
from pilothouse.mesh.controlling.watching import Watched
from pilothouse.mesh.controlling.writing import Writer
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.reading import Reading
from pilothouse.mesh.sourcing import State, Weighing

log = structlog.get_logger(__name__)
# A change is acted on when nothing followed for a moment, or it waited long enough; drift is looked for now and then.
_QUIET, _LONGEST, _RESYNC, _RETRY = 0.15, 2.0, 300.0, 10.0
# The loop may take so many times its own duration before it looks again, so that a big cluster does not eat a core.
_REST = 2.0


class Controller:
    """Keeps one mesh of one cluster at what its SMI resources say; `start` and `close` may be called once."""

    def __init__(
        self,
        connect: Callable[[], Cluster],
        mesh: str,
        options: Options = Options(),
        identity: str = "",
        lease_seconds: float = 15.0,
    ) -> None:
        """`mesh` is one of `WRITTEN`; `identity` tells this controller from others that wait for the lease."""
        self._connect, self._mesh, self._options = connect, mesh, options
        self._identity = identity or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._lease_seconds = lease_seconds
        self._stop, self._changed = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._leadership: Leadership | None = None
        self._weighing = Weighing()
        self._state = State(Reading(), "cluster", "", mesh, ("the cluster is not connected yet",))

    def start(self) -> None:
        """Begin; a cluster that does not answer yet is waited for."""
        self._spawn("mesh controller", self._run)

    def state(self) -> State:
        """What the cluster has and what was made of it (a `Source`)."""
        return self._state

    def close(self) -> None:
        """Stop writing, let go of the lease, so that another controller begins at once."""
        self._stop.set()
        self._changed.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def _spawn(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self) -> None:
        cluster = self._connected()
        if cluster is None:
            return
        stopping = self._stop.is_set
        leadership = self._leadership = Leadership(
            cluster, f"pilothouse-mesh-{self._mesh}", self._identity, self._lease_seconds
        )
        read = Watched(cluster, (*INTERFACE, *SURROUNDINGS), stopping, self._changed)
        written = Watched(cluster, WRITTEN[self._mesh], stopping, self._changed)
        writer = Writer(cluster, written, lambda: leadership.leading and not stopping(), self._changed.is_set)
        read.start()
        written.start()
        self._spawn("mesh lease", self._lead)
        try:
            self._loop(cluster, read, written, writer, Teller(writer, self._mesh))
        finally:
            writer.close()
            leadership.release()
            cluster.close()

    def _connected(self) -> Cluster | None:
        while not self._stop.is_set():
            try:
                cluster = self._connect()
                cluster.resources()
                return cluster
            except KubeError as error:
                log.warning("the cluster cannot be reached yet", reason=str(error))
                self._state = State(Reading(), "cluster", "", self._mesh, (str(error),))
                self._stop.wait(_RETRY)
        return None

    def _lead(self) -> None:
        assert self._leadership
        led = False
        while not self._stop.is_set():
            leads = self._leadership.renew()
            if leads and not led:
                self._changed.set()
            led = leads
            self._stop.wait(self._leadership.every)

    def _loop(self, cluster: Cluster, read: Watched, written: Watched, writer: Writer, teller: Teller) -> None:
        while not self._stop.is_set():
            self._changed.wait(_RETRY if writer.failed else _RESYNC)
            self._settle(read, written)
            if self._stop.is_set() or not (read.synced and written.synced):
                self._stop.wait(0.05)
                continue
            self._changed.clear()
            if read.blocked:
                # What cannot be seen must not be taken for what is not there: nothing is opened, nothing pruned.
                self._blocked(cluster, read)
                continue
            began = time.monotonic()
            try:
                self._reconcile(cluster, read, written, writer, teller)
            except Exception:
                # The loop must outlive what it cannot handle; the next change tries again.
                log.exception("the mesh could not be brought up to date")
                self._stop.wait(_RETRY)
                self._changed.set()
            self._stop.wait(min(60.0, _REST * (time.monotonic() - began)) if len(read.all()) > 2000 else 0)

    def _blocked(self, cluster: Cluster, read: Watched) -> None:
        problems = tuple(f"{kind.name} cannot be read: {why}" for kind, why in sorted(read.blocked.items()))
        log.warning("nothing is written while resources cannot be read", problems=list(problems))
        last = self._state
        self._state = State(
            last.reading, "cluster", cluster.name or "cluster", self._mesh, problems, last.since, last.losses,
            last.controller,
        )  # fmt: skip

    def _settle(self, read: Watched, written: Watched) -> None:
        until = time.monotonic() + _LONGEST
        while not self._stop.is_set() and time.monotonic() < until:
            quiet = time.monotonic() - max(read.last_change, written.last_change)
            if quiet >= _QUIET:
                return
            self._stop.wait(_QUIET - quiet)

    def _reconcile(self, cluster: Cluster, read: Watched, written: Watched, writer: Writer, teller: Teller) -> None:
        seen = read.all()
        reading = interpreted(seen.values())
        compiled = compile_to(self._mesh, reading.configuration, self._options)
        wanted, unserved = wanted_objects(
            compiled, self._mesh, written.resources, lambda source: owners(reading, source)
        )
        made = plan(wanted, unserved, written.all(), self._mesh, writer.accepted)
        findings = check(reading)
        if self._leadership and self._leadership.leading:
            writer.failed.clear()
            # What was made before is there before what it replaces goes.
            writer.apply(made.apply)
            writer.prune(made.prune)
            for one in made.corrected:
                if one.key not in writer.failed:
                    teller.corrected(reading, one)
            teller.tell(reading, [*findings, *compiled.findings], made, writer.failed, seen)
        self._publish(cluster, read, written, reading, compiled, made, writer)

    def _publish(
        self, cluster: Cluster, read: Watched, written: Watched, reading: Reading, compiled: Compiled, made: Plan,
        writer: Writer,
    ) -> None:  # fmt: skip
        since = self._weighing.look(reading.configuration.splits, {})
        problems = [f"{kind.name}: {why}" for part in (read, written) for kind, why in sorted(part.problems.items())]
        losses = list(compiled.findings)
        for code, rows in (("hindered", made.hindered), ("not-written", writer.failed)):
            losses += [Finding("error", code, _subject(made, key), "", why) for key, why in sorted(rows.items())]
        self._state = State(
            reading, "cluster", cluster.name or "cluster", self._mesh, tuple(problems), since, tuple(losses),
            self._account(made, writer), [one.object for one in read.all().values()],
        )  # fmt: skip

    def _account(self, made: Plan, writer: Writer) -> dict[str, Any]:
        assert self._leadership
        return {
            "identity": self._identity, "leading": self._leadership.leading, "leader": self._leadership.holder or None,
            "objects": len(made.wanted), "hindered": len(made.hindered), "failed": len(writer.failed),
            "applied": writer.applied, "pruned": writer.pruned, "reconciled": time.time(),
        }  # fmt: skip


def _subject(made: Plan, key: tuple[str, str, str, str]) -> str:
    wanted = made.wanted.get(key)
    return wanted.subjects[0] if wanted else f"{key[1]} {key[2]}/{key[3]}"
