"""Admission webhooks: what each intercepts, and what happens when it does not answer."""

from __future__ import annotations

from typing import Any

from pilothouse.hazards.facts.world import World
from pilothouse.kube.objects import KubeObject, dig, mapping, mappings, sequence, text_of
from pilothouse.kube.quantities import quantity
from pilothouse.kube.selecting import matches


def webhooks(one: KubeObject, world: World) -> dict[str, Any]:
    """`hooks`: one entry a webhook, with defaults of admissionregistration v1 (failurePolicy Fail, 10 s)."""
    return {"hooks": [_hook(raw, one) for raw in mappings(one.content.get("webhooks"))]}


def _hook(raw: dict[str, Any], one: KubeObject) -> dict[str, Any]:
    namespace = text_of(dig(raw, "clientConfig", "service", "namespace"))
    rules = mappings(raw.get("rules"))
    resources = {text_of(name) for rule in rules for name in sequence(rule.get("resources"))}
    groups = {text_of(name) for rule in rules for name in sequence(rule.get("apiGroups"))}
    operations = {text_of(name) for rule in rules for name in sequence(rule.get("operations"))}
    beta = one.api_version.endswith("v1beta1")
    return {
        "name": text_of(raw.get("name")),
        "fails": (text_of(raw.get("failurePolicy")) or ("Ignore" if beta else "Fail")) == "Fail",
        "timeout": float(quantity(raw.get("timeoutSeconds")) or (30 if beta else 10)),
        "service": text_of(dig(raw, "clientConfig", "service", "name")),
        "namespace": namespace,
        "pods": bool({"pods", "pods/*", "*", "*/*"} & resources) and bool({"", "*"} & groups),
        "everything": bool({"*", "*/*"} & resources) and "*" in groups,
        "leases": bool({"leases", "*", "*/*"} & resources) and bool({"coordination.k8s.io", "*"} & groups),
        "updates": bool({"UPDATE", "*"} & operations),
        "system": _selects(raw, "kube-system"),
        "own": bool(namespace) and _selects(raw, namespace),
        "narrowed": bool(mapping(raw.get("objectSelector"))) or bool(mappings(raw.get("matchConditions"))),
    }


def _selects(raw: dict[str, Any], namespace: str) -> bool:
    """Whether objects of a namespace reach the webhook, by the label that every namespace has."""
    selector = mapping(raw.get("namespaceSelector"))
    return not selector or matches(selector, {"kubernetes.io/metadata.name": namespace, "name": namespace})
