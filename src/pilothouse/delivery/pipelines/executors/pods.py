"""A TaskRun as a Pod, for a cluster without Tekton: its steps are init containers, which the kubelet runs in order.

A first container writes the scripts, a last one says the results (its log is read); sidecars are init containers that
always restart, Kubernetes' own form of them. What Tekton's entrypoint program does between steps cannot be had so: a
step that needs it is refused before the Pod is made, with the reason.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from pilothouse.delivery.pipelines import naming, workspaces
from pilothouse.delivery.pipelines.errors import RunError
from pilothouse.delivery.pipelines.tasks.names import step_name
from pilothouse.delivery.pipelines.tasks.preparing import Prepared
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.variables import texts
from pilothouse.delivery.pipelines.workspaces import Bound

# Small, and it has sh and base64: writes scripts and reads results.
TOOLS = "busybox:stable"
RESULT = "pilothouse-result"
_COPIED = ("image", "args", "env", "envFrom", "imagePullPolicy", "securityContext", "volumeDevices")
_PROBED = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "stdin", "stdinOnce", "tty")
_OWN = {"scripts": "/tekton/scripts", "results": "/tekton/results", "workspace": "/workspace"}


def pod(run: TaskRun, prepared: Prepared) -> dict[str, Any]:
    """The Pod of one attempt. Raises `RunError` for what only Tekton can do."""
    if (run.spec.get("debug") or {}).get("breakpoints"):
        raise RunError(
            "TaskRunValidationFailed", "breakpoints cannot be had in a plain Pod; install Tekton on the cluster"
        )
    for index, step in enumerate(prepared.steps):
        _possible(step_name(step, index), step)
    suffix = f"-pod-retry{run.attempt}" if run.attempt else "-pod"
    template = dict(run.spec.get("podTemplate") or {})
    account = run.spec.get("serviceAccountName")
    spec: dict[str, Any] = {
        **{key: value for key, value in template.items() if key not in ("env", "volumes")},
        "restartPolicy": "Never",
        "volumes": list(_volumes(prepared, template)),
        "initContainers": [*_sidecars(prepared, template), _scripts(prepared), *_steps(prepared, template)],
        "containers": [_results(prepared)],
    }
    if account and account != "default":
        spec["serviceAccountName"] = account
    if run.timeout > 0:
        spec["activeDeadlineSeconds"] = max(1, round(run.timeout))
    meta = run.metadata()
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": naming.child(run.name, suffix),
            "labels": meta["labels"],
            "annotations": {"pilothouse.dev/task-run-uid": run.uid},
        },
        "spec": spec,
    }


def results(log: str) -> dict[str, str]:
    """The results in the log of the last container, by name."""
    found = {}
    for line in log.splitlines():
        word, _, rest = line.partition(" ")
        name, _, text = rest.partition(" ")
        if word == RESULT and name:
            found[name] = base64.b64decode(text).decode("utf-8", "replace")
    return found


def _possible(name: str, step: dict[str, Any]) -> None:
    needs = [field for field in ("when", "timeout", "stdoutConfig", "stderrConfig", "results") if step.get(field)]
    needs += ["onError: continue"] if step.get("onError") == "continue" else []
    needs += ["a result of another step"] if any("$(steps." in text for _, text in texts(step)) else []
    if needs:
        raise RunError(
            "TaskRunValidationFailed",
            f"step {name}: {', '.join(needs)} cannot be had in a plain Pod, whose steps are settled when it is made; "
            "install Tekton on the cluster, or run it with another --executor",
        )


def _volumes(prepared: Prepared, template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _OWN:
        yield {"name": f"tekton-{name}", "emptyDir": {}}
    for one in prepared.bound:
        if one.binding is not None:
            yield _volume(one)
    yield from prepared.spec.get("volumes") or []
    yield from template.get("volumes") or []


def _volume(one: Bound) -> dict[str, Any]:
    source = {key: value for key, value in (one.binding or {}).items() if key not in ("name", "subPath")}
    if "hostPath" in source:
        raise RunError(
            "InvalidWorkspaceBindings",
            f"workspace {one.name} is a directory of this machine; on a cluster give it a claim: "
            f"-w name={one.name},claimName=NAME",
        )
    return {"name": one.volume, **(source or {"emptyDir": {}})}


def _steps(prepared: Prepared, template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for index, step in enumerate(prepared.steps):
        name = step_name(step, index)
        yield {
            **_container(step, prepared, template),
            "name": f"step-{name}",
            **({"command": [f"/tekton/scripts/step-{name}"]} if step.get("script") else {}),
            "workingDir": step.get("workingDir") or "/workspace",
        }


def _sidecars(prepared: Prepared, template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for index, one in enumerate(prepared.spec.get("sidecars") or []):
        if one.get("script"):
            raise RunError(
                "TaskRunValidationFailed",
                f"sidecar {one.get('name', index)}: a script needs Tekton; give it a command",
            )
        yield {
            **_container(one, prepared, template),
            **{field: one[field] for field in _PROBED if field in one},
            "name": f"sidecar-{one.get('name') or f'unnamed-{index}'}",
            "restartPolicy": "Always",
            **({"workingDir": one["workingDir"]} if one.get("workingDir") else {}),
        }


def _container(one: dict[str, Any], prepared: Prepared, template: dict[str, Any]) -> dict[str, Any]:
    found = {field: one[field] for field in _COPIED if one.get(field) is not None}
    if one.get("command"):
        found["command"] = one["command"]
    if one.get("computeResources"):
        found["resources"] = one["computeResources"]
    if template.get("env"):
        found["env"] = [*template["env"], *(found.get("env") or [])]
    mounts = [
        {"name": f"tekton-{name}", "mountPath": path, **({"readOnly": True} if name == "scripts" else {})}
        for name, path in _OWN.items()
    ]
    for bound in workspaces.for_container(prepared.bound, one, workspaces.isolated(prepared.spec)):
        below = (bound.binding or {}).get("subPath")
        mounts.append(
            {"name": bound.volume, "mountPath": bound.path}
            | ({"subPath": below} if below else {})
            | ({"readOnly": True} if bound.read_only else {})
        )
    own = one.get("volumeMounts") or []
    taken = {mount.get("mountPath") for mount in own}
    found["volumeMounts"] = [*(mount for mount in mounts if mount["mountPath"] not in taken), *own]
    return found


def _scripts(prepared: Prepared) -> dict[str, Any]:
    """Writes the scripts; their text comes as Base64, which nothing on the way takes for a variable."""
    lines, env = ["umask 022"], []
    for index, step in enumerate(prepared.steps):
        text = step.get("script")
        if not text:
            continue
        text = text.lstrip("\n") if text.lstrip().startswith("#!") else f"#!/bin/sh\nset -e\n{text}"
        env.append({"name": f"SCRIPT_{index}", "value": base64.b64encode(text.encode()).decode()})
        path = f"/tekton/scripts/step-{step_name(step, index)}"
        lines.append(f'echo "$SCRIPT_{index}" | base64 -d > {path} && chmod 755 {path}')
    lines.append("chmod 777 /tekton/results /workspace")
    mounts = [{"name": f"tekton-{name}", "mountPath": path} for name, path in _OWN.items()]
    return {
        "name": "place-scripts",
        "image": TOOLS,
        "command": ["sh", "-c", "\n".join(lines)],
        "env": env,
        "volumeMounts": mounts,
    }


def _results(prepared: Prepared) -> dict[str, Any]:
    names = " ".join(str(one["name"]) for one in prepared.spec.get("results") or [])
    script = (
        f'for name in {names}; do test -f "/tekton/results/$name" && '
        f'echo "{RESULT} $name $(base64 < "/tekton/results/$name" | tr -d "\\n")"; done; true'
        if names
        else "true"
    )
    mounts = [{"name": "tekton-results", "mountPath": "/tekton/results", "readOnly": True}]
    return {"name": "results", "image": TOOLS, "command": ["sh", "-c", script], "volumeMounts": mounts}
