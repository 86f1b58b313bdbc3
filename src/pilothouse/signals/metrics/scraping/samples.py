"""From what a target said to a remote write request: labels settled once a series, stale markers for what is gone."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pilothouse.signals.metrics.decimals import STALE_BITS
from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.promql.numbers import format_open_metrics
from pilothouse.signals.metrics.protobuf import field as encoded
from pilothouse.signals.metrics.protobuf import varint
from pilothouse.signals.metrics.scraping.exposition import (
    Described,
    Exemplar,
    ExpositionError,
    Lines,
    family_of,
    labels_of_head,
)
from pilothouse.signals.metrics.scraping.relabelling import relabelled

if TYPE_CHECKING:
    from pilothouse.signals.metrics.configuring import ScrapeConfig

_KINDS = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")
STALE = struct.pack("<Q", STALE_BITS)
_double = struct.Struct("<d").pack


class LimitError(Exception):
    """A target says more than it may."""


@dataclass(slots=True)
class Scraped:
    """What one scrape gave: encoded series, how many samples there were before and after relabelling, new series."""

    parts: list[bytes]
    samples: int = 0
    kept: int = 0
    added: int = 0


@dataclass(slots=True)
class SeriesBook:
    """The series of one target: what their heads mean, and which were there at the last scrape."""

    job: ScrapeConfig
    target: Mapping[str, str]
    _heads: dict[bytes, bytes | None] = field(default_factory=dict)
    _before: dict[bytes, None] = field(default_factory=dict)
    _told: dict[str, Described] = field(default_factory=dict)

    @property
    def described(self) -> dict[str, Described]:
        """What the target ever said of its metrics. A copy: scraping goes on in another thread."""
        return dict(self._told)

    def read_text(self, body: bytes, at: int, open_metrics: bool) -> Scraped:
        """The samples of a text at `at` milliseconds. On `ExpositionError` and `LimitError` nothing of it counts."""
        lines = Lines(body, open_metrics)
        found, now = Scraped([]), dict[bytes, None]()
        tail = b"\x10" + varint(at)
        heads, parts, honoured = self._heads, found.parts, self.job.honor_timestamps
        for head, value, stamp, exemplar in lines:
            found.samples += 1
            labels = heads.get(head, b"")
            if labels == b"":
                labels = heads[head] = self._settled(labels_of_head(head), lines.described)
            if labels is None:
                continue
            try:
                number = float(value)
                moment = at if not stamp or not honoured else _moment(stamp, open_metrics)
            except (ValueError, OverflowError):
                raise ExpositionError(f"not a number: {value[:40]!r} {stamp[:40]!r}") from None
            found.kept += 1
            sample = b"\x09" + _double(number) + (tail if moment == at else b"\x10" + varint(moment))
            content = labels + encoded(0x12, sample)
            if exemplar is not None:
                content += encoded(0x1A, _exemplar(exemplar, moment))
            parts.append(encoded(0x0A, content))
            if moment == at or self.job.track_timestamps_staleness:
                now[labels] = None
        self._end(found, now, lines.described, at)
        return found

    def read_protobuf(self, body: bytes, at: int, histogram: type[Any]) -> Scraped:
        """The same of protobuf; `histogram` is the class of native histograms in remote write."""
        from pilothouse.signals.metrics.scraping.protobuf_exposition import points

        found, now, described = Scraped([]), dict[bytes, None](), dict[str, Described]()
        for point in points(body, described, histogram, self.job.always_scrape_classic_histograms):
            found.samples += 1
            head = repr(point.labels).encode()
            labels = self._heads.get(head, b"")
            if labels == b"":
                labels = self._heads[head] = self._settled(point.labels, described)
            if labels is None:
                continue
            found.kept += 1
            moment = at if point.time is None or not self.job.honor_timestamps else point.time
            if point.histogram is None:
                content = labels + encoded(0x12, b"\x09" + _double(point.value) + b"\x10" + varint(moment))
            else:
                point.histogram.timestamp = moment
                content = labels + encoded(0x22, point.histogram.SerializeToString())
            for exemplar in (*point.exemplars, *filter(None, [point.exemplar])):
                content += encoded(0x1A, _exemplar(exemplar, moment))
            found.parts.append(encoded(0x0A, content))
            if moment == at:
                # A native histogram becomes stale as a histogram.
                now[labels if point.histogram is None else b"h" + labels] = None
        self._end(found, now, described, at)
        return found

    def gone(self, at: int) -> list[bytes]:
        """Stale markers for all that was there: the target cannot be reached, or is none any more."""
        parts = [_stale(labels, at) for labels in self._before]
        self._before = {}
        return parts

    def reported(self, values: Mapping[str, float], at: int) -> list[bytes]:
        """The series about the scrape itself, `up` and its like."""
        made = []
        for name, value in values.items():
            labels = encoded_labels({NAME: name, **self.target})
            sample = b"\x09" + (STALE if value != value else _double(value)) + b"\x10" + varint(at)
            made.append(encoded(0x0A, labels + encoded(0x12, sample)))
        return made

    def _end(self, found: Scraped, now: dict[bytes, None], described: dict[str, Described], at: int) -> None:
        if self.job.sample_limit and found.kept > self.job.sample_limit:
            raise LimitError("sample limit exceeded")
        found.added = len(now.keys() - self._before.keys())
        found.parts += [_stale(labels, at) for labels in self._before.keys() - now.keys()]
        self._before = now
        if len(self._heads) > 2 * found.samples + 1000:
            # Heads that come and go (labels with times or ids in them) must not pile up.
            self._heads = {}
        for name, one in described.items():
            if self._told.get(name) != one:
                self._told[name] = one
                found.parts.append(_metadata(name, one))

    def _settled(self, said: dict[str, str], described: dict[str, Described]) -> bytes | None:
        """The labels of a series, encoded: with the target's, relabelled, within limits; None when dropped."""
        if NAME not in said:
            raise ExpositionError("a series without a name")
        _normalise(said, described)
        labels = relabelled(self._joined(said), self.job.metric_relabel_configs)
        if labels is None:
            return None
        if NAME not in labels:
            raise ExpositionError("metric_relabel_configs left a series without a name")
        self._check(labels)
        return encoded_labels(labels)

    def _joined(self, said: dict[str, str]) -> dict[str, str]:
        """The scraped labels beside the target's: which win is `honor_labels`."""
        if self.job.honor_labels:
            return {**self.target, **said}
        labels = {name: value for name, value in said.items() if name not in self.target}
        for name in said.keys() & self.target.keys():
            renamed = f"exported_{name}"
            while renamed in said or renamed in self.target:
                renamed = f"exported_{renamed}"
            labels[renamed] = said[name]
        return {**labels, **self.target}

    def _check(self, labels: dict[str, str]) -> None:
        job = self.job
        if job.label_limit and len(labels) > job.label_limit:
            raise LimitError(f"label_limit exceeded (metric: {labels[NAME]}, number of labels: {len(labels)})")
        for name, value in labels.items():
            if job.label_name_length_limit and len(name) > job.label_name_length_limit:
                raise LimitError(f"label_name_length_limit exceeded (metric: {labels[NAME]}, label name: {name})")
            if job.label_value_length_limit and len(value) > job.label_value_length_limit:
                raise LimitError(f"label_value_length_limit exceeded (metric: {labels[NAME]}, label name: {name})")


def request_of(parts: Iterable[bytes]) -> bytes:
    """A remote write request."""
    return b"".join(parts)


def _normalise(said: dict[str, str], described: dict[str, Described]) -> None:
    """Bounds and quantiles as Prometheus 3 writes them: `1` becomes `1.0`."""
    name = said[NAME]
    for label, kinds in (("le", ("histogram", "gaugehistogram")), ("quantile", ("summary",))):
        if label in said:
            family = described.get(family_of(name, described))
            if family is not None and family.type in kinds:
                try:
                    value = float(said[label])
                except ValueError:
                    continue
                said[label] = "+Inf" if value == math.inf else format_open_metrics(value)


def _moment(stamp: bytes, open_metrics: bool) -> int:
    return round(float(stamp) * 1000) if open_metrics else int(stamp)


def encoded_labels(labels: Mapping[str, str]) -> bytes:
    """Labels as fields of a series in a remote write request."""
    return b"".join(
        encoded(0x0A, encoded(0x0A, name.encode()) + encoded(0x12, labels[name].encode()))
        for name in sorted(labels)
        if labels[name]
    )


def _stale(labels: bytes, at: int) -> bytes:
    if labels.startswith(b"h"):
        # sum = 3 holds the marker, timestamp = 15 the time.
        return encoded(0x0A, labels[1:] + encoded(0x22, b"\x19" + STALE + b"\x78" + varint(at)))
    return encoded(0x0A, labels + encoded(0x12, b"\x09" + STALE + b"\x10" + varint(at)))


def _exemplar(one: Exemplar, moment: int) -> bytes:
    time = moment if one.time is None else one.time
    return encoded_labels(one.labels) + b"\x11" + _double(one.value) + b"\x18" + varint(time)


def _metadata(name: str, one: Described) -> bytes:
    content = b"\x08" + varint(_KINDS.index(one.type)) + encoded(0x12, name.encode())
    return encoded(0x1A, content + encoded(0x22, one.help.encode()) + encoded(0x2A, one.unit.encode()))
