"""Kubernetes events and node conditions as log records, with the identity labels of what they are about."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pilothouse.kube.objects import KubeObject, mapping, mappings, text_of
from pilothouse.signals.collecting.containers import of_pod
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.receive.log_requests import LogRequest
from pilothouse.signals.receive.times import any_time

if TYPE_CHECKING:
    from pilothouse.signals.receive.otlp import Receiver

_KINDS = {
    "Deployment": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemonset", "Job": "job",
    "CronJob": "cronjob", "ReplicaSet": "replicaset",
}  # fmt: skip


class Narrator:
    """Sends lines through the log door; `send` takes an OTLP log request's bytes."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._conditions: dict[tuple[str, str], str] = {}
        self._told: dict[str, int] = {}

    @classmethod
    def into(cls, receiver: Receiver) -> Narrator:
        """Into our own store."""
        return cls(lambda body: receiver.receive("logs", body).written.result(timeout=30))

    def event(self, one: KubeObject, after: int) -> None:
        """An Event (of either API group) that happened after a time (nanoseconds); each count of it once."""
        content = one.content
        about = mapping(content.get("regarding") or content.get("involvedObject"))
        moment = _moment(content)
        count = int(content.get("deprecatedCount") or content.get("count") or 1)
        key = text_of(one.metadata.get("uid")) or one.name
        if moment < after or self._told.get(key) == count:
            return
        self._told[key] = count
        while len(self._told) > 20_000:
            self._told.pop(next(iter(self._told)))
        kind, name = text_of(about.get("kind")), text_of(about.get("name"))
        namespace = text_of(about.get("namespace")) or one.namespace
        reporter = text_of(content.get("reportingController")) or text_of(
            mapping(content.get("source")).get("component")
        )
        attributes = {
            "k8s.event.reason": text_of(content.get("reason")), "k8s.event.count": str(count),
            "k8s.event.name": one.name, "k8s.object.kind": kind, "k8s.object.name": name,
            "k8s.event.reporter": reporter,
        }  # fmt: skip
        warning = content.get("type") == "Warning"
        message = text_of(content.get("note")) or text_of(content.get("message")) or text_of(content.get("reason"))
        line = f"{text_of(content.get('reason'))}: {message}"
        self._say(identity(kind, namespace, name, text_of(about.get("uid"))), moment, line, attributes, warning)

    def node(self, one: KubeObject) -> None:
        """A node's conditions where they changed since it was last seen; the first sight says nothing."""
        for row in mappings(one.status.get("conditions")):
            kind, status = text_of(row.get("type")), text_of(row.get("status"))
            before = self._conditions.get((one.name, kind))
            self._conditions[one.name, kind] = status
            if before is None or before == status:
                continue
            bad = (status != "True") if kind == "Ready" else (status != "False")
            line = f"node {one.name}: {kind} is {status} (was {before}): {text_of(row.get('message'))}"
            attributes = {"k8s.condition.type": kind, "k8s.condition.status": status,
                          "k8s.event.reason": text_of(row.get("reason")), "k8s.object.kind": "Node",
                          "k8s.object.name": one.name}  # fmt: skip
            self._say(identity("Node", "", one.name, ""), time.time_ns(), line, attributes, bad)

    def _say(self, who: dict[str, str], moment: int, line: str, attributes: dict[str, str], warning: bool) -> None:
        request = LogRequest()
        given = {name: value for name, value in attributes.items() if value}
        level = (13, "WARN") if warning else (9, "INFO")
        request.stream(who).add(moment, line[:8_000], given, *level)
        self._send(request.body())


def identity(kind: str, namespace: str, name: str, uid: str) -> dict[str, str]:
    """The resource attributes of a Kubernetes object: a pod's are those of its own logs, but for the container."""
    if kind == "Pod":
        found = of_pod(namespace, name, uid, "")
        found["service.instance.id"] = f"{namespace}.{name}"
        return {key: value for key, value in found.items() if value}
    if kind == "Node":
        return {"service.name": "kubernetes.node", "k8s.node.name": name, "host.name": name}
    found = {"service.name": name or "kubernetes", "service.namespace": namespace, "k8s.namespace.name": namespace}
    if kind in _KINDS:
        found[f"k8s.{_KINDS[kind]}.name"] = name
    return {key: value for key, value in found.items() if value}


def _moment(content: Any) -> int:
    series = mapping(content.get("series"))
    for text in (
        series.get("lastObservedTime"), content.get("deprecatedLastTimestamp"), content.get("lastTimestamp"),
        content.get("eventTime"), mapping(content.get("metadata")).get("creationTimestamp"),
    ):  # fmt: skip
        if text:
            try:
                return any_time(text)
            except (BadRequestError, ValueError):
                continue
    return time.time_ns()
