"""What `image:` means where there is no registry: an image map from names to the tools of this machine.

An image brings a root file system, an entrypoint and a shell. On the host it can only stand for a toolchain: which
shell `sh` is (busybox images have `[[`, Debian's `sh` does not), what runs when a step has arguments but no command,
and which program must be there. Users add their own with `--image NAME=SPEC`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pilothouse.delivery.pipelines.errors import ResolveError


@dataclass(frozen=True, slots=True)
class Toolchain:
    """How an image's steps run on the host.

    `entrypoint` and `command` are used like the image's own; `shell` is the dialect of its `sh` (`ash` or `dash`);
    `needs` are programs that must be on the PATH; `root` is a directory with an unpacked image, when there is one.
    """

    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] = ()
    shell: str = "ash"
    needs: tuple[str, ...] = ()
    root: Path | None = None


@dataclass(frozen=True, slots=True)
class ImageMeaning:
    """What an image was in a run: `identity` goes to the status as `imageID`."""

    identity: str
    toolchain: Toolchain
    note: str = ""


_DEBIAN = Toolchain(command=("bash",), shell="dash", entrypoint=())
_BUSYBOX = Toolchain(command=("sh",), entrypoint=())
_NOTHING = Toolchain(command=("true",), entrypoint=())


def _starting(program: str) -> tuple[str, ...]:
    """The entry script of many official images: options (or nothing) go to the program, anything else is run itself."""
    return ("sh", "-c", f'case "${{1:--}}" in -*) exec {program} "$@" ;; esac; exec "$@"', program)


KNOWN: dict[str, Toolchain] = {
    "ubuntu": _DEBIAN,
    "debian": _DEBIAN,
    "fedora": Toolchain(command=("bash",), entrypoint=()),
    "ubi-minimal": Toolchain(command=("bash",), entrypoint=()),
    "ubi8": Toolchain(command=("bash",), entrypoint=()),
    "ubi9": Toolchain(command=("bash",), entrypoint=()),
    "centos": Toolchain(command=("bash",), entrypoint=()),
    "alpine": _BUSYBOX,
    "busybox": _BUSYBOX,
    "bash": Toolchain(entrypoint=_starting("bash"), needs=("bash",)),
    "git": Toolchain(entrypoint=("git",), needs=("git",)),
    "alpine-git": Toolchain(entrypoint=("git",), needs=("git",)),
    "curl": Toolchain(entrypoint=("curl",), needs=("curl",)),
    "python": Toolchain(command=("python3",), entrypoint=(), shell="dash", needs=("python3",)),
    "node": Toolchain(entrypoint=_starting("node"), shell="dash", needs=("node",)),
    "perl": Toolchain(command=("perl",), entrypoint=(), shell="dash", needs=("perl",)),
    "ruby": Toolchain(command=("irb",), entrypoint=(), shell="dash", needs=("ruby",)),
    "golang": Toolchain(command=("bash",), entrypoint=(), shell="dash", needs=("go",)),
    "go": Toolchain(entrypoint=("go",), needs=("go",)),
    "rust": Toolchain(command=("bash",), entrypoint=(), shell="dash", needs=("cargo",)),
    "maven": Toolchain(entrypoint=("env",), command=("mvn",), shell="dash", needs=("mvn",)),
    "gradle": Toolchain(command=("gradle",), entrypoint=(), shell="dash", needs=("gradle",)),
    "kubectl": Toolchain(entrypoint=("kubectl",), needs=("kubectl",)),
    "helm": Toolchain(entrypoint=("helm",), needs=("helm",)),
    "crane": Toolchain(entrypoint=("crane",), needs=("crane",)),
    "cosign": Toolchain(entrypoint=("cosign",), needs=("cosign",)),
    "jq": Toolchain(entrypoint=("jq",), needs=("jq",)),
    "yq": Toolchain(entrypoint=("yq",), needs=("yq",)),
    "hello-world": Toolchain(entrypoint=("echo", "Hello from this machine: image hello-world is not run"), command=()),
    "nop": _NOTHING,
    "pause": _NOTHING,
}
_UNKNOWN = Toolchain()
_SPEC = re.compile(r"(?P<key>root|entrypoint|command|shell|needs|like)=(?P<value>.*)")


def short_name(image: str) -> str:
    """`docker.io/library/bash:5.1@sha256:…` is `bash`."""
    name = image.partition("@")[0].rsplit("/", 1)[-1]
    return name.partition(":")[0]


class ImageMap:
    """Images by their whole reference, reference without tag, or last part of the name; the most exact wins."""

    def __init__(self, more: Mapping[str, Toolchain] | None = None) -> None:
        self._known = {**KNOWN, **(more or {})}
        self._path: str | None = None

    def find(self, image: str) -> tuple[Toolchain, bool]:
        """The toolchain, and whether the image was known."""
        repository = re.sub(r":[^/:]*$", "", image.partition("@")[0])
        for name in (image, repository, short_name(image)):
            if name in self._known:
                return self._known[name], True
        if short_name(image).startswith("nop-"):
            return _NOTHING, True
        return _UNKNOWN, False

    def on_host(self, image: str, step: str, *, has_command: bool) -> ImageMeaning:
        """What `image` is when the host's tools stand for it. Raises `ResolveError` that says what is missing."""
        toolchain, known = self.find(image)
        if not has_command:
            if toolchain.entrypoint is None:
                raise ResolveError(
                    f"step {step}: only the image {image} knows what to run, and this executor does not pull images; "
                    f"give the step a command or script, map the image (--image {short_name(image)}=entrypoint=PROGRAM)"
                    ", or run it with --executor containers", "TaskRunImagePullFailed",
                )  # fmt: skip
            if not has_command and (lacking := [tool for tool in toolchain.needs if not shutil.which(tool)]):
                raise ResolveError(
                    f"step {step}: the image {image} stands for {', '.join(toolchain.needs)} on this machine, and "
                    f"{', '.join(lacking)} is not installed here", "TaskRunImagePullFailed",
                )  # fmt: skip
        note = "" if known else f"{image} is not in the image map: the step runs with this machine's own tools"
        return ImageMeaning(f"host://{image}", toolchain, note)


def parse(text: str) -> tuple[str, Toolchain]:
    """`NAME=like=python`, `NAME=entrypoint=go`, `NAME=root=/srv/images/go`, parts separated by commas.

    Raises `ValueError` that says what is expected.
    """
    name, equals, spec = text.partition("=")
    if not name or not equals:
        raise ValueError(f"{text!r} is not NAME=SPEC, for example builder=like=golang or tool=entrypoint=/opt/tool")
    toolchain = Toolchain()
    for part in spec.split(","):
        found = _SPEC.fullmatch(part)
        if not found:
            raise ValueError(f"{part!r} is none of like=, entrypoint=, command=, shell=ash|dash, needs=, root=")
        toolchain = _with(toolchain, found["key"], found["value"])
    return name, toolchain


def _with(toolchain: Toolchain, key: str, value: str) -> Toolchain:
    if key == "like":
        if value not in KNOWN:
            raise ValueError(f"{value!r} is not a known image; known are {', '.join(sorted(KNOWN))}")
        return KNOWN[value]
    if key == "shell" and value not in ("ash", "dash"):
        raise ValueError(f"shell={value}: must be ash or dash")
    if key == "root":
        return replace(toolchain, root=Path(value))
    if key == "shell":
        return replace(toolchain, shell=value)
    words = tuple(value.split())
    if key == "entrypoint":
        return replace(toolchain, entrypoint=words)
    return replace(toolchain, command=words) if key == "command" else replace(toolchain, needs=words)
