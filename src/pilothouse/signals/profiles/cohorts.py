"""Processes that are alike but for which one each is: the replicas of a release.

Questions are mostly about all of them, so the values of a cohort are kept summed as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from pilothouse.signals.identity import identity_of

# Attributes of the OpenTelemetry semantic conventions that differ from one replica to the next.
_OF_INSTANCE = frozenset(
    (
        "service.instance.id", "instance", "k8s.pod.name", "k8s.pod.uid", "k8s.pod.ip", "k8s.pod.start_time",
        "k8s.node.name", "k8s.node.uid", "k8s.container.restart_count", "container.id", "container.name", "pod",
        "node", "thread_id",
    )
)  # fmt: skip
_PREFIXES = ("host.", "process.", "os.")


def cohort_of(resource: Mapping[str, str]) -> int:
    """The identity of what a resource shares with its replicas."""
    return identity_of(
        (name, text) for name, text in resource.items() if name not in _OF_INSTANCE and not name.startswith(_PREFIXES)
    )
