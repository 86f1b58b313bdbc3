"""Steps in a sandbox, for code that is not trusted: bubblewrap, no network, a read-only system, processes bounded.

The step sees the machine's programs (`/usr`, `/opt`, the toolchains on the PATH) but no home, no `/etc` beyond what
programs need, no other process; `/tmp` is its own. What it gets of the machine is listed here, so that what is not
listed is not there. Without bubblewrap or user namespaces there is no sandbox, and the launcher says so: it never
falls back to less.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.pipelines.executors import etc, namespace
from pilothouse.delivery.pipelines.executors.images import ImageMap, ImageMeaning
from pilothouse.delivery.pipelines.executors.launching import Launch, Limits, Mount, Started, another
from pilothouse.delivery.pipelines.executors.process import shelled

MOST_PROCESSES = 512
_SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "nix")
_ETC = (
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "default/locale",
    "fonts",
    "group",
    "hosts",
    "java*",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "localtime",
    "login.defs",
    "mime.types",
    "nsswitch.conf",
    "passwd",
    "perl",
    "pki",
    "profile",
    "protocols",
    "python3*",
    "services",
    "shells",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
)
_NETWORK = ("resolv.conf", "gai.conf", "host.conf")
# Toolchain managers in a home directory whose programs need more than their bin directory.
_MANAGERS = (".pyenv", ".rbenv", ".nodenv", ".nvm", ".sdkman", ".asdf", ".rustup")


class SandboxLauncher:
    """bubblewrap, as tight as the step allows."""

    name = "sandbox"
    needs: tuple[str, ...] = ("home",)

    def __init__(
        self, images: ImageMap | None = None, *, passed: Sequence[str] = (), network: bool = False,
        processes: int = MOST_PROCESSES,
    ) -> None:  # fmt: skip
        """Raises `ResolveError` where no sandbox can be had."""
        found = namespace.bubblewrap()
        if found is None:
            raise ResolveError(
                "no sandbox here: install bubblewrap (Debian: apt install bubblewrap), and allow user namespaces "
                "(Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0); in a container it needs SYS_ADMIN",
                "PodCreationFailed",
            )
        self._bwrap = found
        self._images = images or ImageMap()
        self._network = network
        self._processes = processes
        self._passed = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ", *passed) if name in os.environ}
        self._base: tuple[str, ...] = ()
        self._stamps: tuple[object, ...] = ()

    def meaning(self, image: str, step: str = "", has_command: bool = True) -> ImageMeaning:
        """See `Launcher`."""
        found = self._images.on_host(image, step, has_command=has_command)
        return replace(found, identity=f"sandbox://{image}")

    def prepare(self, launch: Launch) -> Started:
        """See `Launcher`."""
        root = self.meaning(launch.image).toolchain.root
        command = [self._bwrap, *(self._rooted(root, launch) if root else self._arguments())]
        for mount in launch.mounts:
            command += ["--ro-bind" if mount.read_only else "--bind", str(mount.source), mount.target]
        for name, value in self._environment(launch).items():
            command += ["--setenv", name, value]
        command += ["--uid", str(launch.user or 0), "--gid", str(launch.group or 0)]
        if not any(launch.directory.startswith(target) for target in launch.targets):
            command += ["--dir", launch.directory]
        command += ["--chdir", launch.directory, "--", *shelled(launch)]
        return Started(
            tuple(command), {"PILOTHOUSE_TASK_RUN": launch.environment.get("PILOTHOUSE_TASK_RUN", "")}, None, True
        )

    def beside(self, launch: Launch, command: tuple[str, ...]) -> Started:
        """See `Launcher`."""
        return self.prepare(another(launch, command))

    def shell(self, launch: Launch) -> Started:
        """See `Launcher`; what runs there must not type into the terminal that it was opened from."""
        started = self.beside(launch, ("sh", "-i"))
        return replace(started, command=(started.command[0], "--new-session", *started.command[1:]))

    def limits(self, limits: Limits) -> Limits:
        """A step's own limits, and always one on processes."""
        return replace(limits, processes=limits.processes or self._processes)

    def finish(self, name: str) -> Sequence[str]:
        """See `Launcher`."""
        return ()

    def _environment(self, launch: Launch) -> dict[str, str]:
        path = ":".join(place for place in os.environ.get("PATH", os.defpath).split(":") if _shown(place))
        return {
            "PATH": path or os.defpath,
            "HOME": "/tekton/home",
            "TMPDIR": "/tmp",  # noqa: S108
            **self._passed,
            **launch.environment,
        }

    def _arguments(self) -> tuple[str, ...]:
        """Made once, and again where a package changed `/etc` since (a new program, a new authority)."""
        patterns = (*_ETC, *(_NETWORK if self._network else ()))
        if (stamps := etc.stamps(patterns)) != self._stamps:
            self._base = (*_isolation(self._network), *_system(), *etc.binds(patterns, stamps), *_OWN, *_PLAIN)
            self._stamps = stamps
        return self._base

    def _rooted(self, root: Path, launch: Launch) -> tuple[str, ...]:
        """An unpacked image as the root, read-only."""
        binds = namespace.root_binds(
            [mount for mount in launch.mounts if isinstance(mount, Mount)], root, read_only=True
        )
        return (*_isolation(self._network), *binds, *_OWN, *_MOUNTED)


def _isolation(network: bool) -> tuple[str, ...]:
    kept = () if network else ("--unshare-net",)
    return (
        "--unshare-user",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
        *kept,
        "--hostname",
        "sandbox",
        "--die-with-parent",
        "--cap-drop",
        "ALL",
        "--clearenv",
    )


# The kernel's own, and places that a step may write to: mounts of their own where an image has such directories
# itself, else plain directories of the root, which is in memory and the step's alone.
_OWN = ("--proc", "/proc", "--dev", "/dev")
_WRITTEN = ("/tmp", "/var/tmp", "/run")  # noqa: S108
_MOUNTED = tuple(word for place in _WRITTEN for word in ("--tmpfs", place))
_PLAIN = tuple(word for place in _WRITTEN for word in ("--perms", "1777", "--dir", place))


def _system() -> Iterator[str]:
    for name in _SYSTEM:
        place = Path("/", name)
        if place.is_symlink():
            yield from ("--symlink", os.readlink(place), str(place))
        elif place.is_dir():
            yield from ("--ro-bind", str(place), str(place))
    found: list[str] = []
    for toolchain in sorted(dict.fromkeys(_toolchains())):
        if not any(toolchain.startswith(f"{other}/") for other in found):
            found.append(toolchain)
            yield from ("--ro-bind-try", toolchain, toolchain)


def _toolchains() -> Iterator[str]:
    """Directories on the PATH that the system's own do not cover."""
    for place in os.environ.get("PATH", "").split(":"):
        if not _shown(place) or place.lstrip("/").split("/")[0] in _SYSTEM:
            continue
        parent = os.path.dirname(place.rstrip("/"))
        yield parent if os.path.basename(parent) in _MANAGERS else place


def _shown(place: str) -> bool:
    """Not what others might write to."""
    return place.startswith("/") and os.path.isdir(place) and not place.startswith(("/tmp", "/proc", "/dev"))  # noqa: S108
