"""Watched objects as a configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pilothouse.kube.objects import KubeObject, mapping, text_of
from pilothouse.mesh.controlling.kinds import ACCESS, SPECS, SPLIT
from pilothouse.mesh.controlling.planning import subject_name
from pilothouse.mesh.controlling.watching import Seen
from pilothouse.mesh.reading import Reading, read_objects

_GROUPS = (ACCESS, SPECS, SPLIT)


def interpreted(seen: Iterable[Seen]) -> Reading:
    """All of it read; pods stand for themselves only where no workload that is watched stands for them."""
    interface, workloads, pods, others = [], [], [], []
    for one in seen:
        if one.object.group in _GROUPS:
            interface.append(_as_written(one.object))
        elif one.object.group == "apps":
            workloads.append(one.object)
        elif one.object.kind == "Pod":
            pods.append(one.object)
        else:
            others.append(one.object)
    interface.sort(key=lambda one: (one.kind, one.namespace, one.name))
    return read_objects([*interface, *others, *workloads, *_alone(pods, workloads)])


def _as_written(one: KubeObject) -> KubeObject:
    """The object in the version that its form is of: the one it is served in, or that it was written in."""
    content = dict(one.content)
    written = text_of(content.pop("writtenAs", ""))
    served = KubeObject(content)
    if not written or written == one.api_version:
        return served
    if any(finding.level == "error" for finding in read_objects([served]).findings):
        other = KubeObject({**content, "apiVersion": written})
        if all(finding.level != "error" for finding in read_objects([other]).findings):
            return other
    return served


Label = tuple[str, Any]


def _alone(pods: list[KubeObject], workloads: list[KubeObject]) -> Iterator[KubeObject]:
    """Pods that no known workload accounts for: a policy by labels would select them too."""
    # By one label of each template, which all of its pods have, so that few are looked at for a pod.
    known: dict[tuple[str, str, Label], list[set[Label]]] = {}
    for workload in workloads:
        template = mapping(workload.spec.get("template"))
        labels: set[Label] = set(mapping(mapping(template.get("metadata")).get("labels")).items())
        key = (workload.namespace, _account(template), min(labels, default=_NONE))
        known.setdefault(key, []).append(labels)
    for pod in pods:
        mine: set[Label] = set(pod.labels.items())
        candidates = (known.get((pod.namespace, _account(pod.content), label), []) for label in [*mine, _NONE])
        if not any(labels <= mine for found in candidates for labels in found):
            yield pod


_NONE: Label = ("", "")


def _account(template: Mapping[str, Any]) -> str:
    return text_of(mapping(template.get("spec")).get("serviceAccountName")) or "default"


def owners(reading: Reading, source: str) -> list[dict[str, Any]]:
    """Owner references to the resources that an object was made from, as compilers write them down."""
    found: list[dict[str, Any]] = []
    for text in source.split(", "):
        subject = subject_name(text)
        one = reading.sources.get(subject) if subject else None
        if one is not None and (uid := text_of(one.metadata.get("uid"))):
            found.append({"apiVersion": one.api_version, "kind": one.kind, "name": one.name, "uid": uid})
    return found
