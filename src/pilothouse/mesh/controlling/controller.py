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
from pilothouse.mesh.compiling import Options
from pilothouse.mesh.controlling.kinds import INTERFACE, SURROUNDINGS, WRITTEN
from pilothouse.mesh.controlling.leading import Leadership
from pilothouse.mesh.controlling.making import made_of
from pilothouse.mesh.controlling.parts import Part, Parts, joined, read_part
from pilothouse.mesh.controlling.pending import Pending
from pilothouse.mesh.controlling.planning import Plan, plan
from pilothouse.mesh.controlling.remembering import Memory
from pilothouse.mesh.controlling.telling import Teller
from pilothouse.mesh.controlling.watching import Key, Seen, Watched
from pilothouse.mesh.controlling.writing import Writer
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.reading import Reading
from pilothouse.mesh.sourcing import State, Weighing

log = structlog.get_logger(__name__)
# A change is acted on when nothing followed for a moment, or it waited long enough; drift is looked for now and then.
_QUIET, _LONGEST, _RESYNC, _RETRY = 0.03, 0.5, 300.0, 10.0
# After what nobody waits for the loop rests so many times as long as it computed: a big cluster must not eat a core.
_REST = 2.0
# While parts are still to be looked at, the whole state is put together so often at most, and for a tenth of the time.
_PUBLISH, _PUBLISH_SHARE = 1.0, 10


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
        self._stop, self._pending = threading.Event(), Pending()
        self._threads: list[threading.Thread] = []
        self._leadership: Leadership | None = None
        self._weighing = Weighing()
        self._division, self._parts = Parts(mesh), dict[str, Part]()
        self._again: set[str] = set()
        self._publish_at = 0.0
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
        self._pending.wake()
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
        pending, division = self._pending, self._division
        read = Watched(
            cluster, (*INTERFACE, *SURROUNDINGS), stopping, pending, division.of, division.reached_by_read
        )  # fmt: skip
        written = Watched(
            cluster, WRITTEN[self._mesh], stopping, pending, division.of, division.reached_by_written
        )  # fmt: skip
        writer = Writer(
            cluster, written, lambda: leadership.leading and not stopping(), lambda: pending.pressing
        )  # fmt: skip
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
        led, holder = False, ""
        while not self._stop.is_set():
            leads = self._leadership.renew()
            # Who follows says whom, also where nothing else changed since.
            if (leads and not led) or self._leadership.holder != holder:
                self._pending.note_all()
            led, holder = leads, self._leadership.holder
            self._stop.wait(self._leadership.every)

    def _loop(self, cluster: Cluster, read: Watched, written: Watched, writer: Writer, teller: Teller) -> None:
        pending = self._pending
        while not self._stop.is_set():
            if not pending.wait(_RETRY if self._again else _RESYNC):
                self._look_again()
            self._settle()
            if self._stop.is_set() or not (read.synced and written.synced):
                self._stop.wait(0.05)
                continue
            if read.blocked:
                # What cannot be seen must not be taken for what is not there: nothing is opened, nothing pruned.
                # What can be seen again is listed, and everything is looked at then.
                pending.clear()
                self._blocked(cluster, read)
                continue
            asked = pending.pressing
            part = pending.take(lambda: read.parts() | written.parts() | self._parts.keys())
            if part is None:
                continue
            # A part that was never looked at is waited for too.
            asked = asked or part not in self._parts
            began = time.thread_time()
            try:
                self._reconcile(part, read, written, writer, teller)
            except Exception:
                # The loop must outlive what it cannot handle; it is tried again.
                log.exception("the mesh could not be brought up to date", part=part)
                self._again.add(part)
            if not pending or time.monotonic() > self._publish_at:
                self._publish(cluster, read, written, writer)
            if not asked:
                pending.rest(min(60.0, _REST * (time.thread_time() - began)), self._stop.is_set)

    def _look_again(self) -> None:
        """Nothing happened for a while: what failed is tried again, else drift is looked for everywhere."""
        if self._again:
            self._pending.again(self._again)
            self._again = set()
        else:
            self._pending.note_all()

    def _blocked(self, cluster: Cluster, read: Watched) -> None:
        problems = tuple(f"{kind.name} cannot be read: {why}" for kind, why in sorted(read.blocked.items()))
        log.warning("nothing is written while resources cannot be read", problems=list(problems))
        last = self._state
        self._state = State(
            last.reading, "cluster", cluster.name or "cluster", self._mesh, problems, last.since, last.losses,
            last.controller,
        )  # fmt: skip

    def _settle(self) -> None:
        until = time.monotonic() + _LONGEST
        while not self._stop.is_set() and time.monotonic() < until:
            quiet = time.monotonic() - self._pending.last_change
            if quiet >= _QUIET:
                return
            self._stop.wait(_QUIET - quiet)

    def _reconcile(self, part: str, read: Watched, written: Watched, writer: Writer, teller: Teller) -> None:
        """One part is compiled, and the cluster made to say it."""
        seen = read.of(part)
        before = self._parts.get(part)
        memory = before.memory if before else Memory()
        reading = read_part(seen, read.wide(), memory)
        wanted = made_of(reading, self._mesh, self._options, written.resources, memory)
        there = written.wide() | written.of(part)
        made = plan(wanted.wanted, wanted.unserved, there, self._mesh, writer.accepted, memory)
        now = Part(reading, wanted.losses, made, memory)
        if self._leadership and self._leadership.leading:
            for key in [key for key in writer.failed if self._division.of(key) == part]:
                del writer.failed[key]
            # What was made before is there before what it replaces goes.
            writer.apply(made.apply)
            writer.prune(made.prune)
            for one in made.corrected:
                if one.key not in writer.failed:
                    teller.corrected(reading, one)
            self._tell(part, seen, now, [*wanted.findings, *wanted.losses], writer, teller)
        if seen or wanted.wanted:
            self._parts[part] = now
        else:
            self._parts.pop(part, None)

    def _tell(
        self, part: str, seen: dict[Key, Seen], known: Part, found: list[Finding], writer: Writer, teller: Teller
    ) -> None:
        writer.put_off = False
        teller.tell(known.reading, found, known.made, writer.failed, seen, known.memory)
        if writer.put_off:
            self._pending.again([part])
        if any(self._division.of(key) == part for key in writer.failed):
            self._again.add(part)

    def _publish(self, cluster: Cluster, read: Watched, written: Watched, writer: Writer) -> None:
        began = time.monotonic()
        reading = joined(self._parts.values())
        since = self._weighing.look(reading.configuration.splits, {})
        problems = [f"{kind.name}: {why}" for part in (read, written) for kind, why in sorted(part.problems.items())]
        losses = [finding for part in self._parts.values() for finding in part.losses]
        for part in self._parts.values():
            losses += [_lost(part.made, "hindered", key, why) for key, why in sorted(part.made.hindered.items())]
        for key, why in sorted(writer.failed.items()):
            made = self._parts.get(self._division.of(key))
            losses.append(_lost(made.made if made else Plan(), "not-written", key, why))
        self._state = State(
            reading, "cluster", cluster.name or "cluster", self._mesh, tuple(problems), since, tuple(losses),
            self._account(writer), [one.object for one in read.all().values()],
        )  # fmt: skip
        now = time.monotonic()
        self._publish_at = now + max(_PUBLISH, _PUBLISH_SHARE * (now - began))

    def _account(self, writer: Writer) -> dict[str, Any]:
        assert self._leadership
        made = [part.made for part in self._parts.values()]
        return {
            "identity": self._identity, "leading": self._leadership.leading, "leader": self._leadership.holder or None,
            "objects": sum(len(one.wanted) for one in made), "hindered": sum(len(one.hindered) for one in made),
            "failed": len(writer.failed), "applied": writer.applied, "pruned": writer.pruned,
            "waiting": len(self._pending), "reconciled": time.time(),
        }  # fmt: skip


def _lost(made: Plan, code: str, key: Key, why: str) -> Finding:
    wanted = made.wanted.get(key)
    subject = wanted.subjects[0] if wanted else f"{key[1]} {key[2]}/{key[3]}"
    return Finding("error", code, subject, "", why)
