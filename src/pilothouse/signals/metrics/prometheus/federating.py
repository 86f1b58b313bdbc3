"""Federation: the newest sample of each series as text, for another Prometheus to scrape.

https://prometheus.io/docs/prometheus/latest/federation/; the formats are those of `scraping.exposition`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.signals.metrics.prometheus.answering import time
from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher
from pilothouse.signals.metrics.promql.numbers import format_g
from pilothouse.signals.metrics.promql.windows import stale_mask

if TYPE_CHECKING:
    from pilothouse.signals.metrics.promql.selection import Storage

_PLAIN_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_PLAIN_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_NOT_OF_A_NAME = re.compile(r"[^a-zA-Z0-9_:]")
_OPEN_METRICS = "application/openmetrics-text"
_VERSIONS = {_OPEN_METRICS: ("1.0.0", "0.0.1"), "text/plain": ("0.0.4", "1.0.0")}

Newest = dict[Labels, tuple[int, float]]
"""Of each series the time in milliseconds and the value of its newest sample."""


@dataclass(frozen=True, slots=True)
class Format:
    """How samples are written: `media` is the content type without its parameters."""

    media: str = "text/plain"
    version: str = "0.0.4"
    any_names: bool = False

    @property
    def content_type(self) -> str:
        escaping = "allow-utf-8" if self.any_names else "underscores"
        return f"{self.media}; version={self.version}; charset=utf-8; escaping={escaping}"

    @property
    def is_open_metrics(self) -> bool:
        return self.media == _OPEN_METRICS


def format_for(accept: str) -> Format:
    """The format that an `Accept` header likes best; Prometheus' plain text where it names none of ours."""
    best, weight = Format(), 0.0
    for said in accept.split(","):
        media, *parameters = (part.strip() for part in said.split(";"))
        values = dict(part.split("=", 1) for part in parameters if "=" in part)
        versions = _VERSIONS.get(media.lower(), ())
        try:
            wanted = float(values.get("q", "1"))
        except ValueError:
            continue
        if versions and values.get("version", versions[0]) in versions and wanted > weight:
            any_names = values.get("escaping") == "allow-utf-8"
            best, weight = Format(media.lower(), values.get("version", versions[0]), any_names), wanted
    return best


def newest(storage: Storage, selectors: Sequence[Sequence[Matcher]], start: int, end: int) -> Newest:
    """The newest samples between two times (milliseconds); not of series that have ended, nor of native histograms.

    Neither text format can say those.
    """
    found: Newest = {}
    for selector in selectors:
        selection = storage.select(selector, start, end)
        stale = stale_mask(selection.values)
        for row, labels in enumerate(selection.labels):
            place = int(selection.offsets[row + 1]) - 1
            if place < selection.offsets[row] or stale[place]:
                continue
            if selection.histograms is None or selection.histograms[place] is None:
                found[labels] = int(selection.times[place]), float(selection.values[place])
    return found


def federated(samples: Newest, external_labels: Mapping[str, str], format: Format) -> bytes:
    """The text. `external_labels` are added where a series has none of that name, and an empty `instance`.

    With the empty one a scrape with `honor_labels` keeps series without an instance as they are.
    """
    added = sorted({"instance": "", **external_labels}.items())
    lines, before = [], ""
    for labels, (moment, value) in sorted(samples.items(), key=lambda one: (one[0].name, one[0].pairs)):
        name = labels.name
        if not name:
            continue
        if name != before:
            kind = "unknown" if format.is_open_metrics else "untyped"
            lines.append(f"# TYPE {_said_name(name, format)} {kind}")
            before = name
        own = labels.map
        pairs = [pair for pair in labels.pairs if pair[0] != NAME] + [pair for pair in added if pair[0] not in own]
        told = ",".join(f'{_label(label, format)}="{_escaped(text)}"' for label, text in pairs)
        stamp = time(moment) if format.is_open_metrics else str(moment)
        head = f"{_said_name(name, format)}{{{told}}}"
        if format.any_names and not _PLAIN_NAME.fullmatch(name):
            head = f"{{{_said_name(name, format)},{told}}}"
        lines.append(f"{head} {format_g(value)} {stamp}")
    if format.is_open_metrics:
        lines.append("# EOF")
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _said_name(name: str, format: Format) -> str:
    if _PLAIN_NAME.fullmatch(name):
        return name
    return f'"{_escaped(name)}"' if format.any_names else _underscored(name)


def _label(name: str, format: Format) -> str:
    if _PLAIN_LABEL.fullmatch(name):
        return name
    return f'"{_escaped(name)}"' if format.any_names else _underscored(name).replace(":", "_")


def _underscored(name: str) -> str:
    plain = _NOT_OF_A_NAME.sub("_", name)
    return f"_{plain}" if plain[0].isdigit() else plain


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
