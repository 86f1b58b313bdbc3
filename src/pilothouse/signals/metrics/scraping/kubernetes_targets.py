"""What targets the objects of a cluster make, with the labels that Prometheus gives them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pilothouse.signals.metrics.scraping.group import Group
from pilothouse.signals.metrics.scraping.target import ADDRESS, PATH, SCHEME

_META = "__meta_kubernetes_"
_NOT_IN_LABEL = re.compile(r"[^a-zA-Z0-9_]")
_NODE_ADDRESSES = ("InternalIP", "InternalDNS", "ExternalIP", "ExternalDNS", "LegacyHostIP", "Hostname")
Content = Mapping[str, Any]


@dataclass(slots=True)
class Objects:
    """The objects that were seen, by kind, then namespace and name."""

    kinds: dict[str, dict[tuple[str, str], Content]] = field(default_factory=dict)

    def note(self, kind: str, content: Content, gone: bool = False) -> None:
        """An object came, changed or went."""
        there = self.kinds.setdefault(kind, {})
        key = _key(content)
        if gone:
            there.pop(key, None)
        else:
            there[key] = content

    def all(self, kind: str) -> list[Content]:
        return [content for _, content in sorted(self.kinds.get(kind, {}).items())]

    def get(self, kind: str, namespace: str, name: str) -> Content | None:
        return self.kinds.get(kind, {}).get((namespace, name))


def _key(content: Content) -> tuple[str, str]:
    meta = content.get("metadata") or {}
    return str(meta.get("namespace") or ""), str(meta.get("name") or "")


def _meta(content: Content, kind: str) -> dict[str, str]:
    """Labels and annotations of an object."""
    meta = content.get("metadata") or {}
    labels: dict[str, str] = {}
    for part, sort in (("labels", "label"), ("annotations", "annotation")):
        for name, value in (meta.get(part) or {}).items():
            plain = _NOT_IN_LABEL.sub("_", str(name))
            labels[f"{_META}{kind}_{sort}_{plain}"] = str(value)
            labels[f"{_META}{kind}_{sort}present_{plain}"] = "true"
    return labels


def _said(prefix: str, values: Mapping[str, Any]) -> dict[str, str]:
    """Labels of what has a value."""
    return {
        f"{_META}{prefix}{name}": ("true" if value else "false") if isinstance(value, bool) else str(value)
        for name, value in values.items()
        if value is not None and value != ""
    }


def _address(host: str, port: Any) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


# Nodes.


def _node_groups(objects: Objects, _: bool) -> list[Group]:
    groups = []
    for node in objects.all("Node"):
        addresses = {
            str(one.get("type")): str(one.get("address")) for one in (node.get("status") or {}).get("addresses") or ()
        }
        host = next((addresses[kind] for kind in _NODE_ADDRESSES if kind in addresses), "")
        endpoint = ((node.get("status") or {}).get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}
        name = _key(node)[1]
        labels = _said("node_", {"name": name, "provider_id": (node.get("spec") or {}).get("providerID")})
        labels |= _meta(node, "node")
        target = {ADDRESS: _address(host, endpoint.get("Port", 10250)), "instance": name}
        target |= {f"{_META}node_address_{_NOT_IN_LABEL.sub('_', kind)}": one for kind, one in addresses.items()}
        groups.append(Group([target], labels))
    return groups


# Services.


def _service_labels(service: Content) -> dict[str, str]:
    namespace, name = _key(service)
    return {**_said("", {"namespace": namespace, "service_name": name}), **_meta(service, "service")}


def _service_groups(objects: Objects, _: bool) -> list[Group]:
    groups = []
    for service in objects.all("Service"):
        namespace, name = _key(service)
        spec = service.get("spec") or {}
        kind = spec.get("type") or "ClusterIP"
        where = {"external_name": spec.get("externalName")} if kind == "ExternalName" else {
            "cluster_ip": spec.get("clusterIP")}  # fmt: skip
        targets = [
            {ADDRESS: f"{name}.{namespace}.svc:{port.get('port')}"}
            | _said("service_", {**where, "type": kind, "port_name": port.get("name"),
                                 "port_number": port.get("port"), "port_protocol": port.get("protocol") or "TCP"})
            for port in spec.get("ports") or ()
        ]  # fmt: skip
        groups.append(Group(targets, _service_labels(service)))
    return groups


# Pods.


def pod_labels(pod: Content) -> dict[str, str]:
    """What is known of a pod, whatever its containers."""
    namespace, name = _key(pod)
    status, spec, meta = pod.get("status") or {}, pod.get("spec") or {}, pod.get("metadata") or {}
    ready = next((one.get("status") for one in status.get("conditions") or () if one.get("type") == "Ready"), "Unknown")
    owner: Content = next((one for one in meta.get("ownerReferences") or () if one.get("controller")), {})
    values = {
        "name": name, "ip": status.get("podIP"), "ready": str(ready).lower(), "phase": status.get("phase"),
        "node_name": spec.get("nodeName"), "host_ip": status.get("hostIP"), "uid": meta.get("uid"),
        "controller_kind": owner.get("kind"), "controller_name": owner.get("name"),
    }  # fmt: skip
    return {**_said("", {"namespace": namespace}), **_said("pod_", values), **_meta(pod, "pod")}


def _containers(pod: Content) -> Iterator[tuple[Content, dict[str, str]]]:
    """Each container with its labels."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    ids = {
        one.get("name"): one.get("containerID")
        for part in ("containerStatuses", "initContainerStatuses")
        for one in status.get(part) or ()
    }
    for part, is_init in (("containers", False), ("initContainers", True)):
        for one in spec.get(part) or ():
            values = {"name": one.get("name"), "image": one.get("image"), "id": ids.get(one.get("name"))}
            yield one, _said("pod_container_", {**values, "init": is_init})


def _port_labels(port: Content) -> dict[str, str]:
    values = {"name": port.get("name"), "number": port.get("containerPort"), "protocol": port.get("protocol") or "TCP"}
    return _said("pod_container_port_", values)


def _of_node(objects: Objects, pod: Content, attach: bool) -> dict[str, str]:
    node = objects.get("Node", "", str((pod.get("spec") or {}).get("nodeName") or "")) if attach else None
    return {} if node is None else {**_said("node_", {"name": _key(node)[1]}), **_meta(node, "node")}


def _pod_groups(objects: Objects, attach: bool) -> list[Group]:
    groups = []
    for pod in objects.all("Pod"):
        host = (pod.get("status") or {}).get("podIP")
        if not host:
            continue
        targets = []
        for container, labels in _containers(pod):
            ports = container.get("ports") or ()
            targets += [
                {ADDRESS: _address(host, port.get("containerPort"))} | labels | _port_labels(port) for port in ports
            ]
            if not ports:
                targets.append({ADDRESS: host} | labels)
        groups.append(Group(targets, pod_labels(pod) | _of_node(objects, pod, attach)))
    return groups


# Endpoints and their slices.


@dataclass(slots=True)
class _Backing:
    """The pods behind the endpoints of one object, and which of their ports an endpoint names."""

    objects: Objects
    attach: bool
    pods: dict[tuple[str, str], set[int]] = field(default_factory=dict)

    def labels(self, reference: Content | None, namespace: str, port: Any) -> dict[str, str]:
        """What is known of the pod that an endpoint refers to, and of its container with that port."""
        if not reference or reference.get("kind") != "Pod":
            return {}
        key = str(reference.get("namespace") or namespace), str(reference.get("name"))
        pod = self.objects.get("Pod", *key)
        if pod is None:
            return {}
        labels = pod_labels(pod) | _of_node(self.objects, pod, self.attach)
        ports = self.pods.setdefault(key, set())
        for container, said in _containers(pod):
            for one in container.get("ports") or ():
                if one.get("containerPort") == port:
                    ports.add(port)
                    return labels | said | _port_labels(one)
        return labels

    def others(self) -> Iterator[dict[str, str]]:
        """Targets for the pods' ports that no endpoint names."""
        for key, known in self.pods.items():
            pod = self.objects.get("Pod", *key)
            host = ((pod or {}).get("status") or {}).get("podIP")
            for container, said in _containers(pod or {}):
                for port in container.get("ports") or ():
                    if host and port.get("containerPort") not in known:
                        of_pod = pod_labels(pod or {}) | _of_node(self.objects, pod or {}, self.attach)
                        address = _address(host, port.get("containerPort"))
                        yield {ADDRESS: address, **of_pod, **said, **_port_labels(port)}


def _endpoints_groups(objects: Objects, attach: bool) -> list[Group]:
    groups = []
    for endpoints in objects.all("Endpoints"):
        namespace, name = _key(endpoints)
        backing = _Backing(objects, attach)
        targets = []
        for subset in endpoints.get("subsets") or ():
            for port in subset.get("ports") or ():
                for part, ready in (("addresses", True), ("notReadyAddresses", False)):
                    addresses = subset.get(part) or ()
                    targets += [_endpoint(address, port, ready, namespace, backing) for address in addresses]
        labels = _said("", {"namespace": namespace, "endpoints_name": name}) | _meta(endpoints, "endpoints")
        service = objects.get("Service", namespace, name)
        if service is not None:
            labels |= _service_labels(service)
        groups.append(Group([*targets, *backing.others()], labels))
    return groups


def _endpoint(address: Content, port: Content, ready: bool, namespace: str, backing: _Backing) -> dict[str, str]:
    reference = address.get("targetRef")
    values = {
        "ready": ready, "port_name": port.get("name"), "port_protocol": port.get("protocol") or "TCP",
        "node_name": address.get("nodeName"), "hostname": address.get("hostname"),
        "address_target_kind": (reference or {}).get("kind"), "address_target_name": (reference or {}).get("name"),
    }  # fmt: skip
    return {
        ADDRESS: _address(str(address.get("ip")), port.get("port")),
        **_said("endpoint_", values),
        **backing.labels(reference, namespace, port.get("port")),
    }


def _slice_groups(objects: Objects, attach: bool) -> list[Group]:
    groups = []
    for one in objects.all("EndpointSlice"):
        namespace, name = _key(one)
        backing = _Backing(objects, attach)
        targets = [
            _of_slice(endpoint, str(address), port, namespace, backing)
            for port in one.get("ports") or ()
            for endpoint in one.get("endpoints") or ()
            for address in endpoint.get("addresses") or ()
        ]
        labels = _said("", {"namespace": namespace, "endpointslice_name": name,
                            "endpointslice_address_type": one.get("addressType")})  # fmt: skip
        labels |= _meta(one, "endpointslice")
        owner = ((one.get("metadata") or {}).get("labels") or {}).get("kubernetes.io/service-name", "")
        service = objects.get("Service", namespace, str(owner))
        if service is not None:
            labels |= _service_labels(service)
        groups.append(Group([*targets, *backing.others()], labels))
    return groups


def _of_slice(endpoint: Content, address: str, port: Content, namespace: str, backing: _Backing) -> dict[str, str]:
    reference, conditions = endpoint.get("targetRef"), endpoint.get("conditions") or {}
    values = {
        "port": port.get("port"), "port_name": port.get("name"), "port_protocol": port.get("protocol") or "TCP",
        "port_app_protocol": port.get("appProtocol"), "endpoint_hostname": endpoint.get("hostname"),
        "endpoint_node_name": endpoint.get("nodeName"), "endpoint_zone": endpoint.get("zone"),
        "address_target_kind": (reference or {}).get("kind"), "address_target_name": (reference or {}).get("name"),
        **{f"endpoint_conditions_{name}": conditions.get(name) for name in ("ready", "serving", "terminating")},
    }  # fmt: skip
    where = {
        f"{_META}endpointslice_endpoint_topology_{_NOT_IN_LABEL.sub('_', str(name))}": str(value)
        for name, value in (endpoint.get("deprecatedTopology") or {}).items()
    }
    return {
        ADDRESS: _address(address, port.get("port")),
        **_said("endpointslice_", values),
        **where,
        **backing.labels(reference, namespace, port.get("port")),
    }


# Ingresses.


def _ingress_groups(objects: Objects, _: bool) -> list[Group]:
    groups = []
    for ingress in objects.all("Ingress"):
        namespace, name = _key(ingress)
        spec = ingress.get("spec") or {}
        secured = [str(host) for one in spec.get("tls") or () for host in one.get("hosts") or ()]
        targets = []
        for rule in spec.get("rules") or ():
            host = str(rule.get("host") or "*")
            scheme = "https" if any(_fits(pattern, host) for pattern in secured) else "http"
            for path in [str(one.get("path") or "/") for one in (rule.get("http") or {}).get("paths") or ()] or ["/"]:
                said = _said("ingress_", {"scheme": scheme, "host": host, "path": path})
                targets.append({ADDRESS: host, SCHEME: scheme, PATH: path, **said})
        values = {"namespace": namespace, "ingress_name": name, "ingress_class_name": spec.get("ingressClassName")}
        groups.append(Group(targets, _said("", values) | _meta(ingress, "ingress")))
    return groups


def _fits(pattern: str, host: str) -> bool:
    return pattern == host or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])


@dataclass(frozen=True, slots=True)
class Role:
    """What a role looks at, and what it makes of it."""

    needs: tuple[str, ...]
    groups: Callable[[Objects, bool], list[Group]]


ROLES = {
    "node": Role(("Node",), _node_groups),
    "service": Role(("Service",), _service_groups),
    "pod": Role(("Pod",), _pod_groups),
    "endpoints": Role(("Endpoints", "Service", "Pod"), _endpoints_groups),
    "endpointslice": Role(("EndpointSlice", "Service", "Pod"), _slice_groups),
    "ingress": Role(("Ingress",), _ingress_groups),
}
