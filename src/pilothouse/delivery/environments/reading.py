"""The environments file.

    environments:
      - name: staging
        strategy: Auto                         # Auto, Manual or Never
        source: {repository: acme/deploy, folder: staging}   # with several forges also `forge: github`
        kind: kustomize                        # helm, kustomize or plain
        services: [shop]
        checks: [test]                         # statuses that must be there and green
      - name: production
        strategy: Manual
        source: {repository: acme/deploy, folder: production}
        kind: helm
        services:
          shop: {file: values.yaml, key: image.tag, prefix: v}
        rollout: {traffic: {by: http, url: "http://127.0.0.1:9000"}, steps: [{weight: 10, for: 10m}]}

Environments are in order unless `order` says otherwise.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any, TypeVar

import yaml

from pilothouse.delivery.environments.errors import EnvironmentsError
from pilothouse.delivery.environments.model import Environment, Environments, Kind, Placement, Source, Strategy

_KNOWN = (
    "name", "order", "strategy", "source", "kind", "services", "checks", "telemetry", "rollout", "cluster", "namespace",
)  # fmt: skip
_SOURCE = ("repository", "branch", "folder", "directory", "forge")
_PLACEMENT = ("kind", "file", "key", "image", "prefix", "chart", "from")
_LARGEST = 500_000
_MOST = 100
Chosen = TypeVar("Chosen", bound=StrEnum)


def read_environments(text: str, repository: str = "", directory: Path | None = None, forge: str = "") -> Environments:
    """The environments of a file's text. Raises `EnvironmentsError` that names the place.

    A source that names neither a repository nor a directory is a folder of `repository`, the one that the file is in,
    or of `directory`; a relative directory is below that too. Repositories are on `forge`, the one that the file is on,
    unless a source names another.
    """
    content = _mapping(_loaded(text), "the file")
    _only(content, ("environments",), "")
    rows = content.get("environments")
    if not isinstance(rows, list) or not rows:
        raise EnvironmentsError("environments: must be a list with one environment at least")
    if len(rows) > _MOST:
        raise EnvironmentsError(f"environments: {len(rows)} are more than {_MOST}")
    found = []
    for number, row in enumerate(rows):
        place = f"environments[{number}]"
        one = _mapping(row, place)
        order = one.get("order", number)
        if not isinstance(order, int | float) or isinstance(order, bool):
            raise EnvironmentsError(f"{place}.order: must be a number")
        found.append((order, number, _environment(one, place, repository, directory, forge)))
    names = [one.name for _, _, one in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise EnvironmentsError(f"environments: {twice!r} is there twice")
    return Environments(tuple(one for _, _, one in sorted(found, key=lambda row: row[:2])))


def _environment(
    content: dict[str, Any], place: str, repository: str, directory: Path | None, forge: str
) -> Environment:
    _only(content, _KNOWN, place)
    name = _text(content, "name", place)
    if not name or not _plain(name):
        raise EnvironmentsError(f"{place}.name: must be letters, digits, `-`, `_` or `.`, such as production")
    kind = _chosen(Kind, content.get("kind", Kind.PLAIN), f"{place}.kind")
    rollout, checks = content.get("rollout"), content.get("checks") or []
    if not isinstance(checks, list) or not all(isinstance(one, str) for one in checks):
        raise EnvironmentsError(f"{place}.checks: must be a list of statuses' names")
    source = _source(content.get("source"), f"{place}.source", name, repository, directory, forge)
    return Environment(
        name=name,
        strategy=_chosen(Strategy, content.get("strategy", Strategy.MANUAL), f"{place}.strategy"),
        source=source,
        kind=kind,
        services=_services(content.get("services"), f"{place}.services", kind, source.folder),
        checks=tuple(checks),
        telemetry=_text(content, "telemetry", place) or name,
        rollout=None if rollout is None else _mapping(rollout, f"{place}.rollout"),
        cluster=_text(content, "cluster", place),
        namespace=_text(content, "namespace", place),
    )


def _source(given: Any, place: str, name: str, repository: str, directory: Path | None, forge: str) -> Source:
    content = _mapping({} if given is None else given, place)
    _only(content, _SOURCE, place)
    said = {part: _text(content, part, place) for part in _SOURCE}
    if said["repository"] and said["directory"]:
        raise EnvironmentsError(f"{place}: give either repository or directory, not both")
    said["folder"] = _below(said["folder"] or ("" if given else name), f"{place}.folder")
    if not said["repository"] and not said["directory"]:
        if not repository and directory is None:
            raise EnvironmentsError(f"{place}: say which repository (OWNER/NAME) or directory")
        said["repository"], said["directory"] = repository, "" if repository else str(directory)
    elif said["directory"] and directory is not None:
        said["directory"] = str(directory / said["directory"])
    if said["directory"] and said["forge"]:
        raise EnvironmentsError(f"{place}.forge: a directory is on no forge")
    said["forge"] = said["forge"] or ("" if said["directory"] else forge)
    return Source(**said)


def _services(given: Any, place: str, kind: Kind, folder: str) -> dict[str, Placement]:
    if isinstance(given, list):
        given = {str(name): {} for name in given}
    content = _mapping({} if given is None else given, place)
    return {str(name): _placement(str(name), one, f"{place}.{name}", kind, folder) for name, one in content.items()}


def _placement(service: str, given: Any, place: str, kind: Kind, folder: str) -> Placement:
    content = _mapping({} if given is None else given, place)
    _only(content, _PLACEMENT, place)
    own = _chosen(Kind, content.get("kind", kind), f"{place}.kind")
    said = {part: _text(content, part, place) for part in _PLACEMENT[1:]}
    said["releases_from"] = said.pop("from")
    usual = {Kind.HELM: "values.yaml", Kind.KUSTOMIZE: "kustomization.yaml", Kind.PLAIN: ""}
    said["file"] = _below(said["file"] or usual[own], f"{place}.file")
    said["chart"] = _within(folder, said["chart"], f"{place}.chart")
    if own is Kind.HELM:
        said["key"] = said["key"] or "image.tag"
    else:
        said["image"] = said["image"] or service
    return Placement(own, **said)


def _loaded(text: str) -> Any:
    if len(text) > _LARGEST:
        raise EnvironmentsError(f"is longer than {_LARGEST:,} characters")
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise EnvironmentsError(f"is not YAML: {' '.join(str(error).split())[:300]}") from None


def _mapping(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EnvironmentsError(f"{place}: must be a mapping")
    return {str(name): one for name, one in value.items()}


def _only(content: dict[str, Any], known: tuple[str, ...], place: str) -> None:
    for name in content:
        if name not in known:
            where = f"{place}.{name}" if place else name
            raise EnvironmentsError(f"{where}: no such field; known are {', '.join(known)}")


def _text(content: dict[str, Any], name: str, place: str) -> str:
    value = content.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int | float) or isinstance(value, bool) or len(str(value)) > 1000:
        raise EnvironmentsError(f"{place}.{name}: must be text")
    return str(value).strip()


def _below(path: str, place: str) -> str:
    """A path that stays below its folder."""
    found = PurePosixPath(path)
    if found.is_absolute() or ".." in found.parts or "\0" in path or ".git" in found.parts:
        raise EnvironmentsError(f"{place}: {path!r} must be a path that stays in the source")
    return "" if str(found) == "." else str(found)


def _within(folder: str, path: str, place: str) -> str:
    """A path from the folder that may leave it, as environments share a chart, and stays in the source."""
    _below(normpath(f"{folder}/{path}" if folder and not path.startswith("/") else path) if path else "", place)
    return normpath(path) if path else ""


def _chosen(kind: type[Chosen], value: Any, place: str) -> Chosen:
    for one in kind:
        if str(value).lower() == one.value.lower():
            return one
    raise EnvironmentsError(f"{place}: {value!r} is not {', '.join(one.value for one in kind)}")


def _plain(name: str) -> bool:
    return len(name) <= 63 and all(letter.isalnum() or letter in "-_." for letter in name) and name[0].isalnum()
