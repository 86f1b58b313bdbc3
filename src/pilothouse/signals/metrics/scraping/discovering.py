"""Where targets come from: the file itself, other files, DNS, an HTTP server; also a cluster, and Consul.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import structlog

from pilothouse.masking import masked
from pilothouse.signals.metrics.configuring import matching, read_yaml
from pilothouse.signals.metrics.errors import ConfigurationError
from pilothouse.signals.metrics.scraping.group import Group, Update
from pilothouse.signals.metrics.scraping.requesting import client
from pilothouse.signals.metrics.scraping.target import ADDRESS

if TYPE_CHECKING:
    from pilothouse.signals.metrics.configuring import (
        DnsDiscovery,
        FileDiscovery,
        HttpDiscovery,
        StaticGroup,
        _Discovering,
    )

log = structlog.get_logger(__name__)

# How often files are looked at; the file's own refresh_interval is Prometheus' fallback for lost notifications.
_LOOK_AT_FILES = 2.0


def discoveries(settings: _Discovering, directory: Path, update: Update) -> list[Any]:
    """Coroutines that look for targets forever."""
    running: list[Any] = []
    if settings.static_configs:
        update("static", [static_group(one) for one in settings.static_configs])
    for place, one in enumerate(settings.file_sd_configs):
        running.append(_files(one, directory, f"file {place}", update))
    for place, dns in enumerate(settings.dns_sd_configs):
        running.append(_dns(dns, f"dns {place}", update))
    for place, http in enumerate(settings.http_sd_configs):
        running.append(_http(http, directory, f"http {place}", update))
    for place, kubernetes in enumerate(settings.kubernetes_sd_configs):
        from pilothouse.signals.metrics.scraping.kubernetes import watch

        running.append(watch(kubernetes, directory, f"kubernetes {place}", update))
    for place, consul in enumerate(settings.consul_sd_configs):
        from pilothouse.signals.metrics.scraping import consul as consuls

        running.append(consuls.watch(consul, directory, f"consul {place}", update))
    return running


def static_group(one: StaticGroup) -> Group:
    """A group that stands in the configuration."""
    return Group([{ADDRESS: address} for address in one.targets], dict(one.labels))


async def _files(settings: FileDiscovery, directory: Path, source: str, update: Update) -> None:
    known: dict[Path, tuple[float, list[Group]]] = {}
    while True:
        files = [file for pattern in settings.files for file in matching(directory, pattern)]
        changed = bool(known.keys() - set(files))
        known = {file: known[file] for file in known if file in files}
        for file in files:
            try:
                modified = file.stat().st_mtime
                if file in known and known[file][0] == modified:
                    continue
                known[file] = modified, groups_of(read_yaml(file), {"__meta_filepath": str(file)})
                changed = True
            except (OSError, ConfigurationError, ValueError) as error:
                # As Prometheus: a broken file leaves its last good targets.
                known[file] = modified, known[file][1] if file in known else []
                log.warning("cannot read targets", file=str(file), reason=str(error))
        if changed:
            update(source, [group for _, groups in known.values() for group in groups])
        await asyncio.sleep(min(_LOOK_AT_FILES, settings.refresh_interval / 1000))


async def _http(settings: HttpDiscovery, directory: Path, source: str, update: Update) -> None:
    async with client(settings, directory, settings.refresh_interval / 1000) as asked:
        while True:
            try:
                response = await asked.get(
                    settings.url,
                    headers={"X-Prometheus-Refresh-Interval-Seconds": f"{settings.refresh_interval / 1000:g}"},
                )
                response.raise_for_status()
                update(source, groups_of(json.loads(response.content), {"__meta_url": masked(settings.url)}))
            except (httpx.HTTPError, OSError, ValueError) as error:
                log.warning("cannot ask for targets", url=settings.url, reason=str(error))
            await asyncio.sleep(settings.refresh_interval / 1000)


def groups_of(content: Any, meta: Mapping[str, str]) -> list[Group]:
    """Target groups of a list as file and HTTP discovery have it; `ValueError` when it is none."""
    if not isinstance(content, list):
        raise ValueError("not a list of target groups")
    groups = []
    for one in content:
        targets, labels = (one.get("targets"), one.get("labels") or {}) if isinstance(one, dict) else (None, None)
        if not isinstance(targets, list) or not isinstance(labels, dict):
            raise ValueError("a target group has a list `targets` and perhaps a map `labels`")
        said = {str(name): str(value) for name, value in labels.items()}
        groups.append(Group([{ADDRESS: str(address)} for address in targets], {**meta, **said}))
    return groups


async def _dns(settings: DnsDiscovery, source: str, update: Update) -> None:
    import dns.asyncresolver
    import dns.exception

    known: dict[str, Group] = {}
    while True:
        for name in settings.names:
            try:
                found = await dns.asyncresolver.resolve(name, settings.type, search=True)
                known[name] = _records(name, settings, found)
            except (dns.exception.DNSException, OSError) as error:
                log.warning("cannot resolve", name=name, reason=str(error))
        update(source, list(known.values()))
        await asyncio.sleep(settings.refresh_interval / 1000)


def _records(name: str, settings: DnsDiscovery, found: Iterable[Any]) -> Group:
    targets = []
    for record in found:
        labels = {"__meta_dns_name": name}
        match settings.type:
            case "SRV":
                host, port = str(record.target), record.port
                labels |= {"__meta_dns_srv_record_target": host, "__meta_dns_srv_record_port": str(port)}
            case "MX":
                host, port = str(record.exchange), settings.port
                labels["__meta_dns_mx_record_target"] = host
            case "NS":
                host, port = str(record.target), settings.port
                labels["__meta_dns_ns_record_target"] = host
            case _:
                host, port = record.address, settings.port
        host = host.rstrip(".")
        targets.append({ADDRESS: f"[{host}]:{port}" if ":" in host else f"{host}:{port}", **labels})
    return Group(targets)
