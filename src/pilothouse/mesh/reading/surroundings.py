"""What a configuration needs to know of Kubernetes: Services with their ports, and under which account pods run."""

from __future__ import annotations

from typing import Any

from pilothouse.kube.objects import KubeObject, dig, mapping, mappings, text_of
from pilothouse.mesh.model import Configuration, Name, Service, ServicePort, Workload

_HTTP = ("http", "http2", "https", "grpc", "grpc-web", "kubernetes.io/h2c")
_TEMPLATES = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")


def surrounding(source: KubeObject, namespace: str) -> Service | Workload | None:
    """A Service, Pod or workload; other kinds are of no interest."""
    id = Name(source.namespace or namespace, source.name)
    if source.kind == "Service" and source.api_version == "v1":
        return _service(id, source)
    if source.kind in _TEMPLATES:
        return _workload(id, dig(source.content, "spec", "template") or {})
    if source.kind == "Pod" and source.api_version == "v1":
        return _workload(id, source.content)
    return None


def with_accounts(configuration: Configuration) -> None:
    """Note for each Service the accounts that its pods run under."""
    found = Selecting(configuration)
    for id, service in configuration.services.items():
        accounts = {pods.account for pods in found.pods(id.namespace, service.selector)}
        if accounts:
            configuration.services[id] = Service(
                id, service.ports, service.selector, tuple(sorted(accounts)), service.headless
            )


class Selecting:
    """Finds pods by labels without looking at all of them: they are kept by each label they have."""

    def __init__(self, configuration: Configuration) -> None:
        self._by_label: dict[tuple[str, tuple[str, str]], list[Workload]] = {}
        for _, pods in sorted(configuration.workloads.items()):
            for label in pods.labels:
                self._by_label.setdefault((pods.id.namespace, label), []).append(pods)

    def pods(self, namespace: str, selector: tuple[tuple[str, str], ...]) -> list[Workload]:
        """Those that have all labels of a selector; none for an empty one, as for a Service."""
        if not selector:
            return []
        # The rarest label of the selector leaves the fewest to look at.
        few = min((self._by_label.get((namespace, label), []) for label in selector), key=len)
        wanted = set(selector)
        return [pods for pods in few if wanted <= set(pods.labels)]


def _service(id: Name, source: KubeObject) -> Service:
    selector = tuple(sorted((str(key), text_of(value)) for key, value in mapping(source.spec.get("selector")).items()))
    ports = tuple(_port(port) for port in mappings(source.spec.get("ports")))
    return Service(id, tuple(port for port in ports if port.port), selector, (), source.spec.get("clusterIP") == "None")


def _port(port: dict[str, Any]) -> ServicePort:
    number = port.get("port")
    number = number if isinstance(number, int) and not isinstance(number, bool) else 0
    target = port.get("targetPort", number)
    name = text_of(port.get("name"))
    # How Istio and others tell what is spoken: appProtocol, else the part of the port's name before a hyphen.
    said = text_of(port.get("appProtocol")) or name.partition("-")[0]
    if port.get("protocol") == "UDP":
        spoken = "udp"
    else:
        spoken = "http" if said.lower() in _HTTP or (number in (80, 8080) and not said) else "tcp"
    return ServicePort(number, target if isinstance(target, int) else number, spoken, name)


def _workload(id: Name, template: Any) -> Workload:
    labels = mapping(dig(template, "metadata", "labels"))
    account = text_of(dig(template, "spec", "serviceAccountName")) or "default"
    return Workload(id, tuple(sorted((str(key), text_of(value)) for key, value in labels.items())), account)
