"""What is known of counter resets where only the counts of native histograms are asked for.

Prometheus then reads without the buckets and finds out at once, sample by sample, whether a counter was reset; an
aggregation over some that were and some that were not is remarked on.
"""

from __future__ import annotations

from dataclasses import replace

from pilothouse.signals.metrics.promql.histogram import Histogram
from pilothouse.signals.metrics.promql.selection import Selection

# Functions that need no buckets of what they are given, and those that do.
COUNTS_ONLY = {
    **dict.fromkeys(("histogram_count", "histogram_sum", "histogram_avg"), True),
    **dict.fromkeys(
        ("histogram_stddev", "histogram_stdvar", "histogram_quantile", "histogram_quantiles", "histogram_fraction"),
        False,
    ),
}


def with_resets(selection: Selection) -> Selection:
    """With a hint on each histogram that another one comes before."""
    if selection.histograms is None:
        return selection
    hinted = selection.histograms.copy()
    for row in range(len(selection.labels)):
        before: Histogram | None = None
        for place in range(selection.offsets[row], selection.offsets[row + 1]):
            histogram = hinted[place]
            if histogram is None or histogram.stale:
                continue
            if histogram.hint == "unknown" and before is not None:
                hinted[place] = replace(histogram, hint="reset" if histogram.resets(before) else "not_reset")
            before = histogram
    return replace(selection, histograms=hinted)
