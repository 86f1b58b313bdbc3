"""A workload as rules see it: its size, its rollout, and the objects around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilothouse.hazards.facts.pods import template_path
from pilothouse.hazards.facts.proxies import injected, native
from pilothouse.hazards.facts.world import World
from pilothouse.kube.objects import KubeObject, dig, mapping, mappings, sequence, text_of
from pilothouse.kube.quantities import quantity, share
from pilothouse.kube.selecting import matches

_LONG = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Rollout"}


def workload(one: KubeObject, pod: dict[str, Any], world: World) -> dict[str, Any]:
    """Facts of an object that makes pods."""
    spec, labels = one.spec, pod["labels"]
    replicas = quantity(spec.get("replicas"))
    count = world.facts["nodes"]["count"] if one.kind == "DaemonSet" else 1.0 if replicas is None else replicas
    services = world.services.matching(one.namespace, labels) if labels else []
    account = (one.namespace, pod["service_account"])
    return {
        "kind": one.kind,
        "name": one.name,
        "namespace": one.namespace,
        "system": one.namespace in ("kube-system", "kube-node-lease", "kube-public"),
        "labels": {key: text_of(value) for key, value in one.labels.items()},
        "annotations": {key: text_of(value) for key, value in one.annotations.items()},
        "long_running": one.kind in _LONG,
        "job": one.kind in ("Job", "CronJob"),
        "daemon": one.kind == "DaemonSet",
        "dns": pod["labels"].get("k8s-app") in ("kube-dns", "coredns") or one.name == "coredns",
        "replicas": count,
        "replicas_given": replicas is not None,
        "rollout": rollout(one, int(count)),
        "min_ready": float(quantity(spec.get("minReadySeconds")) or 0),
        "progress_deadline": float(quantity(spec.get("progressDeadlineSeconds")) or 600),
        "services": [service(each) for each in services],
        "budgets": [each.name for each in world.budgets.matching(one.namespace, labels)] if labels else [],
        "policies": [each.name for each in world.policies.matching(one.namespace, labels)],
        "scalers": [scaler(each) for each in world.scalers.get((one.namespace, one.kind, one.name), ())],
        "sizers": [_mode(each) for each in world.sizers.get((one.namespace, one.kind, one.name), ())],
        "cluster_reads": world.cluster_reads.get(account, []) if world.by_kind.get("ClusterRoleBinding") else [],
        "account_pulls": account in world.accounts
        and bool(sequence(world.accounts[account].content.get("imagePullSecrets"))),
        "claims": _claims(one, pod, world),
        "templates": [_claim(each) for each in mappings(spec.get("volumeClaimTemplates"))],
        "missing": _missing(one, pod, world),
        "namespace_services": float(len(world.in_namespace.get(("Service", one.namespace), ()))),
        "namespace_labels": (around := _labels(world, one.namespace)),
        "injected": injected(pod, around),
        "native_proxy": native(pod, world),
        "unselected": _unselected(one, labels),
        "account_missing": account[1] != "default"
        and account not in world.accounts
        and one.namespace in world.with_accounts,
        "service_name": text_of(spec.get("serviceName")),
        "pods": [_pod(each) for each in world.pods.get((one.namespace, one.kind, one.name), ())] if world.live else [],
        "colliding": _colliding(one, pod, world) if one.kind == "DaemonSet" else [],
    }


def _unselected(one: KubeObject, labels: Mapping[str, Any]) -> bool:
    """Whether a selector that is written misses the labels of its own template."""
    selector = one.spec.get("selector")
    written = isinstance(selector, dict) and ("matchLabels" in selector or "matchExpressions" in selector)
    return written and not matches(selector, labels)


def rollout(one: KubeObject, replicas: int) -> dict[str, Any]:
    """How a change is rolled out, with the defaults of its kind; counts of pods, and what was written."""
    strategy = mapping(one.spec.get("strategy") or one.spec.get("updateStrategy"))
    rolling = mapping(strategy.get("rollingUpdate"))
    default = "25%" if one.kind == "Deployment" else 1
    unavailable, surge = (
        rolling.get("maxUnavailable", default),
        rolling.get("maxSurge", "25%" if default == "25%" else 0),
    )
    at_once = share(unavailable, max(replicas, 1))
    return {
        "type": text_of(strategy.get("type")) or "RollingUpdate",
        "unavailable": float(at_once if at_once is not None else 1),
        "surge": float(share(surge, max(replicas, 1), round_up=True) or 0),
        "unavailable_percent": _percent(unavailable),
        "surge_percent": _percent(surge),
        "given": bool(strategy),
    }


def _percent(value: Any) -> float:
    text = text_of(value)
    return float(text[:-1]) if text.endswith("%") and text[:-1].isdigit() else 0.0


def service(one: KubeObject) -> dict[str, Any]:
    """Facts of a Service."""
    return {
        "name": one.name,
        "type": text_of(one.spec.get("type")) or "ClusterIP",
        "headless": one.spec.get("clusterIP") == "None",
        "external_policy": text_of(one.spec.get("externalTrafficPolicy")) or "Cluster",
        "ports": [
            {"name": text_of(row.get("name")), "port": float(quantity(row.get("port")) or 0),
             "target": text_of(row.get("targetPort")) or text_of(row.get("port")),
             "app_protocol": text_of(row.get("appProtocol")), "protocol": text_of(row.get("protocol")) or "TCP"}
            for row in mappings(one.spec.get("ports"))
        ],
        "annotations": {key: text_of(value) for key, value in one.annotations.items()},
        "publishes_unready": one.spec.get("publishNotReadyAddresses") is True,
    }  # fmt: skip


def scaler(one: KubeObject) -> dict[str, Any]:
    """Facts of a HorizontalPodAutoscaler (v1 and v2) or a ScaledObject."""
    spec = one.spec
    keda = one.kind == "ScaledObject"
    metrics = []
    for row in mappings(spec.get("metrics")):
        kind = text_of(row.get("type"))
        body = mapping(row.get(kind[:1].lower() + kind[1:]))
        metrics.append(
            {"type": kind, "resource": text_of(body.get("name")), "container": text_of(body.get("container")),
             "target": text_of(dig(body, "target", "type")) or "Utilization",
             "utilization": float(quantity(dig(body, "target", "averageUtilization")
                                           or body.get("targetAverageUtilization")) or 0)}
        )  # fmt: skip
    if percent := quantity(spec.get("targetCPUUtilizationPercentage")):
        metrics.append(
            {"type": "Resource", "resource": "cpu", "container": "", "target": "Utilization", "utilization": percent}
        )
    if not metrics and not keda:
        metrics.append(
            {"type": "Resource", "resource": "cpu", "container": "", "target": "Utilization", "utilization": 80.0}
        )
    window = quantity(dig(spec, "behavior", "scaleDown", "stabilizationWindowSeconds"))
    return {
        "kind": one.kind,
        "name": one.name,
        "min": float(_or(quantity(spec.get("minReplicaCount" if keda else "minReplicas")), 0 if keda else 1)),
        "max": float(_or(quantity(spec.get("maxReplicaCount" if keda else "maxReplicas")), 100 if keda else 0)),
        "metrics": metrics,
        "down_window": 300.0 if window is None else window,
    }


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _mode(one: KubeObject) -> str:
    return text_of(dig(one.spec, "updatePolicy", "updateMode")) or "Auto"


def _claims(one: KubeObject, pod: dict[str, Any], world: World) -> list[dict[str, Any]]:
    found = []
    for volume in pod["volumes"]:
        claim = world.claims.get((one.namespace, volume["claim"])) if volume["claim"] else None
        if claim is not None:
            found.append(_claim(claim.content))
    return found


def _claim(content: Any) -> dict[str, Any]:
    spec = mapping(dig(content, "spec"))
    return {
        "name": text_of(dig(content, "metadata", "name")),
        "modes": [text_of(mode) for mode in sequence(spec.get("accessModes"))],
        "class": text_of(spec.get("storageClassName")),
        "class_given": "storageClassName" in spec,
        "size": float(quantity(dig(spec, "resources", "requests", "storage")) or 0),
    }


def _missing(one: KubeObject, pod: dict[str, Any], world: World) -> list[str]:
    """ConfigMaps and Secrets that the pod wants and that are not there, where others of their kind are."""
    path = template_path(one)
    spec = mapping(dig(one.content, *(path or ()), "spec"))
    wanted: list[tuple[str, str]] = [
        ("ConfigMap" if volume["kind"] == "configMap" else "Secret", volume["source"])
        for volume in pod["volumes"]
        if volume["kind"] in ("configMap", "secret") and not volume["optional"]
    ]
    for raw in [*mappings(spec.get("containers")), *mappings(spec.get("initContainers"))]:
        for entry in mappings(raw.get("env")):
            for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                reference = mapping(dig(entry, "valueFrom", key))
                if reference and not reference.get("optional"):
                    wanted.append((kind, text_of(reference.get("name"))))
        for entry in mappings(raw.get("envFrom")):
            for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                reference = mapping(entry.get(key))
                if reference and not reference.get("optional"):
                    wanted.append((kind, text_of(reference.get("name"))))
    there = {kind: any(space == one.namespace for space, _ in world.names.get(kind, ())) for kind, _ in wanted}
    return sorted(
        {f"{kind} {name}" for kind, name in wanted if name and there[kind] and not world.has(kind, one.namespace, name)}
    )


def _labels(world: World, namespace: str) -> dict[str, str]:
    found = world.namespaces.get(namespace)
    return {key: text_of(value) for key, value in found.labels.items()} if found else {}


def _pod(one: KubeObject) -> dict[str, Any]:
    """A live pod of the workload."""
    statuses = mappings(one.status.get("containerStatuses")) + mappings(one.status.get("initContainerStatuses"))
    conditions = {
        text_of(row.get("type")): text_of(row.get("status")) for row in mappings(one.status.get("conditions"))
    }
    return {
        "name": one.name,
        "node": text_of(one.spec.get("nodeName")),
        "phase": text_of(one.status.get("phase")),
        "reason": text_of(one.status.get("reason")),
        "qos": text_of(one.status.get("qosClass")),
        "ready": conditions.get("Ready") == "True",
        "scheduled": conditions.get("PodScheduled", "True") == "True",
        "deleting": bool(one.metadata.get("deletionTimestamp")),
        "restarts": float(sum(quantity(row.get("restartCount")) or 0 for row in statuses)),
        "waiting": [text_of(dig(row, "state", "waiting", "reason")) for row in statuses],
        "terminated": [
            text_of(dig(row, state, "terminated", "reason")) for row in statuses for state in ("state", "lastState")
        ],
        "exit_codes": [
            float(_or(quantity(dig(row, state, "terminated", "exitCode")), -1.0))
            for row in statuses for state in ("state", "lastState")
        ],
    }  # fmt: skip


def _colliding(one: KubeObject, pod: dict[str, Any], world: World) -> list[str]:
    """Other DaemonSets that want a host port of this one, on the same nodes as far as node selectors say."""
    wanted = host_ports(pod)
    if not wanted:
        return []
    from pilothouse.hazards.facts.pods import pod as pod_facts

    found = []
    for other in world.of("DaemonSet"):
        if other is one or other.key == one.key:
            continue
        facts = pod_facts(dig(other.content, "spec", "template"))
        same_nodes = all(pod["node_selector"].get(key, value) == value for key, value in facts["node_selector"].items())
        if same_nodes and wanted & host_ports(facts):
            found.append(other.name)
    return found


def host_ports(pod: dict[str, Any]) -> set[tuple[float, str]]:
    """The node's ports that a pod takes."""
    return {
        (port["port"] if pod["host_network"] else port["host"], port["protocol"])
        for one in pod["all_containers"] for port in one["ports"] if pod["host_network"] or port["host"]
    }  # fmt: skip
