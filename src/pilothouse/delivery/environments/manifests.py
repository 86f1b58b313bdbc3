"""An image's version in plain manifests, and where the same workload says it again.

A workload that runs `shop:1.2.3` often names the version a second time for its telemetry: in the label
`app.kubernetes.io/version` (Kubernetes' recommended labels) and in `OTEL_RESOURCE_ATTRIBUTES`. Left behind, these would
make the new version report itself as the old one, so they move along. A label that the workload's selector uses cannot
be changed in place, and stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pilothouse.delivery.environments.images import Image, without
from pilothouse.delivery.environments.scalars import Path, Scalar, replaced, scalars, values

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_LABELS = ("app.kubernetes.io/version", "tags.datadoghq.com/version")
_ATTRIBUTES = re.compile(r"(?P<before>(?:^|,)\s*service\.version=)(?P<version>[^,]*)")


def images(text: str, name: str) -> list[Image]:
    """The images of that name which containers run. Raises `EditError`."""
    return [Image.parse(one.value) for one in scalars(text) if _runs(one, name)]


def changed(text: str, name: str, version: str, prefix: str) -> str:
    """The text with another version of the image. Raises `EditError`."""
    found = scalars(text)
    running = [one for one in found if _runs(one, name)]
    if not running:
        return text
    content = values(text)
    changes = []
    for one in running:
        old = Image.parse(one.value)
        changes.append((one, str(old.at(version, prefix))))
        changes += _again(found, content, one, without(old.tag, prefix), without(version, ""))
    distinct = {one.path: (one, value) for one, value in changes if one.value != value}
    return replaced(text, list(distinct.values())) if distinct else text


def _runs(one: Scalar, name: str) -> bool:
    path = one.path
    return len(path) >= 4 and path[-1] == "image" and path[-3] in _CONTAINERS and Image.parse(one.value).is_called(name)


def _again(found: list[Scalar], content: list[Any], image: Scalar, old: str, new: str) -> Iterator[tuple[Scalar, str]]:
    """Where the image's workload says the same version once more."""
    if not old:
        return
    document = content[int(image.path[0])]
    container = image.path[:-1]
    for one in found:
        if one.path[0] != image.path[0]:
            continue
        if one.path[-3:-1] == ("metadata", "labels") and one.path[-1] in _LABELS:
            if one.value in (old, f"v{old}") and not _selected(document, str(one.path[-1])):
                yield one, one.value.replace(old, new)
        elif one.path[: len(container) + 1] == (*container, "env") and _is_attributes(content, one.path):
            yield one, _ATTRIBUTES.sub(lambda said: said["before"] + _moved(said["version"], old, new), one.value)


def _moved(said: str, old: str, new: str) -> str:
    return new if said == old else said


def _is_attributes(content: list[Any], path: Path) -> bool:
    """Whether it is the value of the variable that tells OpenTelemetry's SDKs who speaks."""
    place: Any = content
    for step in path[:-1]:
        place = place[step]
    return path[-1] == "value" and isinstance(place, dict) and place.get("name") == "OTEL_RESOURCE_ATTRIBUTES"


def _selected(document: Any, label: str) -> bool:
    try:
        selector = document["spec"]["selector"]
    except (KeyError, TypeError):
        return False
    if not isinstance(selector, dict):
        return False
    chosen = selector.get("matchLabels", selector)
    return isinstance(chosen, dict) and label in chosen
