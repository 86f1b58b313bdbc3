"""Several selections as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilothouse.signals.metrics.promql.selection import Selection, nothing


def joined(parts: Sequence[Selection]) -> Selection:
    """Several selections as one."""
    parts = [part for part in parts if part.labels]
    if len(parts) < 2:
        return parts[0] if parts else nothing()
    shifts = np.cumsum([0, *(part.size for part in parts)])
    offsets = [part.offsets[:-1] + shift for part, shift in zip(parts, shifts[:-1], strict=True)]
    histograms = None
    if any(part.histograms is not None for part in parts):
        histograms = np.concatenate(
            [np.full(part.size, None, object) if part.histograms is None else part.histograms for part in parts]
        )
    whole = Selection(
        [labels for part in parts for labels in part.labels],
        np.append(np.concatenate(offsets), shifts[-1]).astype(np.int64),
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.values for part in parts]),
        histograms,
    )
    return whole if len(set(whole.labels)) == len(whole.labels) else _interleaved(whole)


def _interleaved(whole: Selection) -> Selection:
    """Series with the same labels, such as numbers and histograms under one name, become one, by time."""
    numbers: dict[object, int] = {}
    rows = np.array([numbers.setdefault(labels, len(numbers)) for labels in whole.labels], dtype=np.int64)
    owners = rows[whole.owners]
    order = np.lexsort((whole.times, owners))
    offsets = np.searchsorted(owners[order], np.arange(len(numbers) + 1))
    first = {row: place for place, row in reversed(list(enumerate(rows.tolist())))}
    return Selection(
        [whole.labels[first[row]] for row in range(len(numbers))],
        offsets.astype(np.int64),
        whole.times[order],
        whole.values[order],
        None if whole.histograms is None else whole.histograms[order],
    )
