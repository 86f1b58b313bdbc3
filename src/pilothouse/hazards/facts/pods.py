"""Pod templates: where they are, and what they say with defaults filled in."""

from __future__ import annotations

from typing import Any

from pilothouse.hazards.facts.containers import container
from pilothouse.kube.objects import KubeObject, Path, dig, mapping, mappings, sequence, text_of
from pilothouse.kube.quantities import quantity

TEMPLATES: dict[str, Path] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Rollout": ("spec", "template"),
}
_GROUPS = {"", "apps", "batch", "extensions", "argoproj.io"}


def template_path(one: KubeObject) -> Path | None:
    """Where the pod template of an object stands; None for objects that make no pods."""
    path = TEMPLATES.get(one.kind)
    return (
        path
        if path is not None and one.group in _GROUPS and isinstance(dig(one.content, *path, "spec"), dict)
        else None
    )


def pod(template: Any) -> dict[str, Any]:
    """Facts of a pod template (a mapping with `metadata` and `spec`)."""
    spec = mapping(dig(template, "spec"))
    meta = mapping(dig(template, "metadata"))
    containers = [container(raw, ("containers", number), False) for number, raw in _numbered(spec, "containers")]
    first = [container(raw, ("initContainers", number), True) for number, raw in _numbered(spec, "initContainers")]
    options = {
        text_of(one.get("name")): text_of(one.get("value")) for one in mappings(dig(spec, "dnsConfig", "options"))
    }
    affinity = mapping(spec.get("affinity"))
    anti = mapping(affinity.get("podAntiAffinity"))
    spreads = mappings(spec.get("topologySpreadConstraints"))
    grace = quantity(spec.get("terminationGracePeriodSeconds"))
    ndots = quantity(options.get("ndots"))
    return {
        "labels": {key: text_of(value) for key, value in mapping(meta.get("labels")).items()},
        "annotations": {key: text_of(value) for key, value in mapping(meta.get("annotations")).items()},
        "containers": containers,
        "init_containers": first,
        "all_containers": containers + first,
        "grace": 30.0 if grace is None else grace,
        "grace_given": grace is not None,
        "host_network": spec.get("hostNetwork") is True,
        "host_pid": spec.get("hostPID") is True,
        "host_ipc": spec.get("hostIPC") is True,
        "dns_policy": text_of(spec.get("dnsPolicy")) or "ClusterFirst",
        "dns_options": options,
        "ndots": 5.0 if ndots is None else ndots,
        "priority_class": text_of(spec.get("priorityClassName")),
        "shares_processes": spec.get("shareProcessNamespace") is True,
        "service_account": text_of(spec.get("serviceAccountName")) or text_of(spec.get("serviceAccount")) or "default",
        "mounts_token": spec.get("automountServiceAccountToken") is not False,
        "pull_secrets": bool(sequence(spec.get("imagePullSecrets"))),
        "service_links": spec.get("enableServiceLinks") is not False,
        "restart_policy": text_of(spec.get("restartPolicy")) or "Always",
        "node_name": text_of(spec.get("nodeName")),
        "node_selector": {key: text_of(value) for key, value in mapping(spec.get("nodeSelector")).items()},
        "tolerations": [
            {"key": text_of(one.get("key")), "operator": text_of(one.get("operator")) or "Equal",
             "effect": text_of(one.get("effect")), "seconds": float(quantity(one.get("tolerationSeconds")) or -1)}
            for one in mappings(spec.get("tolerations"))
        ],
        "tolerates_all": any(
            one.get("operator") == "Exists" and not one.get("key") for one in mappings(spec.get("tolerations"))
        ),
        "spread": bool(spreads or anti),
        # A spread constraint lets a node have a second pod once each has one; anti-affinity allows one and no more,
        # unless it looks at pods of the same revision alone.
        "hard_spread": [
            text_of(one.get("topologyKey"))
            for one in mappings(anti.get("requiredDuringSchedulingIgnoredDuringExecution"))
            if not sequence(one.get("matchLabelKeys"))
        ],
        "volumes": [_volume(one) for one in mappings(spec.get("volumes"))],
        "native_sidecars": any(one["sidecar"] for one in first),
        "sysctls": [text_of(one.get("name")) for one in mappings(dig(spec, "securityContext", "sysctls"))],
        "non_root": dig(spec, "securityContext", "runAsNonRoot") is True,
        "user": float(_or(quantity(dig(spec, "securityContext", "runAsUser")), -1.0)),
        "seccomp": text_of(dig(spec, "securityContext", "seccompProfile", "type")),
        "host_aliases": bool(sequence(spec.get("hostAliases"))),
        "readiness_gates": bool(sequence(spec.get("readinessGates"))),
        "active_deadline": float(_or(quantity(spec.get("activeDeadlineSeconds")), 0.0)),
        "requests": _total(containers, first),
    }  # fmt: skip


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _numbered(spec: Any, name: str) -> list[tuple[int, dict[str, Any]]]:
    return [(number, raw) for number, raw in enumerate(sequence(spec.get(name))) if isinstance(raw, dict)]


def _total(containers: list[dict[str, Any]], first: list[dict[str, Any]]) -> dict[str, float]:
    """What the scheduler sets aside: the sum of the containers and native sidecars, or the largest init container."""
    total: dict[str, float] = {"cpu": 0.0, "memory": 0.0}
    for one in [*containers, *(each for each in first if each["sidecar"])]:
        for name, value in one["requests"].items():
            total[name] = total.get(name, 0.0) + value
    for one in first:
        for name, value in one["requests"].items():
            total[name] = max(total.get(name, 0.0), value)
    return total


_VOLUME_KINDS = (
    "emptyDir", "hostPath", "configMap", "secret", "persistentVolumeClaim", "projected", "downwardAPI", "csi",
    "ephemeral", "nfs", "gitRepo", "awsElasticBlockStore", "gcePersistentDisk", "azureDisk", "cephfs", "rbd",
)  # fmt: skip


def _volume(raw: dict[str, Any]) -> dict[str, Any]:
    kind = next((name for name in _VOLUME_KINDS if name in raw), "emptyDir")
    source = mapping(raw.get(kind))
    return {
        "name": text_of(raw.get("name")),
        "kind": kind,
        "path": text_of(source.get("path")),
        "claim": text_of(source.get("claimName")),
        "source": text_of(source.get("secretName")) or text_of(source.get("name")),
        "optional": source.get("optional") is True,
        "size_limit": float(quantity(source.get("sizeLimit")) or 0),
        "memory": source.get("medium") == "Memory",
        "read_only": source.get("readOnly") is True,
    }
