"""A user's own objects for the same thing as ours: the mesh would merge the two, or take either. The user's counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pilothouse.kube.objects import KubeObject, mappings, sequence, text_of

if TYPE_CHECKING:
    from pilothouse.mesh.controlling.planning import Wanted
    from pilothouse.mesh.controlling.watching import Key, Seen


def rivals(wanted: Mapping[Key, Wanted], there: Mapping[Key, Seen]) -> Iterator[tuple[Key, str]]:
    """Objects that must not be applied, with why."""
    claimed: dict[str, list[str]] = {}
    for key, live in there.items():
        # Ours of another mesh is no user's; what else is ours is among the wanted or pruned.
        if not live.ours:
            for claim in _claims(key, live.object):
                claimed.setdefault(claim, []).append(f"{key[1]} {key[2]}/{key[3]}")
    if not claimed:
        return
    for key, one in wanted.items():
        for claim in _claims(key, KubeObject(one.content)):
            if others := claimed.get(claim):
                yield key, f"{', '.join(others)} already governs {claim.partition(' ')[2]} and is not ours"


def claimed_spaces(one: KubeObject) -> set[str]:
    """The namespaces of what an object governs."""
    found = set()
    for claim in _claims(one.key, one):
        kind, _, rest = claim.partition(" ")
        if kind == "host":
            parts = rest.split(".")
            found.add(parts[1] if len(parts) == 2 else "")
        else:
            found.add(rest.partition("/" if kind == "route" else " ")[0])
    return found - {""}


def _claims(key: Key, one: KubeObject) -> Iterator[str]:
    """What an object governs, in words that are equal for two that govern the same."""
    if key[1] == "VirtualService":
        if "mesh" in (sequence(one.spec.get("gateways")) or ("mesh",)):
            for host in sequence(one.spec.get("hosts")):
                yield f"host {_full(text_of(host), key[2])}"
    elif key[1] in ("HTTPRoute", "TCPRoute", "GRPCRoute"):
        for parent in mappings(one.spec.get("parentRefs")):
            yield from _parent(key, parent)
    elif key[1] == "Server":
        selector = sorted((one.spec.get("podSelector") or {}).get("matchLabels", {}).items())
        yield f"server {key[2]} pods {dict(selector)} port {one.spec.get('port')}"


def _parent(key: Key, parent: Mapping[str, Any]) -> Iterator[str]:
    if parent.get("kind") == "Service":
        space = text_of(parent.get("namespace")) or key[2]
        yield f"route {space}/{parent.get('name')} port {parent.get('port', 'any')}"


def _full(host: str, namespace: str) -> str:
    """A host as far as it says the Service: short names are of the object's namespace."""
    parts = host.split(".")
    if len(parts) == 1:
        return f"{host}.{namespace}"
    return ".".join(parts[:2]) if len(parts) == 2 or parts[2] == "svc" else host
