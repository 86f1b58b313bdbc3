"""The first files of a repository: a pipeline, OWNERS, manifests, environments; what is there is left as it is."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pilothouse.delivery.projects.detecting import Detected, detect
from pilothouse.delivery.projects.project import FILE

_TEMPLATES = "pilothouse.delivery.projects.templates"
_NOT_A_NAME = re.compile(r"[^a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Begun:
    """What was found out, which files were written, and which were there already and left as they are."""

    service: str
    detected: Detected
    branch: str
    written: tuple[str, ...]
    kept: tuple[str, ...]


def begin(
    root: Path, service: str = "", owners: Sequence[str] = (), registry: str = "registry.example.org",
    dry_run: bool = False,
) -> Begun:  # fmt: skip
    """Write what the repository lacks. Raises `OSError`."""
    detected = detect(root)
    name = _NOT_A_NAME.sub("-", (service or root.resolve().name).lower()).strip("-")[:50] or "service"
    branch = _branch(root)
    files = _files(detected, name, branch, owners, registry)
    there = [path for path in files if (root / path).exists()]
    written = [path for path in files if path not in there]
    if not dry_run:
        for path in written:
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            # "x": somebody may have written it since we looked.
            with place.open("x", encoding="utf-8") as file:
                file.write(files[path])
    return Begun(name, detected, branch, tuple(written), tuple(there))


def _files(found: Detected, service: str, branch: str, owners: Sequence[str], registry: str) -> dict[str, str]:
    script = "\n".join(part for part in (found.prepare, found.test) if part)
    indented = "\n".join(" " * 16 + line if line else "" for line in script.splitlines())
    words = {"SERVICE": service, "BRANCH": branch, "IMAGE": found.image, "SCRIPT": indented, "READY": "/",
             "REGISTRY": registry.rstrip("/")}  # fmt: skip
    files = {".tekton/test.yaml": _filled("test.yaml", words), "OWNERS": _owners(owners)}
    for environment in ("staging", "production"):
        place = {**words, "ENVIRONMENT": environment}
        files[f"deploy/{environment}/{service}.yaml"] = _filled("service.yaml", place)
    files["environments.yaml"] = _filled("environments.yaml", words)
    files[FILE] = _project(found, service)
    return files


def _owners(owners: Sequence[str]) -> str:
    listed = "".join(f"  - {login.lstrip('@').lower()}\n" for login in owners) or "  []\n"
    head = "# Who may approve changes (/approve) and is asked to review them (/lgtm): logins of the forge.\n"
    if not owners:
        return f"{head}approvers: []\nreviewers: []\n"
    return f"{head}approvers:\n{listed}reviewers:\n{listed}"


def _project(found: Detected, service: str) -> str:
    lines = [
        "# What this repository says about itself to Pilothouse.",
        f"service: {service}",
        "# Merges to the default branch are released by their messages (conventionalcommits.org) once these are green:",
        "release: {after: [test]}",
    ]
    preview = [
        "preview: # each pull request runs in a sandbox without a network, and is linked in a comment",
        f"  command: {found.run or 'COMMAND'} # must listen on 127.0.0.1 at the port that $PORT has",
        "  ready: /",
        "  life: 8h",
    ]
    lines += preview if found.run else ["# With a command that starts the service:", *(f"# {line}" for line in preview)]
    return "\n".join(lines) + "\n"


def _filled(name: str, words: Mapping[str, str]) -> str:
    text = (resources.files(_TEMPLATES) / name).read_text()
    for word, value in words.items():
        text = text.replace("{{" + word + "}}", value)
    return text


def _branch(root: Path) -> str:
    """The default branch: the remote's, else the one at hand."""
    for arguments in (("symbolic-ref", "--short", "refs/remotes/origin/HEAD"), ("symbolic-ref", "--short", "HEAD")):
        try:
            done = subprocess.run(  # noqa: S603
                ["git", *arguments], cwd=root, capture_output=True, text=True, timeout=10, check=False,  # noqa: S607
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            break
        if done.returncode == 0 and (name := done.stdout.strip().removeprefix("origin/")):
            return name
    return "main"
