"""A preview as a process of this machine, in the pipelines' sandbox: no network but its own loopback, and limits.

The sandbox has a network namespace of its own, so that what a pull request brings can reach nothing: not the machine's
other services, not the network. A relay leads one port of a loopback address to it. Both end with the process that
started them, even when that is killed: bubblewrap asks the kernel for it, and the relay's pipe closes.

Not thread-safe; and bubblewrap ends with the *thread* that started it, so that one long-lived thread starts them all.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.pipelines.executors.launching import Launch, Limits, Mount, Started
from pilothouse.delivery.pipelines.executors.limiting import Limited
from pilothouse.delivery.previews import relaying
from pilothouse.delivery.previews.preview import PreviewError

if TYPE_CHECKING:
    from pilothouse.delivery.projects.project import PreviewPlan

# Nobody else is in its namespace, so that any port is free.
INSIDE = 8080
_USUAL = 8080
_WORKSPACE, _HOME = "/workspace", "/home/preview"
_LOG_LINES, _LINE = 500, 2_000
_SECONDS = 10.0
# In kilobytes, for each file that it writes.
_LARGEST_FILE = 1 << 20


class Sandboxed:
    """One running preview. `address` and `port` are where it is reached, `how` says how it is kept apart."""

    def __init__(self, name: str, files: Path, home: Path, plan: PreviewPlan, address: str, port: int = 0) -> None:
        """Start it; `port` of the loopback `address` is tried first, so that it stays. Raises `PreviewError`."""
        self.address = address
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._listening = _listen(address, port)
        self.port = int(self._listening.getsockname()[1])
        self._limited = Limited(Limits(plan.memory, plan.processors, plan.processes), name)
        self._limited.__enter__()
        self._relay: subprocess.Popen[bytes] | None = None
        self._pipe = -1
        try:
            self._process, inside = self._started(plan, files, home)
        except BaseException:
            self._limited.__exit__(None, None, None)
            self._listening.close()
            raise
        try:
            self._relay, self._pipe = self._opened(inside)
        except BaseException:
            self.stop()
            raise
        limits = ", ".join(self._limited.effective)
        self.how = "sandbox without a network" + (f", limits on {limits}" if limits else ", no limits could be set")

    @property
    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._process.poll()

    @property
    def log(self) -> str:
        """The last lines that it wrote; all of them once it has ended."""
        if self._process.poll() is not None:
            self._reading.join(1)
        return "".join(self._log)

    def out_of_memory(self) -> bool:
        """Whether it was ended for using more memory than it may."""
        return self._limited.out_of_memory()

    def stop(self) -> None:
        """End it and all that it started."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_SECONDS)
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
        if self._relay is not None:
            self._relay.kill()
            self._relay.wait(_SECONDS)
        self._listening.close()
        self._limited.__exit__(None, None, None)

    def _started(self, plan: PreviewPlan, files: Path, home: Path) -> tuple[subprocess.Popen[bytes], int]:
        command = _command(plan, files, home)
        told, telling = os.pipe()
        with os.fdopen(told, "rb") as answers:
            try:
                started = self._limited.wrap(
                    replace(command, command=(command.command[0], "--info-fd", str(telling), *command.command[1:]))
                )
                process = subprocess.Popen(  # noqa: S603
                    started.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    env=started.environment, pass_fds=(telling,), start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise PreviewError(f"the sandbox did not start: {error.strerror or error}") from None
            finally:
                os.close(telling)
            assert process.stdout is not None
            self._reading = threading.Thread(target=self._read, args=(process.stdout,), name="preview-log", daemon=True)
            self._reading.start()
            said = answers.read()
        try:
            return process, int(json.loads(said)["child-pid"])
        except (ValueError, KeyError):
            process.kill()
            process.wait(_SECONDS)
            self._reading.join(1)
            raise PreviewError(
                f"the sandbox did not start: {''.join(self._log).strip() or 'it says nothing'}"
            ) from None

    def _opened(self, inside: int) -> tuple[subprocess.Popen[bytes], int]:
        ours, theirs = os.pipe()
        # The relay reads `ours`; the other end stays with us alone.
        program = [sys.executable, "-I", "-S", relaying.__file__, str(inside), str(INSIDE)]
        try:
            relay = subprocess.Popen(  # noqa: S603
                [*program, str(self._listening.fileno()), str(ours)], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=(self._listening.fileno(), ours), env={},
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            os.close(theirs)
            raise PreviewError(f"its port could not be opened: {error.strerror or error}") from None
        finally:
            os.close(ours)
        assert relay.stderr is not None
        threading.Thread(target=self._read, args=(relay.stderr,), name="preview-relay", daemon=True).start()
        return relay, theirs

    def _read(self, output: IO[bytes]) -> None:
        with output:
            for line in iter(lambda: output.readline(_LINE), b""):
                self._log.append(line.decode(errors="replace"))


def _listen(address: str, port: int) -> socket.socket:
    for wanted in dict.fromkeys((port or _USUAL, 0)):
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((address, wanted))
            made.listen(64)
        except OSError:
            made.close()
            continue
        return made
    raise PreviewError(f"no port of {address} is free")


def _command(plan: PreviewPlan, files: Path, home: Path) -> Started:
    from pilothouse.delivery.pipelines.executors.sandbox import SandboxLauncher

    try:
        launcher = SandboxLauncher(network=False, processes=plan.processes)
        script = f"ulimit -f {_LARGEST_FILE}\n{plan.setup}\n{plan.command}\n"
        return launcher.prepare(
            Launch(  # noqa: S604
                "preview",
                "preview",
                ("sh", "-e", "-c", script),
                {"HOME": _HOME, **plan.environment, plan.port: str(INSIDE)},
                _WORKSPACE,
                (Mount(files, _WORKSPACE), Mount(home, _HOME)),
                shell="dash",
            )
        )
    except ResolveError as error:
        raise PreviewError(str(error)) from None
