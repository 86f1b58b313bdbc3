"""Shells that stand ready in control groups of their own, each to become the next sandbox.

To move a process into a control group waits until every processor has seen it (about 10 ms that nobody computes in), so
it is done before there is something to run. One that is not ready when it is wanted is not waited for.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import itertools
import os
import shlex
import shutil
import subprocess
import threading

from pilothouse.delivery.pipelines.executors.launching import Limits, Started
from pilothouse.delivery.pipelines.executors.limiting import Limited, sweep
from pilothouse.delivery.pipelines.executors.spawning import Child, Sink

_READY = b"."
_SCRIPT = (
    'for group in "$@"; do echo $$ >"$group/cgroup.procs" || exit 125; done; '
    # What it is to become comes as a shell's words, when it comes; at the end of this process nothing comes.
    "printf . ; . /dev/stdin"
)
_MOST = 2
_NAME = "standing"
_numbers = itertools.count()
_standing: dict[Limits, list[Standing]] = {}
# Tenants have a loop and a thread each.
_lock = threading.Lock()


class Standing:
    """One shell; `limited` are its groups, which whoever takes it has to end."""

    def __init__(self, limits: Limits) -> None:
        self.limited = Limited(limits, f"{_NAME}-{os.getpid()}-{next(_numbers)}")
        self.limited.__enter__()
        self._out, out = os.pipe()
        self._err, err = os.pipe()
        try:
            self._process = subprocess.Popen(
                (shutil.which("sh") or "/bin/sh", "-c", _SCRIPT, "sh", *self.limited.places), stdin=subprocess.PIPE,
                stdout=out, stderr=err, env={}, start_new_session=True,
            )  # fmt: skip
        except OSError:
            os.close(self._out)
            os.close(self._err)
            self.limited.__exit__(None, None, None)
            raise
        finally:
            os.close(out)
            os.close(err)

    def is_ready(self) -> bool:
        """Whether it is in its groups."""
        os.set_blocking(self._out, False)
        try:
            return os.read(self._out, 1) == _READY
        except OSError:
            return False

    @property
    def ended(self) -> bool:
        """Whether it could not join its groups, or something ended it."""
        return self._process.poll() is not None

    def run(self, started: Started, out: Sink, err: Sink | None = None) -> Child:
        """Become the command; see `spawn`. Raises `OSError`."""
        words = [f"export {name}={shlex.quote(value)}" for name, value in started.environment.items()]
        merged = "" if err else " 2>&1"
        words.append(f"exec {shlex.join(started.command)} </dev/null{merged}\n")
        stdin = self._process.stdin
        assert stdin
        with stdin:
            stdin.write("\n".join(words).encode(errors="surrogateescape"))
        pipes = {self._out: out}
        if err:
            pipes[self._err] = err
        else:
            os.close(self._err)
        return Child(self._process, pipes)

    def dismiss(self) -> None:
        """It is not wanted any more."""
        with contextlib.suppress(OSError):
            self._process.kill()
            self._process.wait()
        for handle in (self._out, self._err):
            os.close(handle)
        if self._process.stdin:
            self._process.stdin.close()
        self.limited.__exit__(None, None, None)


def take(limits: Limits) -> Standing | None:
    """One that is ready, if there is one; others are called for the next time."""
    if not limits.processes or limits != Limits(processes=limits.processes):
        # Memory and processors differ from step to step; without limits there is nothing to wait for.
        return None
    with _lock:
        if not _standing:
            sweep(_NAME)
            atexit.register(dismiss)
        waiting = _standing.setdefault(limits, [])
        for one in [one for one in waiting if one.ended]:
            waiting.remove(one)
            one.dismiss()
        found = next((one for one in waiting if one.is_ready()), None)
        if found:
            waiting.remove(found)
    # Not before what is wanted now has begun.
    asyncio.get_running_loop().call_soon(_call, limits)
    return found


def dismiss() -> None:
    """Send all away."""
    with _lock:
        for waiting in _standing.values():
            for one in waiting:
                one.dismiss()
        _standing.clear()


def _call(limits: Limits) -> None:
    with _lock, contextlib.suppress(OSError):
        waiting = _standing.setdefault(limits, [])
        while len(waiting) < _MOST:
            made = Standing(limits)
            if not made.limited.places:
                # There are no control groups to wait for here.
                made.dismiss()
                return
            waiting.append(made)
