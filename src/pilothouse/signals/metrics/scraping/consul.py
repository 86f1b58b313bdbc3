"""Consul discovery: the services of a catalogue become target groups, by queries that wait until something changes.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/#consul_sd_config
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import structlog

from pilothouse.masking import masked
from pilothouse.signals.metrics.scraping.group import Group, Update
from pilothouse.signals.metrics.scraping.requesting import client
from pilothouse.signals.metrics.scraping.target import ADDRESS

if TYPE_CHECKING:
    from pilothouse.signals.metrics.configuring import ConsulDiscovery

log = structlog.get_logger(__name__)

_WAIT = 120
_AGAIN_AFTER = 15.0
_WORST_FIRST = ("maintenance", "critical", "warning", "passing")
_UNFIT = re.compile(r"[^a-zA-Z0-9_]")


async def watch(settings: ConsulDiscovery, directory: Path, source: str, update: Update) -> None:
    """Watch until cancelled; `update` gets all groups whenever something changed."""
    # Consul adds up to a sixteenth to the time that it was asked to wait.
    async with client(settings, directory, _WAIT * 1.1 + 10) as asked:
        watching = _Watching(settings, asked)
        following = asyncio.ensure_future(watching.follow())
        try:
            while True:
                await watching.changed.wait()
                watching.changed.clear()
                update(source, list(watching.groups.values()))
        finally:
            following.cancel()
            watching.stop()


class _Watching:
    """One task for the catalogue, one for each service of it that is wanted."""

    def __init__(self, settings: ConsulDiscovery, asked: httpx.AsyncClient) -> None:
        self._settings, self._asked = settings, asked
        self._base = f"{settings.scheme}://{settings.server}/{settings.path_prefix.strip('/')}".rstrip("/")
        self._services: dict[str, asyncio.Task[None]] = {}
        self._datacenter = settings.datacenter
        self.groups: dict[str, Group] = {}
        self.changed = asyncio.Event()

    def stop(self) -> None:
        for task in self._services.values():
            task.cancel()

    async def follow(self) -> None:
        """Follow the catalogue, or the services that the configuration names."""
        await self._know_datacenter()
        settings = self._settings
        if settings.services and not settings.tags:
            self._choose(set(settings.services))
            return
        parameters: dict[str, Any] = {"node-meta": [f"{key}:{value}" for key, value in settings.node_meta.items()]}
        if settings.filter:
            parameters["filter"] = settings.filter
        await self._repeat("/v1/catalog/services", parameters, self._catalogued)

    async def _know_datacenter(self) -> None:
        while not self._datacenter:
            found = await self._get("/v1/agent/self", {}, 0)
            if found:
                self._datacenter = str(_at(_at(found[0], "Config"), "Datacenter") or "")
                if self._datacenter:
                    return
                log.warning("consul does not say its datacenter", server=masked(self._base))
            await asyncio.sleep(_AGAIN_AFTER)

    async def _catalogued(self, content: Any) -> None:
        if not isinstance(content, dict):
            raise ValueError("not a map of services")
        wanted, tags = set(self._settings.services), set(self._settings.tags)
        self._choose(
            {name for name, has in content.items() if (not wanted or name in wanted) and tags <= set(has or ())}
        )

    def _choose(self, names: set[str]) -> None:
        for gone in self._services.keys() - names:
            self._services.pop(gone).cancel()
            self.groups.pop(gone, None)
        for name in sorted(names - self._services.keys()):
            self._services[name] = asyncio.ensure_future(self._serve(name))
        self.changed.set()

    async def _serve(self, name: str) -> None:
        async def healthy(content: Any) -> None:
            if not isinstance(content, list):
                raise ValueError("not a list of instances")
            targets = [_target(one, self._settings.tag_separator) for one in content]
            labels = {"__meta_consul_service": name, "__meta_consul_dc": self._datacenter}
            self.groups[name] = Group(targets, labels)
            self.changed.set()

        parameters: dict[str, Any] = {"tag": self._settings.tags}
        if self._settings.health_filter:
            parameters["filter"] = self._settings.health_filter
        await self._repeat(f"/v1/health/service/{quote(name, safe='')}", parameters, healthy)

    async def _repeat(self, path: str, parameters: dict[str, Any], take: Callable[[Any], Awaitable[None]]) -> None:
        """Ask again and again, from the second time on for what is newer."""
        index = 0
        while True:
            begun = time.monotonic()
            found = await self._get(path, parameters, index)
            if found is None:
                await asyncio.sleep(_AGAIN_AFTER)
                continue
            content, now = found
            if now != index or not now:
                try:
                    await take(content)
                except (ValueError, TypeError, AttributeError) as error:
                    log.warning("consul answers what is not understood", path=path, reason=str(error))
            # One that goes back was made anew.
            index = now if now >= index else 0
            await asyncio.sleep(max(0.0, self._settings.refresh_interval / 1000 - (time.monotonic() - begun)))

    async def _get(self, path: str, parameters: dict[str, Any], index: int) -> tuple[Any, int] | None:
        """The content and its index; None when it cannot be had."""
        settings = self._settings
        query = {"dc": self._datacenter, "ns": settings.namespace, "partition": settings.partition}
        asked: dict[str, Any] = {name: text for name, text in query.items() if text}
        asked |= {"wait": f"{_WAIT}s", "index": index} if index else {}
        asked |= {"stale": ""} if settings.allow_stale else {}
        headers = {"X-Consul-Token": settings.token} if settings.token else {}
        try:
            response = await self._asked.get(f"{self._base}{path}", params={**asked, **parameters}, headers=headers)
            response.raise_for_status()
            return response.json(), int(response.headers.get("X-Consul-Index", 0))
        except (httpx.HTTPError, OSError, ValueError) as error:
            log.warning("cannot ask consul for targets", server=masked(self._base), path=path, reason=str(error))
            return None


def _target(entry: Any, separator: str) -> dict[str, str]:
    """The labels of an instance, as `/v1/health/service` tells of it."""
    node, service = _at(entry, "Node"), _at(entry, "Service")
    host, port = str(service.get("Address") or node.get("Address") or ""), int(service.get("Port") or 0)
    labels = {
        ADDRESS: f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "__meta_consul_address": node.get("Address"),
        "__meta_consul_node": node.get("Node"),
        "__meta_consul_namespace": service.get("Namespace"),
        "__meta_consul_partition": service.get("Partition"),
        # Separators on both sides, so that a regular expression need not care where a tag stands.
        "__meta_consul_tags": separator + separator.join(service.get("Tags") or ()) + separator,
        "__meta_consul_service_address": service.get("Address"),
        "__meta_consul_service_port": port,
        "__meta_consul_service_id": service.get("ID"),
        "__meta_consul_health": _health(entry.get("Checks") or ()),
    }
    for prefix, said in (
        ("metadata", node.get("Meta")),
        ("service_metadata", service.get("Meta")),
        ("tagged_address", node.get("TaggedAddresses")),
    ):
        for name, value in (said or {}).items():
            labels[f"__meta_consul_{prefix}_{_UNFIT.sub('_', name)}"] = value
    return {name: str(value) for name, value in labels.items() if value not in (None, "")}


def _health(checks: Any) -> str:
    """The worst state of an instance's checks; of one in maintenance that."""
    states = set()
    for check in checks:
        maintained = check.get("CheckID") == "_node_maintenance" or str(check.get("CheckID")).startswith(
            "_service_maintenance"
        )
        states.add("maintenance" if maintained else check.get("Status"))
    return next((state for state in _WORST_FIRST if state in states), "passing")


def _at(content: Any, name: str) -> Any:
    """What stands under a name; nothing where there is no map."""
    found = content.get(name) if isinstance(content, dict) else None
    return found if found is not None else {}
