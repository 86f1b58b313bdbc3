"""The rules that Kubernetes' own API sets: versions that are served, fields that exist, types that fit."""

from __future__ import annotations

from collections.abc import Iterator

from pilothouse.hazards.model import Finding, Rule, State, Subject
from pilothouse.kube.objects import KubeObject, Path
from pilothouse.kube.schemas import Kind, known_kind, versions
from pilothouse.kube.schemas.catalog import successors
from pilothouse.kube.schemas.validating import validate

REMOVED, DEPRECATED, UNKNOWN, WRONG = "UPG-001", "UPG-006", "UPG-007", "UPG-008"


def check_schema(one: KubeObject, rules: dict[str, Rule], version: str, number: int) -> Iterator[Finding]:
    """What the API of a version ("1.31"; empty: the newest) says about an object; unknown kinds are left out."""
    kind = known_kind(one.api_version, one.kind)
    if kind is None or not one.content.get("metadata"):
        return
    target = version if version in versions() else versions()[-1]
    subject = Subject(one.kind, one.namespace, one.name)

    def finding(name: str, path: Path, message: str) -> Iterator[Finding]:
        if rule := rules.get(name):
            yield Finding(rule, subject, State.LATENT, message, one.place(path), path, (), source=number)

    if _minor(kind.last) < _minor(target):
        message = f"{one.api_version} {one.kind} is not served from Kubernetes {_after(kind.last)} on; {_instead(kind)}"
        yield from finding(REMOVED, ("apiVersion",), message)
        return
    elif _minor(kind.first) > _minor(target):
        message = f"{one.api_version} {one.kind} is served from Kubernetes {kind.first} on, not in {target}"
        yield from finding(REMOVED, ("apiVersion",), message)
        return
    elif kind.last != versions()[-1] and _successor_at(kind, target):
        message = f"{one.api_version} {one.kind} ends with Kubernetes {kind.last}; {_instead(kind)}"
        yield from finding(DEPRECATED, ("apiVersion",), message)
    for problem in validate(one.content, kind, target):
        yield from finding(UNKNOWN if problem.kind == "unknown" else WRONG, problem.path, problem.message)


def _instead(kind: Kind) -> str:
    found = successors(kind.kind, kind.group)
    return f"write {found[0].api_version}" if found else "it has no successor"


def _successor_at(kind: Kind, target: str) -> bool:
    return any(_minor(one.first) <= _minor(target) for one in successors(kind.kind, kind.group))


def _after(version: str) -> str:
    return f"1.{_minor(version) + 1}"


def _minor(version: str) -> int:
    return int(version.partition(".")[2])
