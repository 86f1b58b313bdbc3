"""`.pilothouse.yaml`:

    service: shop
    release: {automatic: true, prefix: v, after: [test]}
    preview:
      command: python -m shop --port $PORT
      ready: /healthz
      life: 8h
      memory: 512Mi
      environment: {SHOP_DATABASE: "sqlite://"}

A pull request may bring any such file: everything in it is bounded, and nothing in it reaches a shell of this machine
but through the sandbox.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from pilothouse.delivery.projects.project import PreviewPlan, Project, ReleasePlan
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import parse_duration

_TOP = ("service", "release", "preview")
_RELEASE = ("automatic", "prefix", "after")
_PREVIEW = (
    "command", "port", "ready", "setup", "environment", "start", "life", "memory", "processors", "processes",
    "manifests", "service", "image",
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]i?)?B?")
_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
_LONGEST = 100_000
# What a preview may ask for at most; the machine is everybody's.
MOST_LIFE, MOST_START = 14 * 86_400.0, 600.0
MOST_MEMORY, MOST_PROCESSORS, MOST_PROCESSES = 8 << 30, 8.0, 2048


class ProjectError(Exception):
    """The file cannot be used; the message names the place."""


def read_project(text: str, repository: str = "") -> Project:
    """The project of a file's text; without a `service` it is called as its repository. Raises `ProjectError`."""
    content = _mapping(_loaded(text), "the file")
    _only(content, _TOP, "")
    service = _text(content, "service", "") or repository.rpartition("/")[2]
    if service and not _SERVICE.fullmatch(service):
        raise ProjectError(f"service: {service!r} must be letters, digits, `.`, `_` or `-`")
    preview = content.get("preview")
    return Project(
        service,
        _release(_mapping(content.get("release") or {}, "release")),
        None if preview is None else _preview(_mapping(preview, "preview")),
    )


def _release(content: dict[str, Any]) -> ReleasePlan:
    _only(content, _RELEASE, "release")
    automatic = content.get("automatic", True)
    if not isinstance(automatic, bool):
        raise ProjectError("release.automatic: must be true or false")
    after = content.get("after") or []
    if not isinstance(after, list) or not all(isinstance(one, str) for one in after):
        raise ProjectError("release.after: must be a list of statuses' names")
    prefix = _text(content, "prefix", "release") if "prefix" in content else "v"
    if not re.fullmatch(r"[A-Za-z0-9_-]*(/[A-Za-z0-9_-]*)?", prefix):
        raise ProjectError(f"release.prefix: {prefix!r} must be letters, digits, `_` or `-`")
    return ReleasePlan(automatic, prefix, tuple(after))


def _preview(content: dict[str, Any]) -> PreviewPlan:
    _only(content, _PREVIEW, "preview")
    usual = PreviewPlan("")
    plan = PreviewPlan(
        command=_text(content, "command", "preview"),
        port=_text(content, "port", "preview") or usual.port,
        ready=_text(content, "ready", "preview") or usual.ready,
        setup=_text(content, "setup", "preview"),
        environment=_environment(content.get("environment") or {}),
        start=_seconds(content, "start", usual.start, MOST_START),
        life=_seconds(content, "life", usual.life, MOST_LIFE),
        memory=_size(content, "memory", usual.memory, MOST_MEMORY),
        processors=_number(content, "processors", usual.processors, MOST_PROCESSORS),
        processes=int(_number(content, "processes", usual.processes, MOST_PROCESSES)),
        manifests=_below(_text(content, "manifests", "preview"), "preview.manifests"),
        service=_text(content, "service", "preview"),
        image=_text(content, "image", "preview"),
    )
    if not plan.command and not plan.manifests:
        raise ProjectError("preview: say which command starts it (or, for Kubernetes, which folder has its manifests)")
    if not _NAME.fullmatch(plan.port):
        raise ProjectError(f"preview.port: {plan.port!r} is no name of an environment variable, such as PORT")
    if not plan.ready.startswith("/"):
        raise ProjectError(f"preview.ready: {plan.ready!r} must be a path, such as /healthz")
    return plan


def _environment(given: Any) -> dict[str, str]:
    found = _mapping(given, "preview.environment")
    for name, value in found.items():
        if not _NAME.fullmatch(name):
            raise ProjectError(f"preview.environment: {name!r} is no name of a variable")
        if isinstance(value, dict | list) or value is None or "\0" in str(value):
            raise ProjectError(f"preview.environment.{name}: must be text")
    return {name: str(value) for name, value in found.items()}


def _seconds(content: dict[str, Any], name: str, usual: float, most: float) -> float:
    given = content.get(name)
    if given is None:
        return usual
    try:
        seconds = float(given) if isinstance(given, int | float) else parse_duration(str(given), name)
    except BadRequestError as error:
        raise ProjectError(f"preview.{error}") from None
    if isinstance(given, bool) or not 1 <= seconds <= most:
        raise ProjectError(f"preview.{name}: must be from 1s to {most / 3600:g}h")
    return seconds


def _size(content: dict[str, Any], name: str, usual: int, most: int) -> int:
    given = content.get(name)
    if given is None:
        return usual
    found = _SIZE.fullmatch(str(given).strip())
    size = int(float(found[1]) * _UNITS[found[2] or ""]) if found else 0
    if not 1 << 20 <= size <= most:
        raise ProjectError(f"preview.{name}: {given!r} must be a size such as 512Mi, at most {most >> 30}Gi")
    return size


def _number(content: dict[str, Any], name: str, usual: float, most: float) -> float:
    given = content.get(name, usual)
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= most:
        raise ProjectError(f"preview.{name}: must be a number above 0, at most {most:g}")
    return float(given)


def _loaded(text: str) -> Any:
    if len(text) > _LONGEST:
        raise ProjectError(f"is longer than {_LONGEST:,} characters")
    try:
        return yaml.safe_load(text) or {}
    except (yaml.YAMLError, RecursionError) as error:
        raise ProjectError(f"is not YAML: {' '.join(str(error).split())[:300]}") from None


def _mapping(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ProjectError(f"{place}: must be a mapping")
    return {str(name): one for name, one in value.items()}


def _only(content: dict[str, Any], known: tuple[str, ...], place: str) -> None:
    for name in content:
        if name not in known:
            raise ProjectError(f"{place + '.' if place else ''}{name}: no such field; known are {', '.join(known)}")


def _text(content: dict[str, Any], name: str, place: str) -> str:
    value = content.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int | float) or isinstance(value, bool) or len(str(value)) > 8_000:
        raise ProjectError(f"{place + '.' if place else ''}{name}: must be text")
    if "\0" in str(value):
        raise ProjectError(f"{place + '.' if place else ''}{name}: must not contain NUL")
    return str(value).strip()


def _below(path: str, place: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise ProjectError(f"{place}: {path!r} must be a path in the repository")
    return path.strip("/")
