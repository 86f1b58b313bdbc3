"""Scraping of `/debug/pprof/*` (Go's net/http/pprof and what imitates it), configured as Prometheus' scraping is.

    scrape_configs:
      - job_name: checkout
        scrape_interval: 15s
        static_configs:
          - targets: [10.0.0.7:6060]
            labels: {service_version: 2.0.0}
        profiles: [cpu, memory, goroutine]    # the default; mutex and block cost the target something

Discovery (files, DNS, HTTP, Kubernetes), relabelling and the HTTP client's settings are those of `scrape_configs` in a
prometheus.yml. What Go counts from its start (allocations, contention) is turned into what was spent since the last
scrape; the first one of those is only looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import structlog
from pydantic import BaseModel, ConfigDict, Field

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.metrics.configuring import Milliseconds, ScrapeConfig, checked, read_yaml
from pilothouse.signals.metrics.scraping.discovering import discoveries
from pilothouse.signals.metrics.scraping.group import Group
from pilothouse.signals.metrics.scraping.requesting import client
from pilothouse.signals.metrics.scraping.target import Target, TargetError, discovered_labels, target_of
from pilothouse.signals.receive.pprof_delta import difference
from pilothouse.signals.receive.pprof_labels import sender_of
from pilothouse.signals.receive.pprof_reading import read_pprof

if TYPE_CHECKING:
    from concurrent.futures import Future

    from pilothouse.signals.profiles.model import Profile
    from pilothouse.signals.receive.pprof_receiving import ProfileReceiver

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """One of a target's profiles: where it is, what it is called, and which of its types only ever grow."""

    path: str
    family: str
    growing: frozenset[str] = frozenset()


_GROWING_MEMORY = frozenset(("alloc_objects", "alloc_space"))
KINDS = {
    "cpu": Kind("/debug/pprof/profile", "process_cpu"),
    "memory": Kind("/debug/pprof/allocs", "memory", _GROWING_MEMORY),
    "goroutine": Kind("/debug/pprof/goroutine", "goroutine"),
    "mutex": Kind("/debug/pprof/mutex", "mutex", frozenset(("mutex_contentions", "mutex_delay"))),
    "block": Kind("/debug/pprof/block", "block", frozenset(("block_contentions", "block_delay"))),
}
# Go answers a CPU profile when it is done; between two there must be time for the other profiles' requests.
_CPU_SHARE = 0.9
_INTERVAL, _LEAST_TIMEOUT = 15_000, 10.0


class ProfileScrapeConfig(ScrapeConfig):
    """A `scrape_config` that says which profiles of its targets are wanted, below which path."""

    metrics_path: str = ""
    profiles: list[str] = Field(default_factory=lambda: ["cpu", "memory", "goroutine"])


class ProfilesConfig(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)
    global_: _Global = Field(default_factory=lambda: _Global(), alias="global")
    scrape_configs: list[ProfileScrapeConfig] = Field(default_factory=list)


class _Global(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    scrape_interval: Milliseconds = _INTERVAL


ProfilesConfig.model_rebuild()


def read_profiles_config(file: Path) -> list[ProfileScrapeConfig]:
    """The jobs of a file; raises `ConfigurationError` that names the wrong place."""
    from pilothouse.signals.metrics.errors import ConfigurationError

    config = checked(ProfilesConfig, read_yaml(file), file)
    jobs = []
    for place, job in enumerate(config.scrape_configs):
        for name in job.profiles:
            if name not in KINDS:
                raise ConfigurationError(
                    f"{file}: scrape_configs.{place}.profiles: {name!r} is none of {', '.join(KINDS)}"
                )
        interval = job.scrape_interval or config.global_.scrape_interval
        jobs.append(job.model_copy(update={"scrape_interval": interval, "scrape_timeout": interval}))
    return jobs


class ProfileScraper:
    """Scrapes in a thread of its own, and gives what it gets to `receiver`."""

    def __init__(self, file: Path, receiver: ProfileReceiver) -> None:
        """Reads the file; raises `ConfigurationError`."""
        self._jobs, self._directory, self._receiver = read_profiles_config(file), file.parent, receiver
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="profile-scraping", daemon=True)
        self._running: list[_Job] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

        async def begin() -> None:
            self._running = [_Job(job, self._directory, self._receiver) for job in self._jobs]

        asyncio.run_coroutine_threadsafe(begin(), self._loop).result()

    def close(self) -> None:
        """Stop; what is being asked for is dropped."""

        async def stop() -> None:
            for job in self._running:
                await job.close()

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()


class _Job:
    """One job: a task for each profile of each of its targets, as they come and go."""

    def __init__(self, job: ProfileScrapeConfig, directory: Path, receiver: ProfileReceiver) -> None:
        self._job, self._receiver = job, receiver
        self._client = client(job, directory, max(job.scrape_interval / 1000, _LEAST_TIMEOUT) + _LEAST_TIMEOUT)
        self._groups: dict[str, list[Group]] = {}
        self._scraped: dict[Any, asyncio.Task[None]] = {}
        self._tasks = [asyncio.ensure_future(one) for one in discoveries(job, directory, self._update)]

    def _update(self, source: str, groups: list[Group]) -> None:
        self._groups[source] = groups
        wanted = {}
        for labels in (labels for groups in self._groups.values() for group in groups for labels in group.each()):
            for name in self._job.profiles:
                if target := self._target(labels, KINDS[name]):
                    wanted[name, target.key] = target
        for key in self._scraped.keys() - wanted.keys():
            self._scraped.pop(key).cancel()
        for key in wanted.keys() - self._scraped.keys():
            scraping = _Scraping(wanted[key], KINDS[key[0]], self._client, self._receiver)
            self._scraped[key] = asyncio.ensure_future(scraping.run())

    def _target(self, labels: Mapping[str, str], kind: Kind) -> Target | None:
        seconds = max(int(self._job.scrape_interval / 1000 * _CPU_SHARE), 1)
        job = self._job.model_copy(
            update={
                "metrics_path": self._job.metrics_path.rstrip("/") + kind.path,
                "params": {**self._job.params, **({"seconds": [str(seconds)]} if kind is KINDS["cpu"] else {})},
            }
        )
        try:
            return target_of(job, discovered_labels(job, labels))
        except TargetError as error:
            log.warning("not a target", job=job.job_name, labels=dict(labels), reason=str(error))
            return None

    async def close(self) -> None:
        for task in [*self._tasks, *self._scraped.values()]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        await self._client.aclose()


@dataclass(slots=True)
class _Scraping:
    """One profile of one target."""

    target: Target
    kind: Kind
    client: httpx.AsyncClient
    receiver: ProfileReceiver
    _before: Profile | None = None
    _failed: str = ""

    async def run(self) -> None:
        """Scrape for ever; a target that does not answer is asked again, and complained about once."""
        interval = self.target.interval / 1000
        await asyncio.sleep(self.target.offset() / 1000 if interval > 2 else 0)
        while True:
            began = time.monotonic()
            try:
                await self._scrape()
                self._failed = ""
            except (httpx.HTTPError, BadRequestError, OverloadedError, OSError) as error:
                reason = str(error) or type(error).__name__
                if reason != self._failed:
                    log.warning("no profile was scraped", url=self.target.url, reason=reason)
                self._failed = reason
            await asyncio.sleep(max(interval - (time.monotonic() - began), 0.1))

    async def _scrape(self) -> None:
        limit, body = self.receiver.limits.body_bytes, bytearray()
        async with self.client.stream("GET", self.target.url) as response:
            response.raise_for_status()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > limit:
                    raise BadRequestError(f"more than {limit} bytes")
        before = self._before
        try:
            await asyncio.wrap_future(await asyncio.to_thread(self._take, bytes(body)))
        except Exception:
            # What was spent since then is in the next one.
            self._before = before
            raise

    def _take(self, body: bytes) -> Future[None]:
        return self.receiver.take(lambda: self._profiles(body))

    def _profiles(self, body: bytes) -> list[Profile]:
        labels = {name: text for name, text in self.target.labels.items() if name not in ("job", "instance")}
        named = {"service_name": self.target.job, "service.instance.id": self.target.labels["instance"], **labels}
        if "service.name" in labels:
            del named["service_name"]
        sender = sender_of([*named.items(), ("__name__", self.kind.family)], "labels")
        profile = read_pprof(body, sender, self.receiver.limits, self.target.url)
        if not self.kind.growing:
            return [profile]
        before, self._before = self._before, profile
        if before is None:
            kept = _without(profile, self.kind.growing)
            return [kept] if kept else []
        # In nanoseconds since the last one, which is when what is in this one began.
        since = max(profile.time - before.time, 0)
        return [replace(difference(profile, before, self.kind.growing), time=before.time, duration=since)]


def _without(profile: Profile, types: frozenset[str]) -> Profile | None:
    """The profile without the columns of some types; nothing if none is left."""
    columns = [place for place, kind in enumerate(profile.types) if kind.type not in types]
    if not columns:
        return None
    kinds = tuple(profile.types[place] for place in columns)
    return replace(profile, types=kinds, values=np.ascontiguousarray(profile.values[:, columns]))
