"""Which version a resource is of: what it says itself, or what Kubernetes and its image say of it.

The first that is there counts: `service.version`; the recommended label `app.kubernetes.io/version`, as the
OpenTelemetry collector's k8sattributes processor copies it; the image's tag, unless it names no version (`latest`);
the ReplicaSet, which is new with every change of a Deployment's pods.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pilothouse.signals.identity import VERSION

_SAID = (
    VERSION,
    "k8s.pod.label.app.kubernetes.io/version",
    "k8s.pod.labels.app.kubernetes.io/version",
    "k8s.deployment.label.app.kubernetes.io/version",
)
_TAG, _TAGS, _REPLICA_SET = "container.image.tag", "container.image.tags", "k8s.replicaset.name"
# Tags that move from image to image.
_MOVING = ("latest", "stable", "main", "master", "edge", "dev")
_FIRST_TAG = re.compile(r'^\["([^"]*)"')

_TAG_SQL = f"if(attributes['{_TAG}'] != '', attributes['{_TAG}'], extract(attributes['{_TAGS}'], '^\\\\[\"([^\"]*)\"'))"
VERSION_SQL = (
    "multiIf("
    + "".join(f"attributes['{name}'] != '', attributes['{name}'], " for name in _SAID)
    + f"{_TAG_SQL} NOT IN {('', *_MOVING)}, {_TAG_SQL}, "
    + f"splitByChar('-', attributes['{_REPLICA_SET}'])[-1])"
)
"""SQL over a map column `attributes`; the same rule as `version_of`."""


def version_of(attributes: Mapping[str, str]) -> str:
    """The version, or nothing when neither the resource nor its pod tells it."""
    for name in _SAID:
        if attributes.get(name):
            return attributes[name]
    tags = _FIRST_TAG.match(attributes.get(_TAGS, ""))
    tag = attributes.get(_TAG) or (tags[1] if tags else "")
    if tag and tag not in _MOVING:
        return tag
    return attributes.get(_REPLICA_SET, "").rpartition("-")[2]
