"""Several selections as one, in which each label set is one series.

Two resources that differ only in what PromQL does not see of them (`service.version`) are one series there, as in
Prometheus: a StatefulSet's pod keeps its `service.instance.id` over an upgrade, and the old one's last sample still
counts for five minutes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilothouse.signals.metrics.promql.labels import is_repeated
from pilothouse.signals.metrics.promql.selection import Selection, nothing


def joined(parts: Sequence[Selection]) -> Selection:
    """Several selections as one."""
    parts = [part for part in parts if part.labels]
    if not parts:
        return nothing()
    whole = parts[0] if len(parts) == 1 else _under_each_other(parts)
    return _interleaved(whole) if is_repeated(whole.labels) else whole


def _under_each_other(parts: Sequence[Selection]) -> Selection:
    shifts = np.cumsum([0, *(part.size for part in parts)])
    offsets = [part.offsets[:-1] + shift for part, shift in zip(parts, shifts[:-1], strict=True)]
    histograms = None
    if any(part.histograms is not None for part in parts):
        histograms = np.concatenate(
            [np.full(part.size, None, object) if part.histograms is None else part.histograms for part in parts]
        )
    starts = None
    if any(part.starts is not None for part in parts):
        starts = np.concatenate(
            [np.zeros(part.size, np.int64) if part.starts is None else part.starts for part in parts]
        )
    return Selection(
        [labels for part in parts for labels in part.labels],
        np.append(np.concatenate(offsets), shifts[-1]).astype(np.int64),
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.values for part in parts]),
        histograms,
        starts,
    )


def _interleaved(whole: Selection) -> Selection:
    """Series with the same labels, such as numbers and histograms under one name, become one, by time.

    Of two samples of one time the later series' stays.
    """
    numbers: dict[object, int] = {}
    rows = np.array([numbers.setdefault(labels, len(numbers)) for labels in whole.labels], dtype=np.int64)
    owners = rows[whole.owners]
    order = np.lexsort((whole.times, owners))
    times, sorted_owners = whole.times[order], owners[order]
    order = order[np.append((times[1:] != times[:-1]) | (sorted_owners[1:] != sorted_owners[:-1]), True)]
    offsets = np.searchsorted(owners[order], np.arange(len(numbers) + 1))
    first = {row: place for place, row in reversed(list(enumerate(rows.tolist())))}
    return Selection(
        [whole.labels[first[row]] for row in range(len(numbers))],
        offsets.astype(np.int64),
        whole.times[order],
        whole.values[order],
        None if whole.histograms is None else whole.histograms[order],
        None if whole.starts is None else whole.starts[order],
    )
