"""Watched objects as a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pilothouse.kube.objects import KubeObject, text_of
from pilothouse.mesh.controlling.kinds import ACCESS, SPECS, SPLIT
from pilothouse.mesh.controlling.planning import subject_name
from pilothouse.mesh.controlling.remembering import Memory
from pilothouse.mesh.controlling.watching import Key, Seen
from pilothouse.mesh.model import Workload
from pilothouse.mesh.reading import Piece, Reading, put_together, read_piece

_GROUPS = (ACCESS, SPECS, SPLIT)


def interpreted(seen: Mapping[Key, Seen], memory: Memory | None = None) -> Reading:
    """All of it read; pods stand for themselves only where no workload that is watched stands for them.

    What `memory` has of objects that are still the same is not read again.
    """
    known = memory.pieces if memory else {}
    interface: list[Piece] = []
    others: list[Piece] = []
    workloads: dict[Key, Piece] = {}
    pods: dict[Key, Piece] = {}
    kept: dict[Key, tuple[Seen, Piece]] = {}
    for key, one in seen.items():
        before = known.get(key)
        piece = before[1] if before is not None and before[0] is one else _piece(key, one)
        kept[key] = (one, piece)
        if key[0] in _GROUPS:
            interface.append(piece)
        elif key[0] == "apps":
            workloads[key] = piece
        elif key[1] == "Pod":
            pods[key] = piece
        else:
            others.append(piece)
    if memory:
        memory.pieces = kept
    interface.sort(key=lambda piece: (piece.source.kind, piece.id.namespace, piece.id.name))
    around = [*others, *workloads.values(), *_alone(pods, workloads)]
    if memory is None or memory.around is None or memory.around[0] != around:
        reading = put_together([*interface, *around])
    else:
        # Neither Services nor pods changed: what was found of them is found again.
        reading = put_together(interface)
        reading.configuration.services, reading.configuration.workloads = memory.around[1:]
    if memory:
        memory.around = (around, reading.configuration.services, reading.configuration.workloads)
    return reading


def _piece(key: Key, one: Seen) -> Piece:
    return read_piece(one.object) if key[0] not in _GROUPS else _as_written(one.object)


def _as_written(one: KubeObject) -> Piece:
    """The object in the version that its form is of: the one it is served in, or that it was written in."""
    content = dict(one.content)
    written = text_of(content.pop("writtenAs", ""))
    served = read_piece(KubeObject(content))
    if not written or written == one.api_version or not served.failed:
        return served
    other = read_piece(KubeObject({**content, "apiVersion": written}))
    return served if other.failed else other


Label = tuple[str, str]


def _alone(pods: Mapping[Key, Piece], workloads: Mapping[Key, Piece]) -> Iterator[Piece]:
    """Pods that no known workload accounts for: a policy by labels would select them too."""
    # By one label of each template, which all of its pods have, so that few are looked at for a pod.
    known: dict[tuple[str, str, Label], list[set[Label]]] = {}
    for piece in workloads.values() if pods else ():
        if isinstance(workload := piece.around, Workload):
            key = (workload.id.namespace, workload.account, min(workload.labels, default=_NONE))
            known.setdefault(key, []).append(set(workload.labels))
    for piece in pods.values():
        if not isinstance(pod := piece.around, Workload):
            continue
        mine: set[Label] = set(pod.labels)
        candidates = (known.get((pod.id.namespace, pod.account, label), []) for label in [*mine, _NONE])
        if not any(labels <= mine for found in candidates for labels in found):
            yield piece


_NONE: Label = ("", "")


def owners(reading: Reading, source: str) -> list[dict[str, Any]]:
    """Owner references to the resources that an object was made from, as compilers write them down."""
    found: list[dict[str, Any]] = []
    for text in source.split(", "):
        subject = subject_name(text)
        one = reading.sources.get(subject) if subject else None
        if one is not None and (uid := text_of(one.metadata.get("uid"))):
            found.append({"apiVersion": one.api_version, "kind": one.kind, "name": one.name, "uid": uid})
    return found
