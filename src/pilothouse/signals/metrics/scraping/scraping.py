"""Scraping one target: ask, read, hand over, once every interval."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import structlog

from pilothouse.masking import masked
from pilothouse.signals.metrics.configuring import PROTOCOLS
from pilothouse.signals.metrics.scraping.exposition import Described, ExpositionError
from pilothouse.signals.metrics.scraping.requesting import extensions
from pilothouse.signals.metrics.scraping.samples import LimitError, Scraped, SeriesBook, request_of

if TYPE_CHECKING:
    from pilothouse.signals.metrics.configuring import ScrapeConfig
    from pilothouse.signals.metrics.scraping.target import Target

log = structlog.get_logger(__name__)

# A scrape that begins this little late counts as on time: even times are stored in next to nothing.
_TOLERANCE = 0.02
_REPORTED = (
    "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)  # fmt: skip


class ScrapeError(Exception):
    """A target did not answer as it should."""


@dataclass(slots=True)
class Health:
    """How the last scrape of a target went; `at` is Unix seconds, 0 before the first."""

    state: str = "unknown"
    error: str = ""
    at: float = 0.0
    seconds: float = 0.0


@dataclass
class Scraping:
    """One target under way. `write` takes a remote write request; `histogram` is its class of native histograms."""

    job: ScrapeConfig
    target: Target
    client: httpx.AsyncClient
    write: Callable[[bytes], None]
    histogram: type[Any]
    health: Health = field(default_factory=Health)

    def __post_init__(self) -> None:
        self._book = SeriesBook(self.job, self.target.labels)
        self._headers = {
            "Accept": accepted(self.job.protocols),
            "Accept-Encoding": "gzip" if self.job.enable_compression else "identity",
            "X-Prometheus-Scrape-Timeout-Seconds": f"{self.target.timeout / 1000:g}",
        }

    @property
    def described(self) -> dict[str, Described]:
        """What the target said of its metrics, by the name of their family. A copy."""
        return self._book.described

    async def run(self) -> None:
        """Scrape at each interval until cancelled."""
        interval = self.target.interval / 1000
        offset = self.target.offset() / 1000
        planned = math.floor((time.time() - offset) / interval + 1) * interval + offset
        while True:
            await asyncio.sleep(max(0.0, planned - time.time()))
            now = time.time()
            late = now - planned
            if late > interval:
                planned += math.floor(late / interval) * interval
            await self.once(planned if now - planned < _TOLERANCE else now)
            planned += interval

    async def once(self, at: float) -> None:
        """One scrape, whose samples are of the time `at`."""
        moment = round(at * 1000)
        begun = time.perf_counter()
        found, error = Scraped([]), ""
        try:
            async with asyncio.timeout(self.target.timeout / 1000):
                body, kind = await self._asked()
            found = self._read(body, kind, moment)
        except TimeoutError:
            error = "context deadline exceeded"
        except (ScrapeError, ExpositionError, LimitError) as fault:
            error = str(fault)
        except (httpx.HTTPError, OSError) as fault:
            error = str(fault) or type(fault).__name__
        seconds = time.perf_counter() - begun
        parts = self._book.gone(moment) if error else found.parts
        values = (0.0 if error else 1.0, seconds, float(found.samples), float(found.kept), float(found.added))
        parts = [*parts, *self._book.reported(dict(zip(_REPORTED, values, strict=True)), moment)]
        self.health = Health("down" if error else "up", masked(error), at, seconds)
        self._hand_over(parts)

    def end(self, at: float) -> None:
        """The target is none any more: all its series end."""
        moment = round(at * 1000)
        if self.health.at:
            ended = self._book.reported(dict.fromkeys(_REPORTED, math.nan), moment)
            self._hand_over([*self._book.gone(moment), *ended])

    def _hand_over(self, parts: list[bytes]) -> None:
        try:
            self.write(request_of(parts))
        except Exception as fault:
            log.warning("a scrape could not be kept", target=self.target.url, reason=str(fault))

    async def _asked(self) -> tuple[bytes, str]:
        """The body, and its media type."""
        parts, size, limit = [], 0, self.job.body_size_limit
        async with self.client.stream(
            "GET", self.target.url, headers=self._headers, extensions=extensions(self.job)
        ) as response:
            if response.status_code != 200:
                raise ScrapeError(f"server returned HTTP status {response.status_code} {response.reason_phrase}")
            async for part in response.aiter_bytes():
                size += len(part)
                if limit and size > limit:
                    raise ScrapeError("body size limit exceeded")
                parts.append(part)
            return b"".join(parts), response.headers.get("content-type", "")

    def _read(self, body: bytes, kind: str, moment: int) -> Scraped:
        match format_of(kind, self.job.fallback_scrape_protocol):
            case "protobuf":
                return self._book.read_protobuf(body, moment, self.histogram)
            case "openmetrics":
                return self._book.read_text(body, moment, True)
            case _:
                return self._book.read_text(body, moment, False)


def accepted(protocols: tuple[str, ...]) -> str:
    """The `Accept` header for these formats, best first."""
    count = len(protocols)
    said = [f"{PROTOCOLS[name]};q=0.{count + 1 - place}" for place, name in enumerate(protocols)]
    return ",".join([*said, "*/*;q=0.1"])


def format_of(kind: str, fallback: str) -> str:
    """`text`, `openmetrics` or `protobuf` of a content type. Raises `ScrapeError`."""
    media = kind.partition(";")[0].strip().lower()
    known = {
        "text/plain": "text",
        "application/openmetrics-text": "openmetrics",
        "application/vnd.google.protobuf": "protobuf",
    }
    if media in known:
        return known[media]
    if fallback:
        return known[PROTOCOLS[fallback].partition(";")[0]]
    if not media:
        raise ScrapeError("non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol "
                          "specified for target")  # fmt: skip
    raise ScrapeError(
        f'received unsupported Content-Type "{kind}" and no fallback_scrape_protocol specified for target'
    )
