"""`pilothouse collect kube` without a DaemonSet: the logs of pods through the Kubernetes API, as `kubectl logs -f`.

Talks to the API server itself, with the credentials of the kubeconfig's current context or of the pod that it runs in.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import structlog

from pilothouse.signals.collecting.containers import of_pod
from pilothouse.signals.collecting.formats import LogLine
from pilothouse.signals.collecting.sending import Batch, Sender
from pilothouse.signals.receive.times import any_time
from pilothouse.signals.timerange import to_rfc3339

log = structlog.get_logger(__name__)

_FLUSH_SECONDS, _LOOK_EVERY, _MOST_WAITING = 0.5, 2.0, 5000
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


@dataclass
class KubeCollector:
    """Follows all containers of the pods that a label selector means, in one namespace or (empty) all.

    `since` is how far back (seconds) a container's log is read when it is first seen.
    """

    client: httpx.Client
    sender: Sender
    namespace: str = ""
    selector: str = ""
    since: int = 0
    once: bool = False
    stopping: Callable[[], bool] = lambda: False
    _following: dict[tuple[str, str, int], threading.Thread] = field(default_factory=dict)
    _last: dict[tuple[str, str], int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Until it is told to stop, or with `once` until the logs that are there have been sent."""
        while not self.stopping():
            try:
                for pod in self._pods():
                    self._follow(pod)
            except httpx.HTTPError as error:
                log.warning("the Kubernetes API does not answer, trying again", reason=str(error))
            if self.once:
                break
            self._wait(_LOOK_EVERY)
        for thread in self._following.values():
            thread.join()

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.stopping() and time.monotonic() < until:
            time.sleep(0.1)

    def _pods(self) -> list[dict[str, Any]]:
        path = f"/api/v1/namespaces/{self.namespace}/pods" if self.namespace else "/api/v1/pods"
        found: list[dict[str, Any]] = []
        parameters = {"labelSelector": self.selector, "limit": "500"}
        while True:
            response = self.client.get(path, params={name: value for name, value in parameters.items() if value})
            response.raise_for_status()
            content = response.json()
            found += content["items"]
            parameters["continue"] = content.get("metadata", {}).get("continue") or ""
            if not parameters["continue"]:
                return found

    def _follow(self, pod: Mapping[str, Any]) -> None:
        """Start to read the containers that run (again) and are not read yet."""
        states = [
            status for kind in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
            for status in pod.get("status", {}).get(kind) or []
        ]  # fmt: skip
        for status in states:
            if not {"running", "terminated"} & status.get("state", {}).keys():
                continue
            key = (pod["metadata"]["uid"], status["name"], int(status.get("restartCount", 0)))
            if key in self._following:
                continue
            thread = threading.Thread(target=self._read, args=(pod, status["name"]), daemon=True)
            self._following[key] = thread
            thread.start()

    def _read(self, pod: Mapping[str, Any], container: str) -> None:
        meta = pod["metadata"]
        resource = of_pod(
            meta["namespace"], meta["name"], meta["uid"], container, meta.get("labels"),
            pod.get("spec", {}).get("nodeName", ""),
        )  # fmt: skip
        place = (meta["uid"], container)
        attempt = 0
        while not self.stopping():
            try:
                for lines in self._batches(meta["namespace"], meta["name"], container, place):
                    attempt = 0
                    if not self._send(resource, lines):
                        return
                    self._last[place] = max([self._last.get(place, 0), *(line.time for line in lines)])
                return
            except httpx.HTTPStatusError as error:
                log.warning(
                    "a container's log cannot be read", pod=meta["name"], container=container, reason=str(error)
                )
                return
            except httpx.HTTPError as error:
                # A connection that broke says nothing about the container: it is followed from the last line on.
                if attempt == 0:
                    log.warning("a container's log broke off", pod=meta["name"], container=container, reason=str(error))
                if self.once:
                    return
                attempt += 1
                self._wait(min(attempt, 10))

    def _send(self, resource: Mapping[str, str], lines: list[LogLine]) -> bool:
        batch = Batch(self.sender)
        with self._lock:
            for line in lines:
                batch.add(resource, line, time.time_ns())
                if batch.is_full:
                    if not batch.send():
                        return False
                    batch = Batch(self.sender)
            return batch.send()

    def _batches(self, namespace: str, pod: str, container: str, place: tuple[str, str]) -> Iterator[list[LogLine]]:
        """Lines as they come, those of half a second together; raises `httpx.HTTPError` when the connection breaks."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        parameters = {"container": container, "timestamps": "true"} | ({} if self.once else {"follow": "true"})
        last = self._last.get(place, 0)
        if last:
            parameters["sinceTime"] = to_rfc3339(last)
        elif self.since:
            parameters["sinceSeconds"] = str(self.since)
        timeout = httpx.Timeout(10, read=60 if self.once else None)
        with self.client.stream("GET", path, params=parameters, timeout=timeout) as response:
            response.raise_for_status()
            arriving: queue.Queue[str | httpx.HTTPError | None] = queue.Queue(_MOST_WAITING)
            threading.Thread(target=self._listen, args=(response, arriving), daemon=True).start()
            ended = False
            while not ended and not self.stopping():
                texts, ended = _arrived(arriving)
                lines = [line for line in map(_line, texts) if line.time > last]
                if lines:
                    yield lines

    def _listen(self, response: httpx.Response, arriving: queue.Queue[str | httpx.HTTPError | None]) -> None:
        """Put what comes into the queue: a container that is silent must not hold back what it said before."""
        end: httpx.HTTPError | None = None
        try:
            for text in response.iter_lines():
                arriving.put(text)
        except httpx.HTTPError as error:
            end = error
        except (httpx.StreamError, OSError, ValueError) as error:
            # The other side let go of the answer while it was being read.
            end = httpx.ReadError(str(error))
        arriving.put(end)


def _arrived(arriving: queue.Queue[str | httpx.HTTPError | None]) -> tuple[list[str], bool]:
    """What comes within half a second, and whether that was the end; raises what broke the connection."""
    texts: list[str] = []
    until = time.monotonic() + _FLUSH_SECONDS
    while len(texts) < _MOST_WAITING and (left := until - time.monotonic()) > 0:
        try:
            found = arriving.get(timeout=left)
        except queue.Empty:
            break
        if found is None:
            return texts, True
        if isinstance(found, httpx.HTTPError):
            if not texts:
                raise found
            # What came before goes first; the error is found again the next time.
            arriving.put(found)
            break
        texts.append(found)
    return texts, False


def _line(text: str) -> LogLine:
    moment, _, rest = text.partition(" ")
    return LogLine(rest, any_time(moment))
