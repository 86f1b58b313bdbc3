"""Steps as plain processes of this machine, with its tools.

A step that names no mounted path runs just so. Others run in a mount namespace in which `/workspace`, `/tekton` and the
volumes are where the YAML expects them; where namespaces cannot be had, the paths in the step's texts are rewritten.
Nothing is kept from a step here: use the sandbox for code that is not trusted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from pilothouse.delivery.pipelines.executors import namespace, rewriting
from pilothouse.delivery.pipelines.executors.images import ImageMap, ImageMeaning
from pilothouse.delivery.pipelines.executors.launching import Launch, Limits, Started, another

# What a step may know of the user's environment; the rest (tokens, passwords) stays out unless it is asked for.
PASSED = ("PATH", "LANG", "LC_ALL", "TERM", "TZ", "TMPDIR", "USER", "LOGNAME", "SHELL", "SSL_CERT_FILE", "SSL_CERT_DIR",
          "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")  # fmt: skip

_NO_NAMESPACE = "no mount namespace could be made here: paths were rewritten in the step's texts"


class ProcessLauncher:
    """Plain processes; `namespaces=False` never mounts, and rewrites paths instead."""

    name = "process"
    needs: tuple[str, ...] = ()

    def __init__(
        self, images: ImageMap | None = None, *, passed: Sequence[str] = (), namespaces: bool | None = None
    ) -> None:
        self._images = images or ImageMap()
        self._passed = {name: os.environ[name] for name in (*PASSED, *passed) if name in os.environ}
        self._passed.setdefault("PATH", os.defpath)
        self._namespaces = namespaces

    def meaning(self, image: str, step: str = "", has_command: bool = True) -> ImageMeaning:
        """See `Launcher`."""
        return self._images.on_host(image, step, has_command=has_command)

    def environment(self) -> dict[str, str]:
        """What a step starts with; its home is the user's own, where the tools keep their caches."""
        return {**self._passed, "HOME": os.environ.get("HOME") or "/"}

    def prepare(self, launch: Launch) -> Started:
        """See `Launcher`."""
        environment = {**self.environment(), **launch.environment}
        named = rewriting.mentioned(launch)
        if not launch.user and not named and self._real(launch.directory, launch):
            command = tuple(
                self._real_path(part, launch) if part == launch.script else part for part in shelled(launch)
            )
            return Started(command, environment, self._real(launch.directory, launch))
        if not launch.user and named <= {"/tekton/results"}:
            # Only results are written: a namespace would cost more than the step.
            return self._rewritten(launch, environment, "")
        bwrap = None if self._namespaces is False else namespace.bubblewrap()
        if bwrap:
            return self._mounted(bwrap, launch, environment)
        return self._rewritten(launch, environment, _NO_NAMESPACE)

    def beside(self, launch: Launch, command: tuple[str, ...]) -> Started:
        """See `Launcher`."""
        return self.prepare(another(launch, command))

    def shell(self, launch: Launch) -> Started:
        """See `Launcher`."""
        return self.beside(launch, ("sh", "-i"))

    def limits(self, limits: Limits) -> Limits:
        """As the step asks."""
        return limits

    def finish(self, name: str) -> Sequence[str]:
        """See `Launcher`."""
        return ()

    def _mounted(self, bwrap: str, launch: Launch, environment: dict[str, str]) -> Started:
        command = [
            bwrap, *namespace.root_binds(launch.mounts), "--dev-bind", "/dev", "/dev", "--bind", "/proc",
            "/proc", "--die-with-parent",
        ]  # fmt: skip
        if os.path.isdir("/sys"):
            command += ["--bind", "/sys", "/sys"]
        if launch.user is not None:
            command += ["--unshare-user", "--uid", str(launch.user)]
        if launch.group is not None and launch.user is not None:
            command += ["--gid", str(launch.group)]
        if not _exists(launch.directory, launch):
            command += ["--dir", launch.directory]
        command += ["--chdir", launch.directory, "--", *shelled(launch)]
        return Started(tuple(command), environment, None)

    def _rewritten(self, launch: Launch, environment: dict[str, str], note: str) -> Started:
        rewrites = rewriting.pairs(launch.mounts)
        if launch.script:
            script = Path(self._real_path(launch.script, launch))
            script.write_bytes(
                rewriting.rewrite(script.read_text(errors="surrogateescape"), rewrites).encode(errors="surrogateescape")
            )
        command = tuple(rewriting.rewrite(part, rewrites) for part in shelled(launch))
        environment = {name: rewriting.rewrite(value, rewrites) for name, value in environment.items()}
        directory = rewriting.rewrite(launch.directory, rewrites)
        if not os.path.isdir(directory):
            os.makedirs(directory, exist_ok=True)
        return Started(command, environment, directory, note=note, rewrites=rewrites)

    def _real(self, directory: str, launch: Launch) -> str:
        """The directory of this machine that the step calls so, or empty."""
        found = self._real_path(directory, launch)
        return found if os.path.isdir(found) else ""

    def _real_path(self, path: str, launch: Launch) -> str:
        for mount in sorted(launch.mounts, key=lambda mount: -len(mount.target)):
            if path == mount.target or path.startswith(mount.target + "/"):
                return str(mount.source) + path[len(mount.target) :]
        return path


def _exists(directory: str, launch: Launch) -> bool:
    covered = any(directory == target or directory.startswith(target + "/") for target in launch.targets)
    return covered or os.path.isdir(directory)


def shelled(launch: Launch) -> tuple[str, ...]:
    """The command with the shell that the image has: busybox' `sh` knows `[[`, so that bash stands for it."""
    program, *rest = launch.command
    if program in ("sh", "/bin/sh", "/usr/bin/sh", "ash", "/bin/ash") and launch.shell == "ash" and (bash := _bash()):
        # With --posix bash behaves as when it is called sh.
        return (bash, "--posix", *rest)
    if program == "/usr/bin/env" and _ash(rest[:1], launch) and (bash := _bash()):
        return (bash, "--posix", *rest[1:])
    if program in ("ash", "/bin/ash"):
        return ("sh", *rest)
    return launch.command


def _ash(named: list[str], launch: Launch) -> bool:
    return named == ["ash"] or (named == ["sh"] and launch.shell == "ash")


def _bash() -> str | None:
    return shutil.which("bash")
