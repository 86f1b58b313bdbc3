"""What a cluster serves: its kinds, with the paths and verbs to use them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pilothouse.kube.objects import mappings, text_of


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as a cluster serves it: `group` is empty for core; `verbs` as in discovery (`list`, `watch`, ...)."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()
    subresources: frozenset[str] = frozenset()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of the collection, of one object, or of its subresource."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if self.namespaced and namespace:
            parts += ["namespaces", _segment(namespace)]
        parts.append(self.plural)
        if name:
            parts.append(_segment(name))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


def _segment(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe=":@")


def resources_of(group: str, version: str, listed: Iterable[dict[str, Any]]) -> Iterator[Resource]:
    """The resources of an APIResourceList, each with its subresources."""
    rows = list(listed)
    below: dict[str, set[str]] = {}
    for row in rows:
        plural, slash, subresource = text_of(row.get("name")).partition("/")
        if slash:
            below.setdefault(plural, set()).add(subresource)
    for row in rows:
        plural = text_of(row.get("name"))
        if "/" in plural or not plural:
            continue
        yield Resource(
            group,
            version,
            text_of(row.get("kind")),
            plural,
            bool(row.get("namespaced")),
            frozenset(row.get("verbs") or ()),
            frozenset(below.get(plural, ())),
        )


def versions_of(groups: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Group, version and whether it is the preferred one, from an APIGroupList."""
    for group in mappings(groups.get("groups")):
        preferred = (group.get("preferredVersion") or {}).get("version")
        for version in mappings(group.get("versions")):
            yield text_of(group.get("name")), text_of(version.get("version")), version.get("version") == preferred
