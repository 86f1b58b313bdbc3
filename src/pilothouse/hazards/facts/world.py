"""All objects of a check together: who selects, scales, guards and may do what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pilothouse.hazards.facts.nodes import nodes
from pilothouse.hazards.facts.selections import Selections
from pilothouse.kube.objects import KubeObject, dig, mapping, mappings, sequence, text_of

_READING = {"list", "watch", "*"}
# Groups and kinds of custom resources that describe something else than pods.
_WITHOUT_PODS = {
    "access.smi-spec.io", "autoscaling.k8s.io", "bitnami.com", "cert-manager.io", "external-secrets.io",
    "gateway.networking.k8s.io", "keda.sh", "kyverno.io", "linkerd.io", "networking.istio.io", "policy.linkerd.io",
    "security.istio.io", "specs.smi-spec.io", "split.smi-spec.io", "telemetry.istio.io", "traefik.io",
}  # fmt: skip
_MONITORS = {"AlertmanagerConfig", "PodMonitor", "Probe", "PrometheusRule", "ScrapeConfig", "ServiceMonitor"}


@dataclass
class World:
    """The objects, the Kubernetes version they are for (minor, as 31.0), and whether they are a live cluster's."""

    objects: Sequence[KubeObject]
    kubernetes: float = 0.0
    live: bool = False
    by_kind: dict[str, list[KubeObject]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for one in self.objects:
            self.by_kind[one.kind].append(one)

    def of(self, *kinds: str) -> list[KubeObject]:
        """The objects of some kinds, in order."""
        return [one for kind in kinds for one in self.by_kind.get(kind, ())]

    @cached_property
    def names(self) -> dict[str, set[tuple[str, str]]]:
        """Kind to (namespace, name) of all its objects."""
        return {kind: {(one.namespace, one.name) for one in found} for kind, found in self.by_kind.items()}

    def has(self, kind: str, namespace: str, name: str) -> bool:
        """Whether an object is there."""
        return (namespace, name) in self.names.get(kind, ())

    @cached_property
    def workloads(self) -> dict[tuple[str, str, str], KubeObject]:
        """What makes pods and is made by nobody else, by namespace, kind and name."""
        from pilothouse.hazards.facts.pods import TEMPLATES, template_path

        return {
            (one.namespace, one.kind, one.name): one
            for one in self.of(*TEMPLATES)
            if template_path(one) is not None and not owned(one)
        }

    @cached_property
    def peopled(self) -> set[str]:
        """The namespaces that have workloads here."""
        return {namespace for namespace, _, _ in self.workloads}

    @cached_property
    def _by_label(self) -> dict[tuple[str, str, str], list[tuple[KubeObject, dict[str, Any]]]]:
        from pilothouse.hazards.facts.pods import TEMPLATES

        found: dict[tuple[str, str, str], list[tuple[KubeObject, dict[str, Any]]]] = defaultdict(list)
        for (namespace, kind, _), one in self.workloads.items():
            labels = dict(mapping(dig(one.content, *TEMPLATES[kind], "metadata", "labels")))
            found[namespace, "", ""].append((one, labels))
            for name, value in labels.items():
                found[namespace, name, text_of(value)].append((one, labels))
        return found

    def candidates(self, namespace: str, selector: Any) -> list[tuple[KubeObject, dict[str, Any]]]:
        """Workloads with their pods' labels that a LabelSelector may match: those that have its first label."""
        labels = mapping(mapping(selector).get("matchLabels"))
        first = next(iter(labels.items()), ("", ""))
        return self._by_label.get((namespace, str(first[0]), text_of(first[1])), [])

    @cached_property
    def services(self) -> Selections[KubeObject]:
        found: Selections[KubeObject] = Selections()
        for one in self.of("Service"):
            if selector := mapping(one.spec.get("selector")):
                found.add(one.namespace, {"matchLabels": selector}, one)
        return found

    @cached_property
    def budgets(self) -> Selections[KubeObject]:
        return self._selecting("PodDisruptionBudget", "selector")

    @cached_property
    def policies(self) -> Selections[KubeObject]:
        return self._selecting("NetworkPolicy", "podSelector")

    def _selecting(self, kind: str, name: str) -> Selections[KubeObject]:
        found: Selections[KubeObject] = Selections()
        for one in self.of(kind):
            found.add(one.namespace, one.spec.get(name), one)
        return found

    @cached_property
    def scalers(self) -> dict[tuple[str, str, str], list[KubeObject]]:
        """HorizontalPodAutoscalers and ScaledObjects by namespace, kind and name of what they scale."""
        return self._targeting(("HorizontalPodAutoscaler", "ScaledObject"), "scaleTargetRef")

    @cached_property
    def sizers(self) -> dict[tuple[str, str, str], list[KubeObject]]:
        """VerticalPodAutoscalers by target."""
        return self._targeting(("VerticalPodAutoscaler",), "targetRef")

    def _targeting(self, kinds: tuple[str, ...], name: str) -> dict[tuple[str, str, str], list[KubeObject]]:
        found: dict[tuple[str, str, str], list[KubeObject]] = defaultdict(list)
        for one in self.of(*kinds):
            target = mapping(one.spec.get(name))
            kind = text_of(target.get("kind")) or "Deployment"
            found[one.namespace, kind, text_of(target.get("name"))].append(one)
        return found

    @cached_property
    def in_namespace(self) -> dict[tuple[str, str], list[KubeObject]]:
        """(kind, namespace) to objects, for what a namespace holds once or a few times."""
        found: dict[tuple[str, str], list[KubeObject]] = defaultdict(list)
        for one in self.of("ResourceQuota", "LimitRange", "PersistentVolumeClaim", "Service", "NetworkPolicy"):
            found[one.kind, one.namespace].append(one)
        return found

    @cached_property
    def claims(self) -> dict[tuple[str, str], KubeObject]:
        return {(one.namespace, one.name): one for one in self.of("PersistentVolumeClaim")}

    @cached_property
    def accounts(self) -> dict[tuple[str, str], KubeObject]:
        return {(one.namespace, one.name): one for one in self.of("ServiceAccount")}

    @cached_property
    def with_accounts(self) -> set[str]:
        """The namespaces of which ServiceAccounts are here."""
        return {namespace for namespace, _ in self.accounts}

    @cached_property
    def namespaces(self) -> dict[str, KubeObject]:
        return {one.name: one for one in self.of("Namespace")}

    @cached_property
    def cluster_reads(self) -> dict[tuple[str, str], list[str]]:
        """(namespace, service account) to the resources that it may list or watch in all namespaces."""
        roles = {one.name: mappings(one.content.get("rules")) for one in self.of("ClusterRole")}
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for binding in self.of("ClusterRoleBinding"):
            resources = [
                text_of(resource)
                for rule in roles.get(text_of(dig(binding.content, "roleRef", "name")), ())
                if _READING & {text_of(verb) for verb in sequence(rule.get("verbs"))}
                for resource in sequence(rule.get("resources"))
            ]
            for subject in mappings(binding.content.get("subjects")):
                if subject.get("kind") == "ServiceAccount":
                    found[text_of(subject.get("namespace")), text_of(subject.get("name"))] += resources
        return found

    @cached_property
    def native_proxies(self) -> bool:
        """Whether the Istio here makes its proxies native sidecars."""
        from pilothouse.hazards.facts.proxies import makes_native

        return makes_native(self)

    @cached_property
    def operated(self) -> dict[str, set[str]]:
        """Namespace to the names of its custom resources: their operators make pods that no file has."""
        from pilothouse.kube.schemas import known_kind

        found: dict[str, set[str]] = defaultdict(set)
        for one in self.objects:
            if "." not in one.group or one.group in _WITHOUT_PODS or one.kind in _MONITORS:
                continue
            if known_kind(one.api_version, one.kind) is None:
                found[one.namespace].add(one.name)
        return found

    @cached_property
    def pods(self) -> dict[tuple[str, str, str], list[KubeObject]]:
        """Live pods by the namespace, kind and name of the workload that made them."""
        above = {
            (one.namespace, one.kind, one.name): _owner(one) for one in self.of("ReplicaSet", "Job") if _owner(one)[1]
        }
        found: dict[tuple[str, str, str], list[KubeObject]] = defaultdict(list)
        for one in self.of("Pod"):
            kind, name = _owner(one)
            kind, name = above.get((one.namespace, kind, name), (kind, name))
            found[one.namespace, kind or "Pod", name or one.name].append(one)
        return found

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What rules see as `world`."""
        from pilothouse.hazards.facts.pods import pod, template_path

        daemons = [one for one in self.of("DaemonSet") if template_path(one) is not None]
        totals = [pod(dig(one.content, "spec", "template"))["requests"] for one in daemons]
        return {
            "kubernetes": self.kubernetes,
            "live": self.live,
            "nodes": nodes(self.of("Node")),
            "kinds": list(self.by_kind),
            "services": float(len(self.by_kind.get("Service", ()))),
            "dns_cache": any("node-local-dns" in f"{one.name} {one.labels.get('k8s-app')}" for one in daemons),
            "enforces_policies": _enforcing(daemons),
            "daemons": float(len(daemons)),
            "daemon_cpu": sum(total["cpu"] for total in totals),
            "daemon_memory": sum(total["memory"] for total in totals),
            "proxy_mode": next((text_of(one.content.get("mode")) for one in self.of("KubeProxyConfiguration")), ""),
        }


def _owner(one: KubeObject) -> tuple[str, str]:
    for owner in mappings(one.metadata.get("ownerReferences")):
        if owner.get("controller"):
            return text_of(owner.get("kind")), text_of(owner.get("name"))
    return "", ""


def owned(one: KubeObject) -> bool:
    """Whether a controller made the object, so that the controller's object is where to look."""
    return bool(_owner(one)[1])


_ENFORCERS = ("calico", "cilium", "antrea", "kube-router", "weave", "canal", "ovn", "aws-node", "azure-npm", "kindnet")


def _enforcing(daemons: Sequence[KubeObject]) -> bool:
    return any(name in one.name for one in daemons for name in _ENFORCERS)
