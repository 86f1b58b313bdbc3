"""What a `prometheus.yml` asks for, under way: scraping, rules, alerts; and what the API tells of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from pilothouse.signals.metrics.configuring import PrometheusConfig, read_configuration
from pilothouse.signals.metrics.errors import ConfigurationError
from pilothouse.signals.metrics.prometheus.watched import Unwatched
from pilothouse.signals.metrics.scraping.scheduling import Scraper

if TYPE_CHECKING:
    from pilothouse.signals.metrics.prometheus.asking import Parameters

log = structlog.get_logger(__name__)

Write = Callable[[bytes], None]
"""Takes a remote write request into the journal; may raise when it cannot be taken now."""


class Watching(Unwatched):
    """Follows one configuration file. `histogram` is remote write's class of native histograms."""

    def __init__(self, file: Path, write: Write, histogram: type[Any]) -> None:
        self._file, self._write = file, write
        self._lock = threading.Lock()
        self._scraper = Scraper(write, histogram)
        self._text = ""
        self._config: PrometheusConfig | None = None
        self.loaded_at = 0.0
        self.load_failed = False

    def start(self) -> None:
        """Read the file and begin. Raises `ConfigurationError`."""
        self._scraper.start()
        self.reload()

    def reload(self) -> None:
        """Read the file again and do what it says now. Raises `ConfigurationError`; then all goes on as it was."""
        with self._lock:
            try:
                config = read_configuration(self._file)
                self._apply(config)
            except (ConfigurationError, OSError) as error:
                self.load_failed = True
                raise ConfigurationError(str(error)) from None
            self._config, self._text = config, self._file.read_text()
            self.loaded_at, self.load_failed = time.time(), False
            log.info("loaded", file=str(self._file), jobs=len(config.scrape_configs))

    def _apply(self, config: PrometheusConfig) -> None:
        directory = self._file.resolve().parent
        self._scraper.apply(config.scrape_configs, directory)

    def close(self) -> None:
        """Stop."""
        self._scraper.close()

    def targets(self, parameters: Parameters) -> dict[str, Any]:
        return self._scraper.targets(parameters.get("state") or "any", parameters.get("scrapePool"))

    def scrape_pools(self) -> dict[str, Any]:
        return {"scrapePools": self._scraper.pools}

    def config(self) -> str:
        return self._text
