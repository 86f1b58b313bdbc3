"""What objects of a cluster become: the addresses and labels of Prometheus' documentation."""

from __future__ import annotations

from typing import Any

from pilothouse.signals.metrics.scraping.kubernetes_targets import ROLES, Objects

_POD = {
    "metadata": {
        "name": "web-1", "namespace": "shop", "uid": "u1", "labels": {"app.kubernetes.io/name": "web"},
        "annotations": {"prometheus.io/scrape": "true"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "controller": True}],
    },
    "spec": {
        "nodeName": "n1",
        "containers": [
            {"name": "app", "image": "web:1", "ports": [{"name": "http", "containerPort": 8080},
                                                      {"name": "metrics", "containerPort": 9090}]},
            {"name": "side", "image": "side:1"},
        ],
    },
    "status": {"podIP": "10.0.0.7", "hostIP": "192.0.2.1", "phase": "Running",
               "conditions": [{"type": "Ready", "status": "True"}]},
}  # fmt: skip
_SERVICE = {
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"clusterIP": "10.1.0.1", "type": "ClusterIP", "ports": [{"name": "http", "port": 80}]},
}
_SLICE = {
    "metadata": {"name": "web-abc", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
    "addressType": "IPv4",
    "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    "endpoints": [{"addresses": ["10.0.0.7"], "conditions": {"ready": True}, "nodeName": "n1",
                   "targetRef": {"kind": "Pod", "name": "web-1", "namespace": "shop"}}],
}  # fmt: skip
_ENDPOINTS = {
    "metadata": {"name": "web", "namespace": "shop"},
    "subsets": [{"notReadyAddresses": [{"ip": "10.0.0.7", "targetRef": {"kind": "Pod", "name": "web-1"}}],
                 "ports": [{"name": "http", "port": 8080}]}],
}  # fmt: skip
_NODE = {
    "metadata": {"name": "n1", "labels": {"zone": "a"}},
    "status": {"addresses": [{"type": "Hostname", "address": "n1"}, {"type": "InternalIP", "address": "192.0.2.1"}],
               "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}}},
}  # fmt: skip
_INGRESS = {
    "metadata": {"name": "front", "namespace": "shop"},
    "spec": {"ingressClassName": "nginx", "tls": [{"hosts": ["*.example.com"]}],
             "rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/x"}]}}, {"host": "b.test"}]},
}  # fmt: skip


def _targets(role: str, attach: bool = False, **objects: Any) -> dict[str, dict[str, str]]:
    known = Objects()
    for kind, content in objects.items():
        known.note(kind, content)
    groups = ROLES[role].groups(known, attach)
    return {labels["__address__"]: labels for group in groups for labels in group.each()}


def test_pods() -> None:
    found = _targets("pod", attach=True, Pod=_POD, Node=_NODE)
    assert set(found) == {"10.0.0.7:8080", "10.0.0.7:9090", "10.0.0.7"}
    labels = {name.removeprefix("__meta_kubernetes_"): value for name, value in found["10.0.0.7:9090"].items()}
    wanted = {
        "namespace": "shop", "pod_name": "web-1", "pod_ip": "10.0.0.7", "pod_ready": "true", "pod_phase": "Running",
        "pod_node_name": "n1", "pod_host_ip": "192.0.2.1", "pod_uid": "u1", "pod_controller_kind": "ReplicaSet",
        "pod_controller_name": "web", "pod_container_name": "app", "pod_container_image": "web:1",
        "pod_container_init": "false", "pod_container_port_name": "metrics", "pod_container_port_number": "9090",
        "pod_container_port_protocol": "TCP", "pod_label_app_kubernetes_io_name": "web",
        "pod_labelpresent_app_kubernetes_io_name": "true", "pod_annotation_prometheus_io_scrape": "true",
        "pod_annotationpresent_prometheus_io_scrape": "true", "node_name": "n1", "node_label_zone": "a",
        "node_labelpresent_zone": "true",
    }  # fmt: skip
    assert labels == wanted | {"__address__": "10.0.0.7:9090"}


def test_a_pod_without_an_address_is_no_target() -> None:
    assert _targets("pod", Pod={**_POD, "status": {}}) == {}


def test_services() -> None:
    (labels,) = _targets("service", Service=_SERVICE).values()
    assert labels["__address__"] == "web.shop.svc:80"
    assert labels["__meta_kubernetes_service_cluster_ip"] == "10.1.0.1"
    assert labels["__meta_kubernetes_service_port_name"] == "http"


def test_endpoint_slices_bring_their_pods_and_services() -> None:
    found = _targets("endpointslice", EndpointSlice=_SLICE, Pod=_POD, Service=_SERVICE)
    assert set(found) == {"10.0.0.7:8080", "10.0.0.7:9090"}
    named = found["10.0.0.7:8080"]
    assert named["__meta_kubernetes_endpointslice_endpoint_conditions_ready"] == "true"
    assert named["__meta_kubernetes_endpointslice_port_name"] == "http"
    assert named["__meta_kubernetes_pod_container_port_name"] == "http"
    assert named["__meta_kubernetes_service_name"] == "web"
    # A port of the pod that no endpoint names.
    assert found["10.0.0.7:9090"]["__meta_kubernetes_pod_container_port_name"] == "metrics"


def test_endpoints() -> None:
    named = _targets("endpoints", Endpoints=_ENDPOINTS, Pod=_POD, Service=_SERVICE)["10.0.0.7:8080"]
    assert named["__meta_kubernetes_endpoint_ready"] == "false"
    assert named["__meta_kubernetes_endpoints_name"] == "web"
    assert named["__meta_kubernetes_endpoint_address_target_name"] == "web-1"


def test_nodes() -> None:
    (labels,) = _targets("node", Node=_NODE).values()
    assert labels["__address__"] == "192.0.2.1:10250"
    assert labels["instance"] == "n1"
    assert labels["__meta_kubernetes_node_address_InternalIP"] == "192.0.2.1"


def test_ingresses() -> None:
    found = _targets("ingress", Ingress=_INGRESS)
    assert {(one["__scheme__"], one["__address__"], one["__metrics_path__"]) for one in found.values()} == {
        ("https", "a.example.com", "/x"), ("http", "b.test", "/")
    }  # fmt: skip


def test_objects_that_went_are_forgotten() -> None:
    known = Objects()
    known.note("Pod", _POD)
    known.note("Pod", _POD, gone=True)
    assert ROLES["pod"].groups(known, False) == []
