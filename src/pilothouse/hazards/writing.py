"""A live object as somebody would have written it: YAML without what the API server adds."""

from __future__ import annotations

from typing import Any

from pilothouse.kube.objects import KubeObject

# ObjectMeta's fields that are "populated by the system":
# https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#objectmeta-v1-meta
_SYSTEM = (
    "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
    "managedFields", "selfLink",
)  # fmt: skip
_NOTES = ("kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision")


def written(one: KubeObject) -> KubeObject:
    """The same object with its YAML as `text`; its `file` is its name as kubectl says it: `deployment/checkout`."""
    import yaml

    content = {name: value for name, value in one.content.items() if name != "status"}
    content["metadata"] = _metadata(one)
    ordered = {name: content.pop(name) for name in ("apiVersion", "kind", "metadata") if name in content} | content
    text = yaml.dump(ordered, Dumper=_dumper(yaml), sort_keys=False, allow_unicode=True, width=10_000)
    return KubeObject(one.content, f"{one.kind.lower()}/{one.name}", text=text)


def _metadata(one: KubeObject) -> dict[str, Any]:
    meta = {name: value for name, value in one.metadata.items() if name not in _SYSTEM}
    notes = {name: value for name, value in one.annotations.items() if name not in _NOTES}
    meta.pop("annotations", None)
    return meta | ({"annotations": notes} if notes else {})


def _dumper(yaml: Any) -> Any:
    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        """One value in two places is written twice: anchors are not what people write."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    return Dumper
