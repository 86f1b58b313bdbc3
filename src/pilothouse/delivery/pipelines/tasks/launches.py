"""A step or sidecar of a prepared task as something that an executor can launch."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Any

from pilothouse.delivery.pipelines import workspaces
from pilothouse.delivery.pipelines.catalog import Catalog
from pilothouse.delivery.pipelines.errors import RunError
from pilothouse.delivery.pipelines.executors.launching import Launch, Launcher, Limits, Mount
from pilothouse.delivery.pipelines.tasks import environment as environments
from pilothouse.delivery.pipelines.tasks.layout import Layout
from pilothouse.delivery.pipelines.tasks.preparing import Prepared
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.volumes import Volumes

_UNITS = {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_QUANTITY = re.compile(r"([0-9.]+)(m|[kKMGT]i?|)")


class Launches:
    """Makes the launches of one TaskRun."""

    def __init__(
        self, run: TaskRun, prepared: Prepared, layout: Layout, volumes: Volumes, catalog: Catalog, launcher: Launcher,
        directory: str,
    ) -> None:  # fmt: skip
        self._run = run
        self._prepared = prepared
        self._layout = layout
        self._volumes = volumes
        self._catalog = catalog
        self._launcher = launcher
        self._directory = directory
        self._alone = workspaces.isolated(prepared.spec)
        self._pod = run.spec.get("podTemplate") or {}
        self._sources = {
            one["name"]: one for one in [*(prepared.spec.get("volumes") or []), *(self._pod.get("volumes") or [])]
        }

    def launch(self, name: str, container: dict[str, Any], index: int | None, more: dict[str, str]) -> Launch:
        """The launch of a step (`index` in the task) or of a sidecar (None). Raises `RunError`."""
        metadata = self._run.metadata()
        environment = environments.of(container, self._catalog, metadata, self._pod)
        command, script = self._command(name, container, environment)
        arguments = [environments.expand(str(one), environment) for one in container.get("args") or []]
        directory = container.get("workingDir") or self._directory
        if not directory.startswith("/"):
            directory = f"/workspace/{directory}"
        security = {**(self._pod.get("securityContext") or {}), **(container.get("securityContext") or {})}
        # The default directory is handed over as it is; one that the YAML names must have that name for the step.
        named = directory if container.get("workingDir") else ""
        texts = (
            container.get("script") or "",
            *command,
            *arguments,
            *environment.values(),
            named,
            more.get("HOME", ""),
        )
        return Launch(
            name=name,
            image=container.get("image", ""),
            command=(*command, *arguments),
            environment={**environment, **more},
            directory=directory,
            mounts=tuple(self.mounts(container, index)),
            script=script,
            named=bool(container.get("command") or script),
            user=_number(security.get("runAsUser")),
            group=_number(security.get("runAsGroup")),
            shell=self._meaning(name, container).toolchain.shell,
            limits=_limits(container),
            texts=tuple(text for text in texts if text and text != script),
            container=f"{self._run.uid[:8]}-{self._run.attempt}-{name}",
        )

    def _meaning(self, name: str, container: dict[str, Any]) -> Any:
        return self._launcher.meaning(
            container.get("image", ""), name, bool(container.get("command") or container.get("script"))
        )

    def meaning(self, name: str, container: dict[str, Any]) -> Any:
        """What the container's image is here."""
        return self._meaning(name, container)

    def mounts(self, container: dict[str, Any], index: int | None) -> Iterable[Mount]:
        """All that a container sees beside the image: Tekton's directories, workspaces, volumes."""
        yield from self._layout.mounts(index)
        for bound in workspaces.for_container(self._prepared.bound, container, self._alone):
            binding = bound.binding or {}
            made = self._volumes.directory(f"ws-{bound.name}", binding)
            made = self._volumes.below(made, str(binding.get("subPath") or ""), bound.name)
            yield Mount(made, bound.path.rstrip("/") or "/", bound.read_only)
        for mount in container.get("volumeMounts") or []:
            source = self._sources.get(mount.get("name"))
            if source is None:
                bound_volume = next((one for one in self._prepared.bound if one.volume == mount.get("name")), None)
                if bound_volume is None:
                    raise RunError("PodCreationFailed", f"volume {mount.get('name')!r} is mounted and not declared")
                source = {**(bound_volume.binding or {}), "name": f"ws-{bound_volume.name}"}
                made = self._volumes.directory(f"ws-{bound_volume.name}", source)
            else:
                made = self._volumes.directory(
                    f"vol-{mount['name']}", {key: value for key, value in source.items() if key != "name"}
                )
            made = self._volumes.below(made, str(mount.get("subPath") or ""), str(mount.get("name")))
            yield Mount(made, str(mount.get("mountPath", "")).rstrip("/") or "/", bool(mount.get("readOnly")))

    def _command(self, name: str, container: dict[str, Any], environment: dict[str, str]) -> tuple[list[str], str]:
        if container.get("script"):
            text = container["script"]
            if not text.lstrip().startswith("#!"):
                text = "#!/bin/sh\nset -e\n" + text
            text = text.lstrip("\n") if text.lstrip().startswith("#!") else text
            if text.startswith("#!win"):
                raise RunError("TaskRunValidationFailed", f"step {name}: Windows scripts cannot run here")
            path = self._layout.script(f"script-{name}", text)
            return [*_interpreter(text, name), path], path
        if container.get("command"):
            return [environments.expand(str(one), environment) for one in container["command"]], ""
        toolchain = self._meaning(name, container).toolchain
        # As Tekton looks it up: arguments follow the image's entrypoint, or its command where it has no entrypoint.
        entrypoint = toolchain.entrypoint or toolchain.command
        alone = toolchain.command if toolchain.entrypoint and not container.get("args") else ()
        return [*entrypoint, *alone], ""


def _interpreter(text: str, name: str) -> list[str]:
    first = text.partition("\n")[0][2:].strip()
    parts = first.split(None, 1)
    if not parts:
        raise RunError("TaskRunValidationFailed", f"step {name}: its script begins with #! and names no interpreter")
    if parts[0].endswith("/env") and len(parts) > 1:
        # `env -S` splits its arguments itself; without it the kernel hands over one.
        return [parts[0], *shlex.split(parts[1])] if parts[1].startswith("-S") else [parts[0], *parts[1].split()]
    return parts


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None


def quantity(value: Any) -> float:
    """A Kubernetes quantity as a number: `500m` is 0.5, `1Gi` is 2**30. 0 for what is none."""
    found = _QUANTITY.fullmatch(str(value))
    if not found:
        return 0.0
    return float(found[1]) / 1000 if found[2] == "m" else float(found[1]) * _UNITS[found[2]]


def _limits(container: dict[str, Any]) -> Limits:
    limits = (container.get("computeResources") or {}).get("limits") or {}
    return Limits(int(quantity(limits.get("memory", 0))), quantity(limits.get("cpu", 0)))
