"""Facts of single kinds that are no workloads: what rules see as `facts`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pilothouse.hazards.facts.nodes import node
from pilothouse.hazards.facts.pods import TEMPLATES, template_path
from pilothouse.hazards.facts.schedules import interval
from pilothouse.hazards.facts.webhooks import webhooks
from pilothouse.hazards.facts.workloads import scaler, service
from pilothouse.hazards.facts.world import World
from pilothouse.kube.objects import KubeObject, dig, mapping, mappings, sequence, text_of
from pilothouse.kube.quantities import quantity, share
from pilothouse.kube.selecting import matches, matches_labels


def facts(one: KubeObject, world: World) -> dict[str, Any]:
    """The facts of an object; empty for kinds that need none."""
    describe = _DESCRIBED.get(one.kind)
    return describe(one, world) if describe else {}


def _selected(one: KubeObject, world: World, selector: Any) -> list[KubeObject]:
    """The workloads in the object's namespace whose pods a LabelSelector matches."""
    return [other for other, labels in world.candidates(one.namespace, selector) if matches(selector, labels)]


def _service(one: KubeObject, world: World) -> dict[str, Any]:
    selector = mapping(one.spec.get("selector"))
    backends = _backends(one, selector, world)
    made = service(one)
    return made | {
        "selects": bool(selector),
        "backends": [other.name for other in backends],
        "known_workloads": one.namespace in world.peopled,
        "replicas": float(sum(quantity(other.spec.get("replicas", 1)) or 0 for other in backends)),
        "daemon": any(other.kind == "DaemonSet" for other in backends),
        "unserved": [port["target"] for port in made["ports"] if backends and not _serves(backends, port)],
        "gated": _gated(one, world),
        "operated": operated(one, selector, world),
        "meshed": _meshed(one, world),
    }


# Labels that a pod gets while it runs: from its controller, or from what elects a leader among the replicas.
_AT_RUN_TIME = re.compile(r"role|leader|primary|master|pod-name|pod-index|template-hash|revision-hash", re.IGNORECASE)


def _backends(one: KubeObject, selector: Mapping[str, Any], world: World) -> list[KubeObject]:
    """The workloads that a Service selects, also those that it selects by a label which their pods get later."""
    if not selector:
        return []
    if found := _selected(one, world, {"matchLabels": selector}):
        return found
    lasting = {key: value for key, value in selector.items() if not _AT_RUN_TIME.search(str(key))}
    if not lasting or len(lasting) == len(selector):
        return []
    later = set(selector) - set(lasting)
    return [
        other for other in _selected(one, world, {"matchLabels": lasting})
        if not later & set(mapping(dig(other.content, *TEMPLATES[other.kind], "metadata", "labels")))
    ]  # fmt: skip


def operated(one: KubeObject, labels: Mapping[str, Any], world: World) -> bool:
    """Whether labels name a custom resource of the object's namespace: then an operator makes the pods."""
    return bool(world.operated.get(one.namespace, set()) & {text_of(value) for value in labels.values()})


def _meshed(one: KubeObject, world: World) -> bool:
    """Whether the namespace's pods get proxies, which balance requests and not connections."""
    space = world.namespaces.get(one.namespace)
    return space is not None and (
        space.labels.get("istio-injection") == "enabled"
        or bool(space.labels.get("istio.io/rev"))
        or space.annotations.get("linkerd.io/inject") == "enabled"
    )


def _gated(one: KubeObject, world: World) -> bool:
    """Whether pods of the namespace wait to be ready until AWS' load balancers know them."""
    space = world.namespaces.get(one.namespace)
    return space is not None and space.labels.get("elbv2.k8s.aws/pod-readiness-gate-inject") == "enabled"


def _serves(backends: list[KubeObject], port: dict[str, Any]) -> bool:
    """Whether some backend declares the port; a number need not be declared, a name must."""
    if port["target"].isdigit():
        return True
    for other in backends:
        spec = mapping(dig(other.content, *TEMPLATES[other.kind], "spec"))
        for raw in mappings(spec.get("containers")) + mappings(spec.get("initContainers")):
            if any(text_of(row.get("name")) == port["target"] for row in mappings(raw.get("ports"))):
                return True
    return False


def _budget(one: KubeObject, world: World) -> dict[str, Any]:
    guarded = _selected(one, world, one.spec.get("selector"))
    replicas = sum(int(quantity(other.spec.get("replicas", 1)) or 0) for other in guarded)
    unavailable, available = one.spec.get("maxUnavailable"), one.spec.get("minAvailable")
    allowed: float = replicas
    if unavailable is not None:
        allowed = share(unavailable, replicas, round_up=True) or 0
    elif available is not None:
        allowed = replicas - (share(available, replicas, round_up=True) or 0)
    # Without the workload, the text alone can say that nothing will ever be allowed.
    never = str(unavailable) in ("0", "0%") or str(available) == "100%"
    return {
        "guards": [other.name for other in guarded],
        "known_workloads": one.namespace in world.peopled,
        "replicas": float(replicas),
        "allowed": float(allowed),
        "never": never or (bool(guarded) and replicas > 0 and allowed <= 0),
        "says": unavailable is not None or available is not None,
        "always_allows": one.spec.get("unhealthyPodEvictionPolicy") == "AlwaysAllow",
    }


def _scaler(one: KubeObject, world: World) -> dict[str, Any]:
    target = mapping(one.spec.get("scaleTargetRef"))
    kind, name = text_of(target.get("kind")) or "Deployment", text_of(target.get("name"))
    found = world.workloads.get((one.namespace, kind, name))
    made = scaler(one)
    metered = {
        row["resource"] for row in made["metrics"] if row["type"] == "Resource" and row["target"] == "Utilization"
    }
    lacking: list[str] = []
    requests: dict[str, float] = {}
    if found is not None and (path := template_path(found)) is not None:
        from pilothouse.hazards.facts.pods import pod

        described = pod(dig(found.content, *path))
        requests = described["requests"]
        lacking = [
            f"{each['name']} ({resource})"
            for each in described["containers"] for resource in sorted(metered) if resource not in each["requests"]
        ]  # fmt: skip
    hard: dict[str, float] = {}
    for quota in world.in_namespace.get(("ResourceQuota", one.namespace), ()):
        for key, value in mapping(quota.spec.get("hard")).items():
            name_ = str(key).removeprefix("requests.")
            hard[name_] = min(hard.get(name_, float("inf")), quantity(value) or 0.0)
    return made | {
        "target": f"{kind} {name}",
        "found": found is not None,
        "known_workloads": one.namespace in world.peopled,
        "lacking": lacking,
        "over_quota": [
            f"{made['max']:.0f} x {name} is more than the quota" for name, most in sorted(hard.items())
            if requests.get(name, 0.0) * made["max"] > most
        ],
        "replicas_given": found is not None and "replicas" in found.spec,
        "fought_over": sorted(
            {row["resource"] for row in made["metrics"] if row["type"] in ("Resource", "ContainerResource")}
            & {resource for each in world.sizers.get((one.namespace, kind, name), ()) for resource in _resized(each)}
        ),
    }  # fmt: skip


def _resized(sizer: KubeObject) -> set[str]:
    """The resources whose requests a VerticalPodAutoscaler changes in running workloads."""
    if text_of(dig(sizer.spec, "updatePolicy", "updateMode")) in ("Off", "Initial"):
        return set()
    policies = mappings(dig(sizer.spec, "resourcePolicy", "containerPolicies")) or [{}]
    return {
        text_of(resource)
        for policy in policies if policy.get("mode") != "Off"
        for resource in sequence(policy.get("controlledResources")) or ("cpu", "memory")
    }  # fmt: skip


def _policy(one: KubeObject, world: World) -> dict[str, Any]:
    types = [text_of(kind) for kind in sequence(one.spec.get("policyTypes"))]
    if not types:
        types = ["Ingress", *(["Egress"] if "egress" in one.spec else [])]
    selector = one.spec.get("podSelector")
    selected = _selected(one, world, selector)
    others = [
        other for other in world.in_namespace.get(("NetworkPolicy", one.namespace), ())
        if other is not one and other.spec.get("podSelector") in (selector, {}, None)
    ]  # fmt: skip
    return {
        "types": types,
        "selects": [other.name for other in selected],
        "known_workloads": one.namespace in world.peopled,
        "empty_selector": not mapping(selector),
        "operated": operated(one, mapping(mapping(selector).get("matchLabels")), world),
        "allows_dns": any(_allows_dns(policy) for policy in [one, *others]),
        "webhook_backends": _webhook_backends(one, world, selector),
    }


def _allows_dns(policy: KubeObject) -> bool:
    """Whether an egress rule lets DNS out."""
    for rule in mappings(policy.spec.get("egress")):
        ports = mappings(rule.get("ports"))
        if not ports or any(text_of(port.get("port")) in ("53", "dns", "dns-udp") for port in ports):
            return True
    return False


def _webhook_backends(one: KubeObject, world: World, selector: Any) -> list[str]:
    """Webhooks whose Service's pods the policy cuts off from the API server, which is in no pod selector."""
    if "Ingress" not in ([text_of(kind) for kind in sequence(one.spec.get("policyTypes"))] or ["Ingress"]):
        return []
    for rule in mappings(one.spec.get("ingress")):
        peers = mappings(rule.get("from"))
        if not peers or any("ipBlock" in peer for peer in peers):
            return []
    found = []
    for configuration in world.of("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        for hook in mappings(configuration.content.get("webhooks")):
            reference = mapping(dig(hook, "clientConfig", "service"))
            for each in world.in_namespace.get(("Service", text_of(reference.get("namespace"))), ()):
                chosen = mapping(each.spec.get("selector"))
                same = each.namespace == one.namespace and each.name == reference.get("name")
                if same and chosen and (matches(selector, chosen) or matches_labels(mapping(selector), chosen)):
                    found.append(text_of(hook.get("name")))
    return found


def _ingress(one: KubeObject, world: World) -> dict[str, Any]:
    default = mapping(one.spec.get("defaultBackend") or one.spec.get("backend"))
    names = {text_of(dig(default, "service", "name")) or text_of(default.get("serviceName"))}
    for rule in mappings(one.spec.get("rules")):
        for path in mappings(dig(rule, "http", "paths")):
            backend = mapping(path.get("backend"))
            names.add(text_of(dig(backend, "service", "name")) or text_of(backend.get("serviceName")))
    known = {other.name for other in world.in_namespace.get(("Service", one.namespace), ())}
    return {
        "missing": sorted(name for name in names if name and name not in known) if known else [],
        "gated": _gated(one, world),
    }


def _cron(one: KubeObject, world: World) -> dict[str, Any]:
    job = mapping(dig(one.spec, "jobTemplate", "spec"))
    return _job_spec(job) | {
        "schedule": text_of(one.spec.get("schedule")),
        "interval": interval(text_of(one.spec.get("schedule"))),
        "concurrency": text_of(one.spec.get("concurrencyPolicy")) or "Allow",
        "deadline": float(quantity(one.spec.get("startingDeadlineSeconds")) or -1),
        "suspended": one.spec.get("suspend") is True,
        "failed_kept": _or(quantity(one.spec.get("failedJobsHistoryLimit")), 1.0),
        "succeeded_kept": _or(quantity(one.spec.get("successfulJobsHistoryLimit")), 3.0),
        "zone": text_of(one.spec.get("timeZone")),
    }


def _job(one: KubeObject, world: World) -> dict[str, Any]:
    return _job_spec(one.spec) | {"owned": bool(mappings(one.metadata.get("ownerReferences")))}


def _job_spec(spec: Any) -> dict[str, Any]:
    return {
        "ttl": _or(quantity(spec.get("ttlSecondsAfterFinished")), -1.0),
        "backoff": _or(quantity(spec.get("backoffLimit")), 6.0),
        "deadline_seconds": _or(quantity(spec.get("activeDeadlineSeconds")), 0.0),
        "parallelism": _or(quantity(spec.get("parallelism")), 1.0),
    }


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _data(one: KubeObject, world: World) -> dict[str, Any]:
    return {
        "bytes": float(
            len(json.dumps(one.content.get("data") or {})) + len(json.dumps(one.content.get("binaryData") or {}))
        )
    }


def _namespace(one: KubeObject, world: World) -> dict[str, Any]:
    return {
        "quota": bool(world.in_namespace.get(("ResourceQuota", one.name))),
        "limits": bool(world.in_namespace.get(("LimitRange", one.name))),
        "policies": bool(world.in_namespace.get(("NetworkPolicy", one.name))),
        "system": one.name.startswith("kube-") or one.name == "default",
        "finalizing": dig(one.content, "status", "phase") == "Terminating",
    }


def _crd(one: KubeObject, world: World) -> dict[str, Any]:
    served = {text_of(row.get("name")) for row in mappings(one.spec.get("versions")) if row.get("served")}
    stored = [text_of(name) for name in sequence(one.status.get("storedVersions"))]
    return {"stored_unserved": [name for name in stored if name not in served]}


def _api_service(one: KubeObject, world: World) -> dict[str, Any]:
    reference = mapping(one.spec.get("service"))
    space, name = text_of(reference.get("namespace")), text_of(reference.get("name"))
    replicas = -1.0
    for each in world.in_namespace.get(("Service", space), ()):
        if each.name == name:
            backends = _selected(each, world, {"matchLabels": mapping(each.spec.get("selector"))})
            if backends:
                replicas = float(sum(quantity(other.spec.get("replicas", 1)) or 0 for other in backends))
    conditions = {
        text_of(row.get("type")): text_of(row.get("status")) for row in mappings(one.status.get("conditions"))
    }
    return {
        "aggregated": bool(reference),
        "replicas": replicas,
        "available": conditions.get("Available", "True") == "True",
    }


def _mutual_tls(one: KubeObject, world: World) -> dict[str, Any]:
    space = world.namespaces.get(one.namespace)
    return {"injected": space is None or space.labels.get("istio-injection") == "enabled"}


def _node(one: KubeObject, world: World) -> dict[str, Any]:
    return node(one) | {"behind": world.kubernetes - node(one)["minor"] if world.kubernetes else 0.0}


def _class_of_volume(one: KubeObject, world: World) -> dict[str, Any]:
    provisioner = text_of(one.content.get("provisioner"))
    zonal = ("ebs.csi.aws.com", "pd.csi.storage.gke.io", "disk.csi.azure.com", "cinder.csi.openstack.org",
             "kubernetes.io/aws-ebs", "kubernetes.io/gce-pd", "kubernetes.io/azure-disk")  # fmt: skip
    return {
        "provisioner": provisioner,
        "zonal": provisioner in zonal,
        "local": "no-provisioner" in provisioner or "local" in provisioner,
        "binding": text_of(one.content.get("volumeBindingMode")) or "Immediate",
        "expands": one.content.get("allowVolumeExpansion") is True,
        "reclaim": text_of(one.content.get("reclaimPolicy")) or "Delete",
        "default": one.annotations.get("storageclass.kubernetes.io/is-default-class") == "true",
    }


def _role(one: KubeObject, world: World) -> dict[str, Any]:
    rules = mappings(one.content.get("rules"))
    return {
        "wild_verbs": any("*" in sequence(rule.get("verbs")) for rule in rules),
        "wild_resources": any("*" in sequence(rule.get("resources")) for rule in rules),
        "reads_secrets": any(
            {"secrets", "*"} & set(map(text_of, sequence(rule.get("resources"))))
            and {"get", "list", "watch", "*"} & set(map(text_of, sequence(rule.get("verbs"))))
            and not rule.get("resourceNames")
            for rule in rules
        ),
        "aggregated": "aggregationRule" in one.content,
    }


_DESCRIBED: dict[str, Callable[[KubeObject, World], dict[str, Any]]] = {
    "Service": _service,
    "PodDisruptionBudget": _budget,
    "HorizontalPodAutoscaler": _scaler,
    "ScaledObject": _scaler,
    "NetworkPolicy": _policy,
    "Ingress": _ingress,
    "CronJob": _cron,
    "Job": _job,
    "ConfigMap": _data,
    "Secret": _data,
    "Namespace": _namespace,
    "CustomResourceDefinition": _crd,
    "APIService": _api_service,
    "Node": _node,
    "PeerAuthentication": _mutual_tls,
    "StorageClass": _class_of_volume,
    "ClusterRole": _role,
    "Role": _role,
    "ValidatingWebhookConfiguration": webhooks,
    "MutatingWebhookConfiguration": webhooks,
}
