"""A Prow job's PodSpec as a Task: its containers are steps."""

from __future__ import annotations

from typing import Any

_KEPT = (
    "image",
    "command",
    "args",
    "env",
    "envFrom",
    "workingDir",
    "volumeMounts",
    "securityContext",
    "imagePullPolicy",
)


def task_of(spec: dict[str, Any], name: str) -> dict[str, Any]:
    """The TaskSpec of a PodSpec. Raises `ValueError` for one without containers.

    Several containers run one after the other, where Kubernetes runs them side by side; init containers come first.
    """
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    if not spec.get("containers") or not all(isinstance(one, dict) for one in containers):
        raise ValueError(f"job {name}: spec.containers: must have a container")
    steps = []
    for index, one in enumerate(containers):
        step = {key: one[key] for key in _KEPT if one.get(key) is not None}
        if one.get("resources"):
            step["computeResources"] = one["resources"]
        steps.append({"name": one.get("name") or ("test" if index == len(containers) - 1 else f"step-{index}"), **step})
    found: dict[str, Any] = {"steps": steps}
    if spec.get("volumes"):
        found["volumes"] = spec["volumes"]
    return found
