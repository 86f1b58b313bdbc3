"""Who speaks on an OpenCensus stream, as OpenTelemetry's resource attributes."""

from __future__ import annotations

from typing import Any

from pilothouse.signals.receive.span_request import Plain

_LANGUAGES = ("", "cpp", "dotnet", "erlang", "go", "java", "nodejs", "php", "python", "ruby")
# OpenCensus' own names for what OpenTelemetry names otherwise.
_LABELS = {
    "k8s.io/cluster/name": "k8s.cluster.name", "k8s.io/namespace/name": "k8s.namespace.name",
    "k8s.io/pod/name": "k8s.pod.name", "k8s.io/container/name": "k8s.container.name",
    "container.name": "container.name", "container.image.name": "container.image.name",
    "host.hostname": "host.name", "cloud.zone": "cloud.availability_zone",
}  # fmt: skip


class Speaker:
    """The node and resource of a stream: said in its first request, and in force until said anew."""

    def __init__(self) -> None:
        self._node: dict[str, Plain] = {}
        self._resource: dict[str, Plain] = {}

    def hear(self, request: Any) -> None:
        """Take over what a request says."""
        if request.HasField("node"):
            self._node = _of_node(request.node)
        if request.HasField("resource"):
            self._resource = _of_resource(request.resource)

    def attributes(self, part: Any) -> dict[str, Plain]:
        """The attributes of a span or metric, which may have a resource of its own."""
        own = _of_resource(part.resource) if part.HasField("resource") else self._resource
        return self._node | own


def _of_node(node: Any) -> dict[str, Plain]:
    language, library = node.library_info.language, node.library_info
    found: dict[str, Plain] = {
        "service.name": node.service_info.name,
        "host.name": node.identifier.host_name,
        "process.pid": node.identifier.pid,
        "telemetry.sdk.name": "opencensus" if node.HasField("library_info") else "",
        "telemetry.sdk.language": _LANGUAGES[language] if 0 < language < len(_LANGUAGES) else "",
        "telemetry.sdk.version": library.core_library_version,
    }
    named = {_LABELS.get(label.key, label.key): label.value for label in node.attributes}
    return {key: value for key, value in found.items() if value} | named


def _of_resource(resource: Any) -> dict[str, Plain]:
    return {_LABELS.get(label.key, label.key): label.value for label in resource.labels}
