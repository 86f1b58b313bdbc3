"""All jobs at once: targets come and go, each is scraped on its own, in one thread with a loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from pilothouse.signals.metrics.promql.durations import format_duration
from pilothouse.signals.metrics.scraping.discovering import discoveries
from pilothouse.signals.metrics.scraping.group import Group
from pilothouse.signals.metrics.scraping.requesting import client
from pilothouse.signals.metrics.scraping.scraping import Scraping
from pilothouse.signals.metrics.scraping.target import Target, TargetError, discovered_labels, target_of

if TYPE_CHECKING:
    import httpx

    from pilothouse.signals.metrics.configuring import ScrapeConfig
    from pilothouse.signals.metrics.promql.matcher import Matcher

log = structlog.get_logger(__name__)

# Groups that change together are settled together.
_SETTLE = 0.2
_MOST_DROPPED_SHOWN = 1000


class _Job:
    """One `scrape_config`: what its discoveries found, and what is scraped of it."""

    def __init__(
        self, job: ScrapeConfig, directory: Path, write: Callable[[bytes], None], histogram: type[Any]
    ) -> None:
        self.job, self._write, self._histogram = job, write, histogram
        self._client: httpx.AsyncClient = client(job, directory, job.scrape_timeout / 1000)
        self._groups: dict[str, list[Group]] = {}
        self._changed = asyncio.Event()
        self.scrapings: dict[Any, tuple[Scraping, asyncio.Task[None]]] = {}
        self.dropped: list[Mapping[str, str]] = []
        self._tasks = [asyncio.ensure_future(one) for one in discoveries(job, directory, self._update)]
        self._tasks.append(asyncio.ensure_future(self._settle_forever()))

    def _update(self, source: str, groups: list[Group]) -> None:
        self._groups[source] = groups
        self._changed.set()

    async def _settle_forever(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(_SETTLE)
            self._changed.clear()
            await self._settle()

    async def _settle(self) -> None:
        wanted = self._targets()
        for key in self.scrapings.keys() - wanted.keys():
            scraping, task = self.scrapings.pop(key)
            await _ended(task)
            scraping.end(time.time())
        for key in wanted.keys() & self.scrapings.keys():
            # The same target, of which something else may have been found that relabelling leaves out.
            self.scrapings[key][0].target = wanted[key]
        for key in wanted.keys() - self.scrapings.keys():
            scraping = Scraping(self.job, wanted[key], self._client, self._write, self._histogram)
            self.scrapings[key] = scraping, asyncio.ensure_future(scraping.run())

    def _targets(self) -> dict[Any, Target]:
        found: dict[Any, Target] = {}
        self.dropped = []
        for group in [group for groups in self._groups.values() for group in groups]:
            for labels in group.each():
                said = discovered_labels(self.job, labels)
                try:
                    target = target_of(self.job, said)
                except TargetError as error:
                    log.warning("not a target", job=self.job.job_name, address=labels, reason=str(error))
                    continue
                if target is None:
                    self.dropped.append(said)
                else:
                    found.setdefault(target.key, target)
        if self.job.target_limit and len(found) > self.job.target_limit:
            log.error("more targets than target_limit; none is scraped", job=self.job.job_name, targets=len(found))
            return {}
        return found

    async def close(self, ends: bool) -> None:
        """Stop; with `ends` the series are marked as ended."""
        for task in self._tasks:
            await _ended(task)
        for scraping, task in self.scrapings.values():
            await _ended(task)
            if ends:
                scraping.end(time.time())
        await self._client.aclose()


async def _ended(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


class Scraper:
    """Scrapes in a thread of its own. `write` takes a remote write request and may be called from that thread."""

    def __init__(self, write: Callable[[bytes], None], histogram: type[Any]) -> None:
        self._write, self._histogram = write, histogram
        self._jobs: dict[str, _Job] = {}
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="scraping", daemon=True)

    def start(self) -> None:
        """Begin, with nothing to scrape yet."""
        self._thread.start()

    def apply(self, jobs: list[ScrapeConfig], directory: Path) -> None:
        """Scrape these jobs from now on; what is the same goes on undisturbed. Raises `OSError` for TLS files."""
        asyncio.run_coroutine_threadsafe(self._apply(jobs, directory), self.loop).result()

    async def _apply(self, jobs: list[ScrapeConfig], directory: Path) -> None:
        wanted = {job.job_name: job for job in jobs}
        for name in list(self._jobs):
            if wanted.get(name) != self._jobs[name].job:
                await self._jobs.pop(name).close(ends=name not in wanted)
        for name, job in wanted.items():
            if name not in self._jobs:
                self._jobs[name] = _Job(job, directory, self._write, self._histogram)

    def close(self) -> None:
        """Stop. Series are not marked as ended: a restart goes on with them."""

        async def stop() -> None:
            for job in self._jobs.values():
                await job.close(ends=False)

        asyncio.run_coroutine_threadsafe(stop(), self.loop).result(timeout=10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=10)

    def targets(self, state: str = "any", pool: str = "") -> dict[str, Any]:
        """As the API's `/targets` tells it."""
        jobs = [job for name, job in sorted(self._jobs.items()) if not pool or name == pool]
        active = [_told(scraping) for job in jobs for scraping, _ in list(job.scrapings.values())]
        dropped = [
            {"discoveredLabels": dict(labels), "scrapePool": job.job.job_name}
            for job in jobs
            for labels in job.dropped[: job.job.keep_dropped_targets or _MOST_DROPPED_SHOWN]
        ]
        return {
            "activeTargets": active if state in ("any", "active") else [],
            "droppedTargets": dropped if state in ("any", "dropped") else [],
            "droppedTargetCounts": {job.job.job_name: len(job.dropped) for job in jobs},
        }

    def metadata(self, selector: Sequence[Matcher], metric: str = "", limit: int | None = None) -> list[dict[str, Any]]:
        """As the API's `/targets/metadata` tells it: what the targets whose labels fit say of their metrics.

        With a `metric` only of that one, whose name is then not repeated.
        """
        scrapings = [one for _, job in sorted(self._jobs.items()) for one, _ in list(job.scrapings.values())]
        found = (
            {"target": dict(sorted(one.target.labels.items())), **({} if metric else {"metric": name}),
             "type": said.type, "help": said.help, "unit": said.unit}
            for one in scrapings
            if all(matcher.matches(one.target.labels.get(matcher.label, "")) for matcher in selector)
            for name, said in sorted(one.described.items())
            if not metric or name == metric
        )  # fmt: skip
        return list(islice(found, limit))

    @property
    def pools(self) -> list[str]:
        """The names of the jobs."""
        return sorted(self._jobs)


def _told(scraping: Scraping) -> dict[str, Any]:
    from pilothouse.signals.timerange import to_rfc3339

    target, health = scraping.target, scraping.health
    return {
        "discoveredLabels": dict(sorted(target.discovered.items())),
        "labels": dict(sorted(target.labels.items())),
        "scrapePool": target.job,
        "scrapeUrl": target.url,
        "globalUrl": target.url,
        "lastError": health.error,
        "lastScrape": to_rfc3339(int(health.at * 1e9)) if health.at else "0001-01-01T00:00:00Z",
        "lastScrapeDuration": health.seconds,
        "health": health.state,
        "scrapeInterval": format_duration(target.interval),
        "scrapeTimeout": format_duration(target.timeout),
    }
