"""Telling Alertmanagers: `POST /api/v2/alerts`, to all of them, in the background.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import structlog

from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.rules.alerting import Alert
from pilothouse.signals.metrics.rules.template_functions import table_link
from pilothouse.signals.metrics.scraping.discovering import discoveries
from pilothouse.signals.metrics.scraping.group import Group
from pilothouse.signals.metrics.scraping.relabelling import relabelled
from pilothouse.signals.metrics.scraping.requesting import client
from pilothouse.signals.metrics.scraping.target import ADDRESS, PATH, SCHEME
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.signals.metrics.configuring import Alerting, AlertmanagerConfig

log = structlog.get_logger(__name__)

_MOST_WAITING = 10_000
_A_REQUEST = 256


def told(alert: Alert, expression: str, external_labels: Mapping[str, str], external_url: str) -> dict[str, Any]:
    """An alert as Alertmanager takes it."""
    labels = {**external_labels, **{name: text for name, text in alert.labels.pairs if name != NAME}}
    ends = alert.resolved_at or alert.valid_until
    return {
        "labels": labels,
        "annotations": alert.annotations,
        "startsAt": to_rfc3339(int(alert.fired_at * 1e9)),
        "endsAt": to_rfc3339(int(ends * 1e9)),
        "generatorURL": external_url.rstrip("/") + table_link(expression),
    }


class _Alertmanagers:
    """Those of one part of the configuration."""

    def __init__(self, settings: AlertmanagerConfig, directory: Path) -> None:
        self._settings = settings
        self._client = client(settings, directory, settings.timeout / 1000)
        self._groups: dict[str, list[Group]] = {}
        self._tasks = [asyncio.ensure_future(one) for one in discoveries(settings, directory, self._update)]

    def _update(self, source: str, groups: list[Group]) -> None:
        self._groups[source] = groups

    def urls(self) -> tuple[list[str], list[str]]:
        """Where they are, and those that relabelling dropped."""
        active, dropped = dict[str, None](), dict[str, None]()
        for group in [group for groups in self._groups.values() for group in groups]:
            for labels in group.each():
                path = f"{self._settings.path_prefix.rstrip('/')}/api/v2/alerts"
                given = {SCHEME: self._settings.scheme, PATH: path, **labels}
                found = relabelled(given, self._settings.relabel_configs)
                one = found or given
                url = f"{one.get(SCHEME)}://{one.get(ADDRESS)}{one.get(PATH)}"
                (dropped if found is None else active)[url] = None
        return list(active), list(dropped)

    async def send(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        content = [
            {**alert, "labels": labels}
            for alert in alerts
            if (labels := relabelled(dict(alert["labels"]), self._settings.alert_relabel_configs)) is not None
        ]
        if content:
            await asyncio.gather(*(self._post(url, content) for url in self.urls()[0]))

    async def _post(self, url: str, content: list[Any]) -> None:
        try:
            response = await self._client.post(url, json=content)
            if response.status_code >= 300:
                log.error("an Alertmanager refused alerts", url=url, status=response.status_code)
        except (httpx.HTTPError, OSError) as error:
            log.error("an Alertmanager does not answer", url=url, reason=str(error) or type(error).__name__)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._client.aclose()


class Notifier:
    """Sends alerts from a loop that runs elsewhere. `send` may be called from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parts: list[_Alertmanagers] = []
        self._alerting: Alerting | None = None
        self._waiting: list[Mapping[str, Any]] = []
        self._sending: asyncio.Task[None] | None = None

    async def apply(self, alerting: Alerting, directory: Path) -> None:
        """Send to these from now on."""
        if alerting == self._alerting:
            return
        for part in self._parts:
            await part.close()
        self._alerting = alerting
        self._parts = [_Alertmanagers(one, directory) for one in alerting.alertmanagers]

    def send(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Send these soon; the oldest are given up when too many wait."""
        self._loop.call_soon_threadsafe(self._take, list(alerts))

    def _take(self, alerts: list[Mapping[str, Any]]) -> None:
        rules = self._alerting.alert_relabel_configs if self._alerting else []
        for alert in alerts:
            labels = relabelled(dict(alert["labels"]), rules)
            if labels is not None:
                self._waiting.append({**alert, "labels": labels})
        if (lost := len(self._waiting) - _MOST_WAITING) > 0:
            log.error("alerts were given up: the Alertmanagers are too slow", alerts=lost)
            del self._waiting[:lost]
        if self._sending is None or self._sending.done():
            self._sending = asyncio.ensure_future(self._send_all())

    async def _send_all(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:_A_REQUEST], self._waiting[_A_REQUEST:]
            await asyncio.gather(*(part.send(some) for part in self._parts))

    async def close(self) -> None:
        """Send what waits, then stop."""
        if self._sending and not self._sending.done():
            await asyncio.wait({self._sending}, timeout=5)
        for part in self._parts:
            await part.close()

    def alertmanagers(self) -> dict[str, Any]:
        """As the API tells it."""
        active, dropped = [], []
        for part in self._parts:
            here, gone = part.urls()
            active += [{"url": url} for url in here]
            dropped += [{"url": url} for url in gone]
        return {"activeAlertmanagers": active, "droppedAlertmanagers": dropped}
