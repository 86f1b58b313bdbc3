"""One process of this machine: started, its output read as it comes, ended with all of its children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pilothouse.delivery.pipelines.executors.launching import Started

Sink = Callable[[bytes], None]
_CHUNK = 1 << 16
# A process that writes faster than we read must not keep the loop from everything else.
_CHUNKS_A_TURN = 16
# What a Unix shell says for a command that cannot be started.
NOT_FOUND, NOT_EXECUTABLE = 127, 126


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: its exit code (128 + signal when a signal ended it)."""

    code: int
    signal: int = 0


class SpawnError(OSError):
    """A process could not be started; `code` is what a shell would have said."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Child:
    """A running process and its group."""

    def __init__(self, process: subprocess.Popen[bytes], pipes: dict[int, Sink]) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = process
        self._pipes = pipes
        self._exited: asyncio.Future[Exit] = self._loop.create_future()
        for pipe in pipes:
            os.set_blocking(pipe, False)
            self._loop.add_reader(pipe, self._read, pipe)
        self._watch()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return not self._exited.done()

    async def wait(self) -> Exit:
        """Until the process ended. Its children that are left are killed, and its output is read to the end."""
        found = await asyncio.shield(self._exited)
        self._signal(signal.SIGKILL)
        for pipe in list(self._pipes):
            self._read(pipe, last=True)
        return found

    async def stop(self, grace: float) -> Exit:
        """SIGTERM to the group, and SIGKILL after `grace` seconds."""
        if self.running:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await asyncio.shield(self._exited)
        self.kill()
        return await self.wait()

    def kill(self) -> None:
        """SIGKILL to the group."""
        if self.running:
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _watch(self) -> None:
        try:
            handle = os.pidfd_open(self._process.pid)
        except (AttributeError, OSError):
            # Not Linux, or an old kernel: a thread waits.
            self._loop.run_in_executor(None, self._process.wait).add_done_callback(lambda _: self._ended())
            return

        def ended() -> None:
            self._loop.remove_reader(handle)
            os.close(handle)
            self._ended()

        self._loop.add_reader(handle, ended)

    def _ended(self) -> None:
        code = self._process.wait()
        if not self._exited.done():
            self._exited.set_result(Exit(code) if code >= 0 else Exit(128 - code, -code))

    def _read(self, pipe: int, last: bool = False) -> None:
        if pipe not in self._pipes:
            return
        sink = self._pipes[pipe]
        turns = 0
        while last or turns < _CHUNKS_A_TURN:
            try:
                chunk = os.read(pipe, _CHUNK)
            except BlockingIOError:
                break
            except OSError:
                chunk = b""
            if not chunk:
                last = True
                break
            sink(chunk)
            turns += 1
            if last and turns > 4096:
                break
        if last:
            self._loop.remove_reader(pipe)
            del self._pipes[pipe]
            os.close(pipe)


def spawn(started: Started, out: Sink, err: Sink | None = None) -> Child:
    """Start a process in a session of its own. Without `err`, both outputs go to `out` in the order they are written.

    Raises `SpawnError`.
    """
    pipes: dict[int, Sink] = {}
    out_read, out_write = os.pipe()
    pipes[out_read] = out
    opened = [out_write]
    err_write: Any = out_write
    if err is not None:
        err_read, err_write = os.pipe()
        pipes[err_read] = err
        opened.append(err_write)
    try:
        process = subprocess.Popen(
            started.command, stdin=subprocess.DEVNULL, stdout=out_write, stderr=err_write, cwd=started.directory,
            env=started.environment, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        for pipe in pipes:
            os.close(pipe)
        raise _explained(error, started) from None
    finally:
        for pipe in opened:
            os.close(pipe)
    return Child(process, pipes)


async def finish(command: Sequence[str]) -> None:
    """Run what ends a step's leftovers (a container whose client was killed), for a while at most."""
    if not command:
        return
    with contextlib.suppress(SpawnError, TimeoutError):
        async with asyncio.timeout(20):
            await spawn(Started(tuple(command), dict(os.environ), None), lambda _: None).wait()


def _explained(error: OSError, started: Started) -> SpawnError:
    program = started.command[0]
    if isinstance(error, FileNotFoundError) and error.filename != program and started.directory:
        return SpawnError(f"working directory {started.directory}: {error.strerror}", NOT_EXECUTABLE)
    if isinstance(error, FileNotFoundError):
        return SpawnError(f"{program}: not found on this machine", NOT_FOUND)
    return SpawnError(f"{program}: {error.strerror}", NOT_EXECUTABLE)
