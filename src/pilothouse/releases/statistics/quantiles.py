"""Quantiles of latency from histograms per window, compared by a bootstrap over blocks of windows.

Requests within a window cluster (a burst, a garbage collection, a noisy neighbour), so that windows and not requests
are drawn. Blocks of neighbouring windows keep what lasts longer than one (Künsch 1989).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from pilothouse.releases.statistics.estimate import Estimate, Floats

DRAWS = 400
_SEED = 20261123


def quantile_contrasts(
    baseline: Floats, candidate: Floats, edges: Floats, quantiles: Floats, paired: bool
) -> list[Estimate]:
    """Candidate minus baseline of each quantile, on the scale of `edges`.

    `baseline` and `candidate` are counts [windows, buckets]; `edges` [buckets + 1]. `paired` draws the same windows
    of both sides.
    """
    used = (baseline.sum(0) + candidate.sum(0)) > 0
    bounds = np.stack([edges[:-1][used], edges[1:][used]])
    baseline, candidate = baseline[:, used], candidate[:, used]
    weights, others = _draws(len(baseline), None if paired else len(candidate))
    observed = _quantiles(candidate.sum(0)[None], bounds, quantiles)
    observed -= _quantiles(baseline.sum(0)[None], bounds, quantiles)
    drawn = _quantiles(others @ candidate, bounds, quantiles) - _quantiles(weights @ baseline, bounds, quantiles)
    freedom = _freedom(len(baseline)) + (0 if paired else _freedom(len(candidate)))
    return [Estimate(float(observed[0, place]), _error(drawn[:, place]), freedom) for place in range(len(quantiles))]


def window_quantiles(counts: Floats, edges: Floats, quantile: float, least: int) -> Floats:
    """The quantile in each window [windows]; NaN where a window has fewer than `least` values."""
    found = _quantiles(counts, np.stack([edges[:-1], edges[1:]]), np.array([quantile]))[:, 0]
    found[counts.sum(1) < least] = np.nan
    return found


def block_length(windows: int) -> int:
    """Windows in a block: the cube root of their number."""
    return max(1, round(float(windows ** (1 / 3))))


def _freedom(windows: int) -> float:
    return max(windows / math.sqrt(block_length(windows)) - 1, 1.0)


def _error(drawn: Floats) -> float:
    # A draw without any value has no quantile; the spread of the middle stands against single wild draws.
    finite = drawn[np.isfinite(drawn)]
    if len(finite) < DRAWS // 2:
        return float("inf")
    low, high = np.quantile(finite, [0.1587, 0.8413])
    return float(max(np.std(finite), (high - low) / 2))


@lru_cache(maxsize=16)
def _draws(windows: int, others: int | None) -> tuple[Floats, Floats]:
    """The weights of both sides' windows, always the same ones; `others` is None for the same windows of both."""
    random = np.random.default_rng(_SEED)
    weights = _block_weights(random, windows)
    return weights, weights if others is None else _block_weights(random, others)


def _block_weights(random: np.random.Generator, windows: int) -> Floats:
    """How often each window is drawn, [draws, windows]; blocks wrap around."""
    length = block_length(windows)
    starts = random.integers(0, windows, (DRAWS, -(-windows // length)))
    places = ((starts[:, :, None] + np.arange(length)) % windows).reshape(DRAWS, -1)[:, :windows]
    flat = places + windows * np.arange(DRAWS)[:, None]
    return np.bincount(flat.ravel(), minlength=DRAWS * windows).reshape(DRAWS, windows).astype(float)


def _quantiles(counts: Floats, bounds: Floats, quantiles: Floats) -> Floats:
    """Quantiles [rows, quantiles] of histograms [rows, buckets], linear within a bucket; NaN for an empty row.

    `bounds` [2, buckets] are the buckets' lower and upper ends.
    """
    reached = np.cumsum(counts, axis=1)
    total = reached[:, -1]
    found = np.full((len(counts), len(quantiles)), np.nan)
    rows = np.arange(len(counts))
    for place, quantile in enumerate(quantiles):
        wanted = quantile * total
        bucket = np.minimum((reached < wanted[:, None]).sum(1), counts.shape[1] - 1)
        inside = counts[rows, bucket]
        before = reached[rows, bucket] - inside
        share = np.divide(wanted - before, inside, out=np.zeros_like(wanted), where=inside > 0)
        low, high = bounds[:, bucket]
        value = low + np.clip(share, 0, 1) * (high - low)
        found[:, place] = np.where(total > 0, value, np.nan)
    return found
