"""Istio's sidecars: which pods get one, and whether as a native sidecar."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pilothouse.kube.objects import dig, mappings, text_of

if TYPE_CHECKING:
    from pilothouse.hazards.facts.world import World

_PILOT = re.compile(r"/pilot:v?1\.(\d+)")


def injected(pod: Mapping[str, Any], namespace_labels: Mapping[str, str]) -> bool:
    """Whether Istio's webhook gives the pod a proxy, by the labels of its namespace and its own.

    https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
    """
    own = pod["labels"].get("sidecar.istio.io/inject") or pod["annotations"].get("sidecar.istio.io/inject")
    if own in ("true", "false"):
        return bool(own == "true")
    if namespace_labels.get("istio.io/dataplane-mode") == "ambient":
        return False
    by_label = namespace_labels.get("istio-injection")
    return by_label == "enabled" or (by_label is None and bool(namespace_labels.get("istio.io/rev")))


def native(pod: Mapping[str, Any], world: World) -> bool:
    """Whether the proxy is a native sidecar, which starts first and ends with the others, as far as can be told.

    The pod says so, or an istiod among the objects, of 1.27 or newer
    (https://istio.io/latest/news/releases/1.27.x/announcing-1.27/change-notes/).
    """
    own = pod["annotations"].get("sidecar.istio.io/nativeSidecar")
    return bool(own == "true") if own in ("true", "false") else pod["native_sidecars"] or world.native_proxies


def makes_native(world: World) -> bool:
    """Whether the istiod among the objects makes native sidecars."""
    for one in world.of("Deployment"):
        if not one.name.startswith("istiod"):
            continue
        for container in mappings(dig(one.content, "spec", "template", "spec", "containers")):
            said = {text_of(row.get("name")): text_of(row.get("value")) for row in mappings(container.get("env"))}
            if "ENABLE_NATIVE_SIDECARS" in said:
                return said["ENABLE_NATIVE_SIDECARS"] != "false"
            if found := _PILOT.search(text_of(container.get("image"))):
                return int(found[1]) >= 27
    return False
