"""Configuration that lives inside ConfigMaps, or in files that are not YAML: objects of their own for the rules.

kube-proxy's and the kubelet's configuration, a Corefile, an audit policy. The rule speaks about the inner object and
points to the line of the outer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from pilothouse.hazards.facts.corefile import corefile
from pilothouse.kube.objects import KubeObject, mapping
from pilothouse.kube.parsing import load

_INNER = {
    "KubeProxyConfiguration",
    "KubeletConfiguration",
    "Policy",
    "ClusterConfiguration",
    "ReservationConfiguration",
}


def unfold(objects: Iterable[KubeObject]) -> Iterator[KubeObject]:
    """The configurations inside the ConfigMaps among the objects."""
    for one in objects:
        if one.kind != "ConfigMap":
            continue
        for key, text in mapping(one.content.get("data")).items():
            if not isinstance(text, str) or len(text) > 1_000_000:
                continue
            if key == "Corefile":
                yield _inner(one, key, {"apiVersion": "coredns.io", "kind": "Corefile"} | corefile(text))
            elif "kind:" in text and any(kind in text for kind in _INNER):
                try:
                    content = load(text)
                except (yaml.YAMLError, ValueError):
                    continue
                if isinstance(content, dict) and content.get("kind") in _INNER:
                    yield _inner(one, key, content)


def _inner(one: KubeObject, key: str, content: dict[str, object]) -> KubeObject:
    named = {"metadata": {"name": one.name, "namespace": one.namespace}}
    return KubeObject(named | content, one.file, one.line, one.text, (*one.at, "data", key))


def corefile_object(path: Path) -> KubeObject:
    """A file named Corefile as an object; raises `OSError`, `UnicodeDecodeError`."""
    content = corefile(path.read_text())
    return KubeObject(
        {"apiVersion": "coredns.io", "kind": "Corefile", "metadata": {"name": path.name}} | content, str(path)
    )
