"""Quantiles: of samples, of classic buckets, of native histograms; and fractions below a value."""

from __future__ import annotations

import math

import numpy as np

from pilothouse.signals.metrics.promql.histogram import Bucket, Histogram
from pilothouse.signals.metrics.promql.matrix import Bools, Floats, Ints

_TOLERANCE = 1e-12


def sorted_quantiles(values: Floats, begins: Ints, owner: Ints, quantiles: Floats) -> Floats:
    """A quantile of each group of `values`, interpolated linearly; NaN counts as the smallest value.

    Group `g` begins at `begins[g]`; `owner` is each value's group.
    """
    order = np.lexsort((np.where(np.isnan(values), -np.inf, values), ~np.isnan(values), owner))
    ordered = values[order]
    counts = np.diff(np.append(begins, len(values)))
    with np.errstate(all="ignore"):
        clamped = np.clip(np.nan_to_num(quantiles, nan=0.0), 0, 1)
        rank = clamped * (counts - 1)
        below = np.maximum(np.floor(rank).astype(np.int64), 0)
        above = np.minimum(below + 1, counts - 1)
        weight = rank - np.floor(rank)
        result = ordered[begins + below] * (1 - weight) + ordered[begins + above] * weight
        result = np.where(quantiles < 0, -np.inf, np.where(quantiles > 1, np.inf, result))
    return np.where(np.isnan(quantiles), np.nan, result)


def column_quantiles(values: Floats, present: Bools, quantiles: Floats) -> Floats:
    """The same of each column of a matrix, among what is `present` in it; 0 where nothing is."""
    counts = np.asarray(present.sum(axis=0))
    # What is not there goes to the end, NaN to the front.
    cells = values if present.all() else np.where(present, values, np.inf)
    unknown = np.isnan(cells)
    nans = np.asarray(unknown.sum(axis=0))
    # Column by column in memory: to sort along rows of another order takes three times as long.
    ordered = np.sort(np.where(unknown, -np.inf, cells).T if nans.any() else cells.T, axis=1)
    columns = np.arange(values.shape[1])
    with np.errstate(all="ignore"):
        clamped = np.clip(np.nan_to_num(quantiles, nan=0.0), 0, 1)
        rank = clamped * np.maximum(counts - 1, 0)
        below = np.floor(rank).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(counts - 1, 0))
        low, high = (np.where(place < nans, np.nan, ordered[columns, place]) for place in (below, above))
        weight = rank - np.floor(rank)
        result = low * (1 - weight) + high * weight
        result = np.where(quantiles < 0, -np.inf, np.where(quantiles > 1, np.inf, result))
    return np.where(counts == 0, 0.0, np.where(np.isnan(quantiles), np.nan, result))


def bucket_quantiles(quantiles: Floats, uppers: Floats, counts: Floats) -> tuple[Floats, Bools]:
    """The quantile at each step of classic buckets, and where counts had to be made monotonic.

    `uppers` [buckets] ascend and are distinct, `counts` [buckets, steps] are cumulative.
    """
    steps = counts.shape[1]
    if uppers[-1] != math.inf:
        return _outside(quantiles, np.full(steps, np.nan)), np.zeros(steps, bool)
    fixed, forced = _monotonic(counts)
    if len(uppers) < 2:
        return _outside(quantiles, np.full(steps, np.nan)), np.zeros(steps, bool)
    total = fixed[-1]
    with np.errstate(all="ignore"):
        rank = quantiles * total
        # The first of all buckets but the last whose count reaches the rank; the last when none does.
        reached = fixed[:-1] >= rank[None, :]
        bucket = np.where(reached.any(axis=0), reached.argmax(axis=0), len(uppers) - 1)
        columns = np.arange(steps)
        start = np.where(bucket > 0, uppers[np.maximum(bucket - 1, 0)], 0.0)
        before = np.where(bucket > 0, fixed[np.maximum(bucket - 1, 0), columns], 0.0)
        inside = fixed[bucket, columns] - before
        result = start + (uppers[bucket] - start) * ((rank - before) / inside)
        result = np.where((bucket == 0) & (uppers[0] <= 0), uppers[0], result)
        result = np.where(bucket == len(uppers) - 1, uppers[-2], result)
        result = np.where((total == 0) | np.isnan(total), np.nan, result)
    regular = (quantiles >= 0) & (quantiles <= 1)
    return _outside(quantiles, result), forced & regular


def bucket_fractions(lower: Floats, upper: Floats, uppers: Floats, counts: Floats) -> Floats:
    """The fraction of observations between two values at each step; shapes as in `bucket_quantiles`."""
    steps = counts.shape[1]
    if uppers[-1] != math.inf:
        return np.full(steps, np.nan)
    total = counts[-1]
    with np.errstate(all="ignore"):
        ranks = [np.minimum(_rank(edge, uppers, counts), total) for edge in (lower, upper)]
        result = np.where(lower >= upper, 0.0, (ranks[1] - ranks[0]) / total)
        return np.where((total == 0) | np.isnan(lower) | np.isnan(upper), np.nan, result)


def _rank(edge: Floats, uppers: Floats, counts: Floats) -> Floats:
    """How many observations are at most `edge`, interpolated in its bucket."""
    columns = np.arange(len(edge))
    # Where all bounds are positive the first bucket begins at zero; one without a bound is taken as a whole.
    lowers = np.concatenate(([0.0 if uppers[0] > 0 else -np.inf], uppers[:-1]))
    bucket = np.minimum(np.searchsorted(uppers, edge, side="left"), len(uppers) - 1)
    before = np.where(bucket > 0, counts[np.maximum(bucket - 1, 0), columns], 0.0)
    width = uppers[bucket] - lowers[bucket]
    share = (edge - lowers[bucket]) / width
    share = np.where(edge == uppers[bucket], 1.0, share)
    share = np.where(np.isneginf(lowers[bucket]), 1.0, share)
    share = np.where((edge <= lowers[bucket]) | np.isneginf(edge), 0.0, share)
    return before + (counts[bucket, columns] - before) * share


def _outside(quantiles: Floats, values: Floats) -> Floats:
    result = np.where(quantiles < 0, -np.inf, np.where(quantiles > 1, np.inf, values))
    return np.where(np.isnan(quantiles), np.nan, result)


def _monotonic(counts: Floats) -> tuple[Floats, Bools]:
    """Cumulative counts that never fall; tiny differences are rounding and not reported."""
    fixed, forced = counts.copy(), np.zeros(counts.shape[1], bool)
    with np.errstate(all="ignore"):
        for place in range(1, len(fixed)):
            before, now = fixed[place - 1], fixed[place]
            close = (np.abs(now - before) / np.minimum(np.abs(now) + np.abs(before), 1.7e308) < _TOLERANCE) | (
                now == before
            )
            falls = ~close & (now < before)
            forced |= falls
            fixed[place] = np.where(close | falls, before, now)
    return fixed, forced


def histogram_quantile(quantile: float, histogram: Histogram) -> tuple[float, str]:
    """The quantile of a native histogram; with `result` or `skew` when NaN observations spoil it."""
    if quantile < 0:
        return -math.inf, ""
    if quantile > 1:
        return math.inf, ""
    if histogram.count == 0 or quantile != quantile:
        return math.nan, ""
    with_nan = histogram.sum != histogram.sum
    ascending = with_nan or quantile < 0.5
    rank = (quantile if ascending else 1 - quantile) * histogram.count
    buckets = histogram.buckets()
    ordered = buckets if ascending else buckets[::-1]
    count, found, place = 0.0, Bucket(0.0, 0.0, 0.0), -1
    for place, bucket in enumerate(ordered):  # noqa: B007 -- read after the loop
        found = bucket
        if not bucket.count:
            continue
        count += bucket.count
        if count >= rank:
            break
    lower, upper = found.lower, found.upper
    if not histogram.is_custom and lower < 0 < upper:
        if not histogram.negative and histogram.positive:
            lower = 0.0
        elif not histogram.positive and histogram.negative:
            upper = 0.0
    elif histogram.is_custom:
        if lower == -math.inf:
            if upper <= 0:
                return upper, ""
            lower = 0.0
        elif upper == math.inf:
            return lower, ""
    count = min(count, histogram.count)
    if count < rank:
        return (math.nan, "result") if with_nan else (upper, "")
    rank = rank - (count - found.count) if ascending else count - rank
    remark = ""
    if with_nan and count + sum(bucket.count for bucket in ordered[place + 1 :]) < histogram.count:
        remark = "skew"
    fraction = rank / found.count if found.count else math.nan
    return _inside(lower, upper, fraction, histogram.is_custom), remark


def _inside(lower: float, upper: float, fraction: float, linear: bool) -> float:
    if linear or lower <= 0 <= upper:
        return lower + (upper - lower) * fraction
    low, high = math.log2(abs(lower)), math.log2(abs(upper))
    if lower > 0:
        return float(2.0 ** (low + (high - low) * fraction))
    return float(-(2.0 ** (high + (low - high) * (1 - fraction))))


def histogram_fraction(lower: float, upper: float, histogram: Histogram) -> tuple[float, bool]:
    """The fraction of observations between two values, and whether NaN observations were left out."""
    if histogram.count == 0 or lower != lower or upper != upper:
        return math.nan, False
    if lower >= upper:
        return 0.0, False
    buckets = [_zero_trimmed(bucket, histogram) for bucket in histogram.buckets()]
    seen = sum(bucket.count for bucket in buckets)
    with_nan = histogram.sum != histogram.sum
    count = seen if with_nan else histogram.count
    ranks = [min(_native_rank(edge, buckets, histogram, count), count) for edge in (lower, upper)]
    return (ranks[1] - ranks[0]) / histogram.count, with_nan and count < histogram.count


def _zero_trimmed(bucket: Bucket, histogram: Histogram) -> Bucket:
    if bucket.lower <= 0 <= bucket.upper:
        if not histogram.negative and histogram.positive:
            return Bucket(0.0, bucket.upper, bucket.count)
        if not histogram.positive and histogram.negative:
            return Bucket(bucket.lower, 0.0, bucket.count)
    return bucket


def _native_rank(edge: float, buckets: list[Bucket], histogram: Histogram, total: float) -> float:
    rank = 0.0
    for bucket in buckets:
        if bucket.lower >= edge:
            return rank
        if bucket.lower < edge < bucket.upper:
            return rank + bucket.count * _share(edge, bucket.lower, bucket.upper, histogram.is_custom)
        rank += bucket.count
    return total


def _share(edge: float, lower: float, upper: float, linear: bool) -> float:
    # Nothing is known of where in an endless bucket its observations are.
    if lower == -math.inf or upper == math.inf:
        return 1.0 if lower == -math.inf else 0.0
    if linear or lower <= 0 <= upper:
        return (edge - lower) / (upper - lower)
    low, high, at = math.log2(abs(lower)), math.log2(abs(upper)), math.log2(abs(edge))
    return (at - low) / (high - low) if edge > 0 else 1 - (at - high) / (low - high)


def variance(histogram: Histogram) -> float:
    """The population variance, each bucket's observations taken to be at its middle."""
    if histogram.count == 0:
        return math.nan
    mean = histogram.sum / histogram.count
    total = 0.0
    for bucket in histogram.buckets():
        if not bucket.count:
            continue
        if histogram.is_custom:
            value = (bucket.upper + bucket.lower) / 2
        elif bucket.lower <= 0 <= bucket.upper:
            value = 0.0
        else:
            value = math.copysign(math.sqrt(bucket.upper * bucket.lower), bucket.upper)
        total += bucket.count * (value - mean) ** 2
    return total / histogram.count
