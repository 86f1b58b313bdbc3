"""A target: where it is and what labels its series get."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pilothouse.signals.metrics.promql.durations import format_duration, parse_duration
from pilothouse.signals.metrics.scraping.relabelling import relabelled

if TYPE_CHECKING:
    from pilothouse.signals.metrics.configuring import ScrapeConfig

ADDRESS, PATH, SCHEME = "__address__", "__metrics_path__", "__scheme__"
INTERVAL, TIMEOUT = "__scrape_interval__", "__scrape_timeout__"


class TargetError(ValueError):
    """The labels make no target."""


@dataclass(frozen=True)
class Target:
    """What is scraped. `discovered` are the labels before relabelling; times in milliseconds."""

    job: str
    url: str
    labels: Mapping[str, str]
    discovered: Mapping[str, str]
    interval: int
    timeout: int

    @property
    def key(self) -> tuple[str, tuple[tuple[str, str], ...], int, int]:
        """Two targets with the same key are the same target."""
        return self.url, tuple(sorted(self.labels.items())), self.interval, self.timeout

    def offset(self) -> int:
        """When within its interval it is scraped, so that not all are at once."""
        digest = hashlib.sha256(repr(self.key).encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.interval


def discovered_labels(job: ScrapeConfig, labels: Mapping[str, str]) -> dict[str, str]:
    """What a job adds to a target that was found, before relabelling."""
    added = {
        "job": job.job_name,
        PATH: job.metrics_path,
        SCHEME: job.scheme,
        INTERVAL: format_duration(job.scrape_interval),
        TIMEOUT: format_duration(job.scrape_timeout),
        **{f"__param_{name}": values[0] for name, values in job.params.items() if values},
    }
    return {**added, **{name: value for name, value in labels.items() if value}}


def target_of(job: ScrapeConfig, discovered: Mapping[str, str]) -> Target | None:
    """The target after relabelling, None when it is dropped. Raises `TargetError`."""
    labels = relabelled(dict(discovered), job.relabel_configs)
    if labels is None:
        return None
    address = labels.get(ADDRESS, "")
    if not address:
        raise TargetError("no address")
    if "/" in address:
        raise TargetError(f'"{address}" is not a valid hostname')
    try:
        interval, timeout = parse_duration(labels[INTERVAL]), parse_duration(labels[TIMEOUT])
    except (KeyError, ValueError) as error:
        raise TargetError(f"error parsing scrape interval or timeout: {error}") from None
    if not 0 < timeout <= interval:
        raise TargetError("scrape timeout cannot be greater than scrape interval, and neither can be 0")
    # An Alertmanager's path may be said in full.
    scheme, path = labels.get(SCHEME, "http"), labels.get(PATH, "/metrics")
    url = f"{scheme}://{address}{path if path.startswith('/') else '/' + path}"
    if query := _query(job, labels):
        url = f"{url}{'&' if '?' in url else '?'}{query}"
    public = {name: value for name, value in labels.items() if not name.startswith("__")}
    public.setdefault("instance", address)
    return Target(job.job_name, url, public, dict(discovered), interval, timeout)


def _query(job: ScrapeConfig, labels: Mapping[str, str]) -> str:
    pairs: list[tuple[str, str]] = []
    said = {name.removeprefix("__param_"): value for name, value in labels.items() if name.startswith("__param_")}
    for name in sorted({*job.params, *said}):
        values = list(job.params.get(name, ()))
        if name in said:
            values = [said[name], *values[1:]]
        pairs += [(name, value) for value in values]
    return urlencode(pairs)
