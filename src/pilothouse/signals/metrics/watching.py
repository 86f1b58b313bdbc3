"""What a `prometheus.yml` asks for, under way: scraping, rules, alerts; and what the API tells of them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.metrics.configuring import PrometheusConfig, matching, read_configuration, read_yaml
from pilothouse.signals.metrics.errors import ConfigurationError
from pilothouse.signals.metrics.prometheus.query_log import QueryLog
from pilothouse.signals.metrics.prometheus.stored import StoredMetrics
from pilothouse.signals.metrics.rules.alerting import Result, RuleError
from pilothouse.signals.metrics.rules.evaluating import Group, Surroundings
from pilothouse.signals.metrics.rules.files import read_rules
from pilothouse.signals.metrics.rules.notifying import Notifier
from pilothouse.signals.metrics.rules.recording import requests_of
from pilothouse.signals.metrics.rules.scheduling import RuleScheduler
from pilothouse.signals.metrics.rules.telling import told_alerts, told_groups
from pilothouse.signals.metrics.scraping.scheduling import Scraper
from pilothouse.signals.metrics.showing import shown

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.signals.metrics.prometheus.asking import Parameters
    from pilothouse.signals.metrics.promql.matcher import Matcher

log = structlog.get_logger(__name__)

Write = Callable[[bytes], None]
"""Takes a remote write request into the journal; may raise when it cannot be taken now."""


class Watching:
    """Follows one configuration file. `histogram` is remote write's class of native histograms."""

    def __init__(self, file: Path, engine: Engine, write: Write, histogram: type[Any]) -> None:
        self._file, self._write = file, write
        self._lock = threading.Lock()
        self.metrics = StoredMetrics(engine)
        self.query_log = QueryLog()
        self._scraper = Scraper(write, histogram)
        self._notifier = Notifier(self._scraper.loop)
        self._rules = RuleScheduler(self.metrics, self._keep, self._notifier, lambda: self._around, self.query_log)
        self._around = Surroundings()
        self._external_url = ""
        self._started = False
        self._shown = ""
        self._loaded, self._loaded_at = False, 0.0

    def start(self, external_url: str) -> None:
        """Read the file and begin; `external_url` is where alerts point to. Raises `ConfigurationError`."""
        self._external_url = external_url
        self._scraper.start()
        self._rules.start()
        self._started = True
        self.reload()

    def reload(self) -> None:
        """Read the file again and do what it says now. Raises `ConfigurationError`; then all goes on as it was.

        Before `start` (where another server leads) it only reads it, to say what is wrong with it.
        """
        with self._lock:
            self._loaded = False
            try:
                config, content = read_configuration(self._file), read_yaml(self._file)
                if self._started:
                    self._apply(config)
            except OSError as error:
                raise ConfigurationError(str(error)) from None
            self._shown, self._loaded, self._loaded_at = shown(content), True, time.time()
            log.info("loaded", file=str(self._file), jobs=len(config.scrape_configs), groups=len(self._rules.groups))

    def _apply(self, config: PrometheusConfig) -> None:
        directory = self._file.resolve().parent
        shared = config.global_
        around = Surroundings(shared.external_labels, self._external_url)
        groups = [
            Group(group, str(file), shared.evaluation_interval, around, shared.rule_query_offset)
            for pattern in config.rule_files
            for file in matching(directory, pattern)
            for group in read_rules(file).groups
        ]
        log_file = shared.query_log_file
        self.query_log.use(directory / log_file if log_file else None)
        self._around = around
        self._scraper.apply(config.scrape_configs, directory)
        applying = self._notifier.apply(config.alerting, directory)
        asyncio.run_coroutine_threadsafe(applying, self._scraper.loop).result()
        self._rules.apply(groups)

    def close(self) -> None:
        """Stop, if it began."""
        if not self._started:
            self._scraper.loop.close()
            return
        self._rules.close()
        asyncio.run_coroutine_threadsafe(self._notifier.close(), self._scraper.loop).result(timeout=10)
        self._scraper.close()
        self.query_log.use(None)

    def _keep(self, result: Result, at: int) -> None:
        """Samples that rules made, on their way to the store."""
        try:
            for request in requests_of(result, at):
                self._write(request)
        except BadRequestError as error:
            # Such as a histogram with negative counts: this rule's fault, and no other's.
            raise RuleError(str(error)) from None

    def targets(self, parameters: Parameters) -> dict[str, Any]:
        return self._scraper.targets(parameters.get("state") or "any", parameters.get("scrapePool"))

    def targets_metadata(self, selector: Sequence[Matcher], metric: str, limit: int | None) -> list[dict[str, Any]]:
        return self._scraper.metadata(selector, metric, limit)

    def scrape_pools(self) -> dict[str, Any]:
        return {"scrapePools": self._scraper.pools}

    def rules(self, parameters: Parameters) -> dict[str, Any]:
        return told_groups(self._rules.groups, parameters)

    def alerts(self) -> dict[str, Any]:
        return {"alerts": [alert for group in self._rules.groups for alert in told_alerts(group.rules)]}

    def alertmanagers(self) -> dict[str, Any]:
        return self._notifier.alertmanagers()

    def config(self) -> str:
        return self._shown

    def loaded(self) -> tuple[bool, float]:
        return self._loaded, self._loaded_at

    def external_labels(self) -> Mapping[str, str]:
        return self._around.external_labels
