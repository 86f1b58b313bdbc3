"""Profiles of a process that has no profiler of its own: py-spy for Python, Linux' `perf` for anything else.

Both run as programs of their own, for one period at a time; what they print is sent as it is to the server's ingest.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import structlog

from pilothouse.profiler.resource import from_environment
from pilothouse.signals.credentials import CertificateError, certificates, credentials

log = structlog.get_logger(__name__)

TOOLS = ("auto", "py-spy", "perf")
_GRACE = 20.0
# prctl(2): whom else the kernel's Yama module lets look into a process; any.
_PR_SET_PTRACER, _ANY = 0x59616D61, ctypes.c_ulong(-1)


class ProfilingError(Exception):
    """A process cannot be profiled; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """What to profile: a process, and the labels that say who it is."""

    pid: int
    labels: Mapping[str, str]


def run_command(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a program that may be looked into; raises `ProfilingError` when it cannot be started."""
    try:
        return subprocess.Popen(command, preexec_fn=_let_look)  # noqa: S603
    except OSError as error:
        raise ProfilingError(f"{command[0]}: {error.strerror}") from None


def labels_of(pid: int, given: Mapping[str, str]) -> dict[str, str]:
    """Who a process is: as its own OpenTelemetry environment says, else by its name; what is given comes first."""
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        pairs = (entry.decode("utf-8", "replace").partition("=") for entry in raw)
        found = from_environment({name: value for name, _, value in pairs})
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        raise ProfilingError(f"--pid: there is no process {pid}") from None
    except PermissionError:
        raise ProfilingError(f"--pid: process {pid} is another user's; run this as that user or as root") from None
    return {"service.name": name} | found | dict(given)


def tool_for(pid: int, wanted: str) -> str:
    """`py-spy` or `perf`: what fits the process, or what was asked for, if it is installed."""
    if wanted == "auto":
        wanted = "py-spy" if _is_python(pid) else "perf"
    if wanted == "py-spy" and not _py_spy():
        raise ProfilingError("py-spy is not installed: pip install 'pilothouse[collect]'")
    if wanted == "perf" and not shutil.which("perf"):
        raise ProfilingError("perf is not installed (Debian: linux-perf; Fedora: perf); for Python use py-spy")
    return wanted


class ProfileCollector:
    """Profiles one process until it ends or `stopping` says so, and sends a profile each `period` seconds."""

    def __init__(
        self, server: str, target: Target, tool: str, rate: int = 100, period: float = 10.0, idle: bool = False,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        self._server, self._target, self._tool = server.rstrip("/"), target, tool
        self._rate, self._period, self._idle, self._stopping = rate, period, idle, stopping
        self.sent = 0

    def run(self, turns: int = 0) -> None:
        """Profile, `turns` periods or for as long as it runs; raises `ProfilingError`."""
        with tempfile.TemporaryDirectory(prefix="pilothouse-") as directory:
            while not self._stopping() and _runs(self._target.pid):
                begin = time.time_ns()
                body = self._profile(Path(directory))
                if body:
                    self._send(body, begin, time.time_ns())
                turns -= 1
                if not turns:
                    return

    def _profile(self, directory: Path) -> bytes:
        return (self._py_spy if self._tool == "py-spy" else self._perf)(directory)

    def _py_spy(self, directory: Path) -> bytes:
        out = directory / "stacks"
        out.unlink(missing_ok=True)
        command = [
            _py_spy(), "record", "--pid", str(self._target.pid), "--rate", str(self._rate), "--format", "raw",
            "--duration", str(max(round(self._period), 1)), "--output", str(out),
            *(["--idle"] if self._idle else []),
        ]  # fmt: skip
        said = self._ran(command)
        if not out.exists():
            if not _runs(self._target.pid):
                return b""
            reason = said.strip().splitlines()[-1] if said.strip() else "no reason given"
            hint = "; it needs to be root or have CAP_SYS_PTRACE" if "ermission" in said else ""
            raise ProfilingError(f"py-spy cannot look into process {self._target.pid}: {reason}{hint}")
        return out.read_bytes()

    def _perf(self, directory: Path) -> bytes:
        data = directory / "perf.data"
        record = [
            "perf", "record", "--quiet", "--freq", str(self._rate), "--call-graph", "fp", "--output", str(data),
            "--pid", str(self._target.pid), "--", "sleep", str(self._period),
        ]  # fmt: skip
        said = self._ran(record)
        if not data.exists() or not data.stat().st_size:
            reason = said.strip().splitlines()[0] if said.strip() else "no reason given"
            raise ProfilingError(
                f"perf cannot record process {self._target.pid}: {reason}; it needs root, CAP_PERFMON, or "
                "kernel.perf_event_paranoid at 1 or less"
            )
        found = subprocess.run(  # noqa: S603
            ["perf", "script", "--input", str(data)], capture_output=True, timeout=120, check=False  # noqa: S607
        )  # fmt: skip
        return found.stdout

    def _ran(self, command: list[str]) -> str:
        """Run a tool to its end, or as long as nobody stops; returns what it wrote to stderr."""
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:  # noqa: S603
            deadline = time.monotonic() + self._period + _GRACE
            while process.poll() is None and time.monotonic() < deadline:
                if self._stopping():
                    process.send_signal(signal.SIGINT)
                try:
                    process.wait(0.2)
                except subprocess.TimeoutExpired:
                    continue
            if process.poll() is None:
                process.kill()
            return (process.stderr.read() if process.stderr else b"").decode("utf-8", "replace")

    def _send(self, body: bytes, begin: int, end: int) -> None:
        tags = {name: text for name, text in self._target.labels.items() if name != "service.name"}
        quoted = ",".join(f'{name}="{_escaped(text)}"' for name, text in tags.items())
        kind = "wall" if self._idle else "cpu"
        query = {
            "name": f"{self._target.labels['service.name']}.{kind}{{{quoted}}}", "sampleRate": str(self._rate),
            "format": "folded" if self._tool == "py-spy" else "perf_script", "spyName": self._tool,
            "from": str(begin), "until": str(end),
        }  # fmt: skip
        try:
            address = f"{self._server}/pyroscope/ingest"
            verify = certificates(address)
            answer = httpx.post(address, params=query, content=body, timeout=30, headers=credentials(), verify=verify)
        except CertificateError as error:
            raise ProfilingError(str(error)) from None
        except httpx.HTTPError as error:
            log.warning("no profile was sent; the next one will be", server=self._server, reason=str(error))
            return
        if answer.status_code == 400:
            raise ProfilingError(f"{self._server} refuses the profile: {answer.text[:300]}")
        if not answer.is_success:
            log.warning("no profile was sent; the next one will be", server=self._server, status=answer.status_code)
            return
        self.sent += 1


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _py_spy() -> str:
    """Beside this Python, where its wheel puts it, or wherever else it is."""
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.exists() else shutil.which("py-spy") or ""


def _is_python(pid: int) -> bool:
    try:
        return "python" in Path(os.readlink(f"/proc/{pid}/exe")).name
    except OSError:
        return False


def _runs(pid: int) -> bool:
    """Whether the process is there and more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (OSError, IndexError):
        return False


def _let_look() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANY, 0, 0, 0)
