"""Native histograms: exponential and custom buckets, and the arithmetic that PromQL does with them.

Buckets are kept as index -> count, empty ones left out where that makes no difference: two histograms whose spans
differ only by empty buckets are the same here. Schemas, bounds and rules are those of the native histograms
specification (prometheus.io/docs/specs/native_histograms).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from pilothouse.signals.metrics.promql.numbers import format_g, is_stale

CUSTOM = -53
Hint = Literal["unknown", "reset", "not_reset", "gauge"]
Buckets = dict[int, float]


class IncompatibleError(Exception):
    """One histogram has exponential buckets and the other custom ones."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket: observations above `lower` and up to `upper`."""

    lower: float
    upper: float
    count: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram sample. `custom` holds the upper bounds of custom buckets (schema -53), +Inf left out."""

    schema: int = 0
    count: float = 0.0
    sum: float = 0.0
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    positive: Buckets = field(default_factory=dict)
    negative: Buckets = field(default_factory=dict)
    custom: tuple[float, ...] = ()
    hint: Hint = "unknown"

    @property
    def is_custom(self) -> bool:
        return self.schema == CUSTOM

    @property
    def stale(self) -> bool:
        """Whether this marks the end of a series."""
        return is_stale(self.sum)

    # Buckets.

    def upper(self, index: int) -> float:
        """The upper bound of a positive bucket."""
        return bound(self.schema, index, self.custom)

    def positives(self) -> Iterator[Bucket]:
        """Positive buckets, ascending."""
        for index in sorted(self.positive):
            yield Bucket(self.lower(index), self.upper(index), self.positive[index])

    def negatives(self) -> Iterator[Bucket]:
        """Negative buckets, from zero down."""
        for index in sorted(self.negative):
            yield Bucket(-self.upper(index), -self.lower(index), self.negative[index])

    def buckets(self) -> list[Bucket]:
        """All buckets ascending; those next to the zero bucket do not reach into it."""
        width = self.zero_threshold
        below = [replace(bucket, upper=-width) if -width < bucket.upper < 0 else bucket for bucket in self.negatives()]
        above = [replace(bucket, lower=width) if 0 < bucket.lower < width else bucket for bucket in self.positives()]
        zero = [Bucket(-width, width, self.zero_count)] if self.zero_count > 0 else []
        return [*reversed(below), *zero, *above]

    def lower(self, index: int) -> float:
        """The lower bound of a positive bucket."""
        return bound(self.schema, index - 1, self.custom)

    # Arithmetic.

    def scaled(self, factor: float) -> Histogram:
        """Each number multiplied; by a negative factor it becomes a gauge."""
        return replace(
            self,
            count=self.count * factor,
            sum=self.sum * factor,
            zero_count=self.zero_count * factor,
            positive={index: count * factor for index, count in self.positive.items()},
            negative={index: count * factor for index, count in self.negative.items()},
            hint="gauge" if factor < 0 else self.hint,
        )

    def divided(self, divisor: float) -> Histogram:
        """Each number divided; by zero no bucket is left."""
        if divisor != 0:
            return replace(
                self,
                count=self.count / divisor,
                sum=self.sum / divisor,
                zero_count=self.zero_count / divisor,
                positive={index: count / divisor for index, count in self.positive.items()},
                negative={index: count / divisor for index, count in self.negative.items()},
                hint="gauge" if divisor < 0 else self.hint,
            )
        return replace(
            self,
            count=_by_zero(self.count, divisor),
            sum=_by_zero(self.sum, divisor),
            zero_count=_by_zero(self.zero_count, divisor),
            positive={},
            negative={},
        )

    def plus(self, other: Histogram, sign: float = 1.0) -> tuple[Histogram, bool]:
        """The sum (or difference), and whether custom bounds had to be reconciled; raises `IncompatibleError`."""
        if self.is_custom != other.is_custom:
            raise IncompatibleError
        hint = _joined(self.hint, other.hint)
        if self.is_custom:
            return self._plus_custom(other, sign, hint)
        left, right = _same_zero(self, other)
        schema = min(left.schema, right.schema)
        left, right = left.reduced(schema), right.reduced(schema)
        return replace(
            left,
            count=left.count + sign * right.count,
            sum=left.sum + sign * right.sum,
            zero_count=left.zero_count + sign * right.zero_count,
            positive=_merged(left.positive, right.positive, sign),
            negative=_merged(left.negative, right.negative, sign),
            hint=hint,
        ), False

    def hint_with(self, other: Histogram) -> Hint:
        """The hint of what both are together."""
        return _joined(self.hint, other.hint)

    def minus(self, other: Histogram) -> tuple[Histogram, bool]:
        """The difference, which is a gauge."""
        result, mismatched = self.plus(other, -1.0)
        return replace(result, hint="gauge"), mismatched

    def _plus_custom(self, other: Histogram, sign: float, hint: Hint) -> tuple[Histogram, bool]:
        bounds, left, right = self.custom, self.positive, other.positive
        mismatched = bounds != other.custom
        if mismatched:
            common = set(bounds) & set(other.custom)
            bounds = tuple(sorted(common))
            left, right = _remapped(left, self.custom, bounds), _remapped(right, other.custom, bounds)
        return replace(
            self,
            count=self.count + sign * other.count,
            sum=self.sum + sign * other.sum,
            positive=_merged(left, right, sign),
            custom=bounds,
            hint=hint,
        ), mismatched

    def reduced(self, schema: int) -> Histogram:
        """The same with the coarser buckets of a lower schema."""
        if schema == self.schema:
            return self
        return replace(
            self,
            schema=schema,
            positive=_coarser(self.positive, self.schema - schema),
            negative=_coarser(self.negative, self.schema - schema),
        )

    def compacted(self) -> Histogram:
        """Without empty buckets."""
        if all(self.positive.values()) and all(self.negative.values()):
            return self
        return replace(
            self,
            positive={index: count for index, count in self.positive.items() if count},
            negative={index: count for index, count in self.negative.items() if count},
        )

    def same_layout(self, other: Histogram) -> bool:
        """Whether the buckets of both mean the same, so that numbers can be added one by one."""
        return (self.schema, self.custom, self.zero_threshold) == (other.schema, other.custom, other.zero_threshold)

    def has_overflow(self) -> bool:
        """Whether a number has become infinite."""
        numbers = (self.count, self.sum, self.zero_count, *self.positive.values(), *self.negative.values())
        return any(math.isinf(number) for number in numbers)

    # Comparison.

    def same(self, other: Histogram) -> bool:
        """Equal in all but the hint, NaN being equal to NaN."""
        left, right = self.compacted(), other.compacted()
        return (
            left.schema == right.schema
            and left.custom == right.custom
            and left.zero_threshold == right.zero_threshold
            and _bits(left.count, left.sum, left.zero_count) == _bits(right.count, right.sum, right.zero_count)
            and _bit_items(left.positive) == _bit_items(right.positive)
            and _bit_items(left.negative) == _bit_items(right.negative)
        )

    def resets(self, previous: Histogram) -> bool:
        """Whether the counter was reset between `previous` and this."""
        if self.hint in ("reset", "not_reset"):
            return self.hint == "reset"
        if self.count < previous.count:
            return True
        if self.is_custom != previous.is_custom:
            return True
        if self.is_custom:
            return self._custom_resets(previous)
        if self.schema > previous.schema or self.zero_threshold < previous.zero_threshold:
            return True
        widened = widen_zero(previous, self.zero_threshold)
        if widened.zero_threshold != self.zero_threshold or self.zero_count < widened.zero_count:
            return True
        before = widened.reduced(self.schema)
        return _fell(before.positive, self.positive) or _fell(before.negative, self.negative)

    def _custom_resets(self, previous: Histogram) -> bool:
        now, before = self.positive, previous.positive
        if self.custom != previous.custom:
            bounds = tuple(sorted(set(self.custom) & set(previous.custom)))
            now, before = _remapped(now, self.custom, bounds), _remapped(before, previous.custom, bounds)
        return _fell(before, now)

    def __str__(self) -> str:
        parts = [f"count:{format_g(self.count)}", f"sum:{format_g(self.sum)}"]
        parts += [_said(bucket, "[", ")") for bucket in reversed(list(self.negatives())) if bucket.count]
        if self.zero_count:
            parts.append(_said(Bucket(-self.zero_threshold, self.zero_threshold, self.zero_count), "[", "]"))
        first = "[" if self.is_custom else "("
        for bucket in self.positives():
            if bucket.count:
                parts.append(_said(bucket, "[" if first == "[" and bucket.lower == -math.inf else "(", "]"))
        return "{" + ", ".join(parts) + "}"


def bound(schema: int, index: int, custom: tuple[float, ...] = ()) -> float:
    """The upper bound of bucket `index`."""
    if schema == CUSTOM:
        if index < 0:
            return -math.inf
        return custom[index] if index < len(custom) else math.inf
    if schema <= 0:
        exponent = index << -schema
        fraction = 1.0
    else:
        exponent, part = divmod(index, 1 << schema)
        fraction = 2.0 ** (part / (1 << schema))
    if exponent >= 1024:
        return 1.7976931348623157e308 if exponent == 1024 and fraction == 1.0 else math.inf
    return math.ldexp(fraction, exponent)


def widen_zero(histogram: Histogram, threshold: float) -> Histogram:
    """With a zero bucket at least so wide; wider when the threshold falls into a populated bucket."""
    while threshold != histogram.zero_threshold:
        count, wider = histogram.zero_count, threshold
        inside: tuple[set[int], set[int]] = (set(), set())
        for side, taken in zip((histogram.positive, histogram.negative), inside, strict=True):
            for index in sorted(side):
                if bound(histogram.schema, index - 1) >= threshold:
                    break
                taken.add(index)
                count += side[index]
                upper = histogram.upper(index)
                if upper > threshold and side[index]:
                    wider = max(wider, upper)
        if wider == threshold:
            return replace(
                histogram,
                zero_threshold=threshold,
                zero_count=count,
                positive={index: n for index, n in histogram.positive.items() if index not in inside[0]},
                negative={index: n for index, n in histogram.negative.items() if index not in inside[1]},
            )
        threshold = wider
    return histogram


def _same_zero(left: Histogram, right: Histogram) -> tuple[Histogram, Histogram]:
    while left.zero_threshold != right.zero_threshold:
        widest = max(left.zero_threshold, right.zero_threshold)
        left, right = widen_zero(left, widest), widen_zero(right, widest)
    return left, right


def _joined(left: Hint, right: Hint) -> Hint:
    if left == right or left == "gauge":
        return left
    return "gauge" if right == "gauge" else "unknown"


def _merged(left: Buckets, right: Buckets, sign: float) -> Buckets:
    result = dict(left)
    for index, count in right.items():
        result[index] = result.get(index, 0.0) + sign * count
    return result


def _coarser(buckets: Buckets, levels: int) -> Buckets:
    result: Buckets = {}
    for index, count in buckets.items():
        target = ((index - 1) >> levels) + 1
        result[target] = result.get(target, 0.0) + count
    return result


def _remapped(buckets: Buckets, bounds: tuple[float, ...], common: tuple[float, ...]) -> Buckets:
    result: Buckets = {}
    for index, count in buckets.items():
        upper = bounds[index] if index < len(bounds) else math.inf
        target = next((place for place, edge in enumerate(common) if edge >= upper), len(common))
        result[target] = result.get(target, 0.0) + count
    return result


def _fell(before: Buckets, now: Buckets) -> bool:
    return any(now.get(index, 0.0) < count for index, count in before.items() if count)


def _by_zero(number: float, zero: float) -> float:
    if number == 0 or number != number:
        return math.nan
    return math.copysign(math.inf, number) * math.copysign(1.0, zero)


def _bits(*numbers: float) -> bytes:
    return struct.pack(f"<{len(numbers)}d", *(math.nan if number != number else number for number in numbers))


def _bit_items(buckets: Buckets) -> list[tuple[int, bytes]]:
    return [(index, _bits(buckets[index])) for index in sorted(buckets)]


def _said(bucket: Bucket, opening: str, closing: str) -> str:
    bounds = f"{opening}{format_g(bucket.lower)},{format_g(bucket.upper)}{closing}"
    return f"{bounds}:{format_g(bucket.count)}"
