"""A stand-in for the kubelet: runs the containers of the stand-in API server's Pods as processes of this machine.

Init containers one after the other (those that always restart stay beside), then the others; volumes are directories,
mounted with bubblewrap where the container asks for them; states, exit codes and logs go where a kubelet puts them.
An image stands for this machine's tools, except for those that begin with `missing`.
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines.executors import namespace
from pilothouse.delivery.pipelines.executors.launching import Mount
from tests.kube.apiserver import ApiServer


class Kubelet:
    """Runs the Pods of `api`, with volumes below `directory`."""

    def __init__(self, api: ApiServer, directory: Path) -> None:
        self._api = api
        self._directory = directory
        self._cluster = api.cluster()
        self._pods = self._cluster.resource("Pod", "v1")
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._look)]
        self._threads[0].start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def _look(self) -> None:
        begun: set[str] = set()
        while not self._stop.is_set():
            for one in self._cluster.list(self._pods, exact=True).objects:
                if (uid := one.content["metadata"]["uid"]) not in begun:
                    begun.add(uid)
                    thread = threading.Thread(target=_Pod(self, one.content).run)
                    self._threads.append(thread)
                    thread.start()
            time.sleep(0.05)


class _Pod:
    def __init__(self, kubelet: Kubelet, body: dict[str, Any]) -> None:
        self._kubelet, self._body = kubelet, body
        self._meta, self._spec = body["metadata"], body["spec"]
        self._api, self._cluster, self._pods = kubelet._api, kubelet._cluster, kubelet._pods
        self._status: dict[str, Any] = {"phase": "Running", "initContainerStatuses": [], "containerStatuses": []}
        self._deadline = time.monotonic() + float(self._spec.get("activeDeadlineSeconds") or 1e9)
        self._beside: list[subprocess.Popen[bytes]] = []
        self._volumes = {one["name"]: self._volume(one) for one in self._spec.get("volumes") or []}

    def run(self) -> None:
        try:
            self._status |= self._all()
            self._say()
        finally:
            for process in self._beside:
                _kill(process)

    def _all(self) -> dict[str, Any]:
        for field in ("initContainers", "containers"):
            for one in self._spec.get(field) or []:
                if one["image"].startswith("missing"):
                    waiting = {"waiting": {"reason": "ErrImagePull", "message": "not found"}}
                    self._status["initContainerStatuses"].append({"name": one["name"], "state": waiting})
                    return {"phase": "Pending"}
                code = self._container(one, field)
                if code is None:
                    return {"phase": "Failed", "reason": "DeadlineExceeded"}
                if code:
                    return {"phase": "Failed"}
        return {"phase": "Succeeded"}

    def _container(self, one: dict[str, Any], field: str) -> int | None:
        """The exit code; None when the Pod's time is over or the Pod is gone."""
        log = self._kubelet._directory / f"{self._meta['name']}-{one['name']}.log"
        mounts = [self._mount(mount) for mount in one.get("volumeMounts") or []]
        for mount in mounts:
            mount.source.mkdir(parents=True, exist_ok=True)
        command = [str(namespace.bubblewrap()), *namespace.root_binds(mounts), "--proc", "/proc", "--dev", "/dev"]
        command += ["--die-with-parent", "--chdir", one.get("workingDir") or "/", "--"]
        command += [*one.get("command", ()), *one.get("args", ())]
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, stdout=out, stderr=out, env=self._environment(one), start_new_session=True
            )
        if one.get("restartPolicy") == "Always":
            self._beside.append(process)
            return 0
        while process.poll() is None:
            if time.monotonic() > self._deadline or self._gone():
                _kill(process)
                return None
            time.sleep(0.02)
        self._api.api.logs[self._meta["namespace"], self._meta["name"], one["name"]] = log.read_bytes()
        ended = {"exitCode": process.returncode if process.returncode >= 0 else 128 - process.returncode}
        self._status["initContainerStatuses" if field == "initContainers" else "containerStatuses"].append(
            {"name": one["name"], "imageID": f"stand-in://{one['image']}", "state": {"terminated": ended}}
        )
        self._say()
        return ended["exitCode"]

    def _mount(self, asked: dict[str, Any]) -> Mount:
        source = self._volumes[asked["name"]] / asked.get("subPath", "")
        return Mount(source, asked["mountPath"], asked.get("readOnly", False))

    def _gone(self) -> bool:
        return self._cluster.get(self._pods, self._meta["name"], self._meta["namespace"]) is None

    def _say(self) -> None:
        with contextlib.suppress(Exception):  # the Pod is gone
            self._cluster.patch(
                self._pods, self._meta["name"], {"status": self._status}, self._meta["namespace"], "status"
            )

    def _environment(self, one: dict[str, Any]) -> dict[str, str]:
        found = {"PATH": os.environ["PATH"], "HOME": "/"}
        for env in one.get("env") or []:
            source = env.get("valueFrom") or {}
            if ref := source.get("configMapKeyRef"):
                found[env["name"]] = self._object("ConfigMap", ref["name"])["data"][ref["key"]]
            elif ref := source.get("secretKeyRef"):
                found[env["name"]] = base64.b64decode(self._object("Secret", ref["name"])["data"][ref["key"]]).decode()
            else:
                found[env["name"]] = env.get("value", "")
        return found

    def _object(self, kind: str, name: str) -> dict[str, Any]:
        found = self._cluster.get(self._cluster.resource(kind, "v1"), name, self._meta["namespace"])
        assert found is not None, f"{kind} {name}"
        return dict(found.content)

    def _volume(self, one: dict[str, Any]) -> Path:
        if claim := one.get("persistentVolumeClaim"):
            assert self._object("PersistentVolumeClaim", claim["claimName"])
            place = self._kubelet._directory / "claims" / claim["claimName"]
        else:
            place = self._kubelet._directory / self._meta["uid"] / one["name"]
        place.mkdir(parents=True, exist_ok=True)
        if source := one.get("configMap"):
            for key, text in self._object("ConfigMap", source["name"])["data"].items():
                (place / key).write_text(text)
        return place


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
