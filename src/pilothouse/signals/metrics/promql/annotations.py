"""Warnings and infos that an answer carries, in Prometheus' words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pilothouse.signals.metrics.promql.numbers import format_g, quote
from pilothouse.signals.metrics.promql.positions import Position

Kind = Literal["warning", "info"]
_QUANTILE_DOC = "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile"


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark about the query; `position` says which part it is about."""

    kind: Kind
    message: str
    position: Position

    def __str__(self) -> str:
        return f"PromQL {self.kind}: {self.message}"


class Annotations:
    """The remarks of one evaluation, each once."""

    def __init__(self) -> None:
        self._found: dict[str, Annotation] = {}

    def warn(self, message: str, position: Position) -> None:
        """Something is wrong with the answer."""
        self._add(Annotation("warning", message, position))

    def inform(self, message: str, position: Position) -> None:
        """Something about the answer may surprise."""
        self._add(Annotation("info", message, position))

    def of(self, kind: Kind) -> list[str]:
        """The texts of one kind, without positions."""
        return [str(annotation) for annotation in self if annotation.kind == kind]

    def placed(self, kind: Kind, query: str) -> list[str]:
        """The same with positions."""
        return [f"{item} ({item.position.said(query)})" for item in self if item.kind == kind]

    def said(self, kind: Kind, query: str, most: int = 10) -> list[str]:
        """The texts of one kind as the API answers them: with positions, and not too many."""
        texts = self.placed(kind, query)
        if len(texts) > most:
            texts[most:] = [f"{len(texts) - most} more {kind} annotations omitted"]
        return texts

    def __iter__(self) -> Iterator[Annotation]:
        return iter(self._found.values())

    def _add(self, annotation: Annotation) -> None:
        self._found.setdefault(str(annotation), annotation)


def named(message: str, name: str) -> str:
    """The message with the metric it is about, if that is known."""
    return f"{message} for metric name {quote(name)}" if name else message


def mixed_floats(name: str) -> str:
    return f"encountered a mix of histograms and floats for metric name {quote(name)}"


MIXED_FLOATS_IN_AGGREGATION = "encountered a mix of histograms and floats for aggregation"
SORT_IN_RANGE = "sort is ineffective for range queries since results are always ordered by labels"


def mixed_schemas(name: str) -> str:
    return (
        f"vector contains a mix of histograms with exponential and custom buckets schemas for metric name {quote(name)}"
    )


def not_counter(name: str) -> str:
    return f"this native histogram metric is not a counter: {quote(name)}"


def not_gauge(name: str) -> str:
    return f"this native histogram metric is not a gauge: {quote(name)}"


def start_overlap(name: str) -> str:
    message = "sample has start time that overlaps with previous sample timestamp"
    return f"{message} for metric {quote(name)}" if name else message


def ignored_in_range(name: str) -> str:
    return f"ignored histograms in a range containing both floats and histograms for metric name {quote(name)}"


def ignored_in_aggregation(operator: str) -> str:
    return f"ignored histogram in {operator} aggregation"


def possible_non_counter(name: str) -> str:
    return f"metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {quote(name)}"


def invalid_quantile(value: float) -> str:
    return f"quantile value should be between 0 and 1, got {format_g(value)}"


def invalid_ratio(value: float, capped: float) -> str:
    return f"ratio value should be between -1 and 1, got {format_g(value)}, capping to {format_g(capped)}"


def bad_bucket(name: str, bound: str) -> str:
    return named(f'bucket label "le" is missing or has a malformed value of {quote(bound)}', name)


def mixed_classic(name: str) -> str:
    return named("vector contains a mix of classic and native histograms", name)


def forced_monotonicity(name: str) -> str:
    return named(f"input to histogram_quantile needed to be fixed for monotonicity (see {_QUANTILE_DOC})", name)


def incompatible_types(left: str, operator: str, right: str) -> str:
    return f"incompatible sample types encountered for binary operator {quote(operator)}: {left} {operator} {right}"


def incompatible_layout(operator: str) -> str:
    return f"incompatible bucket layout encountered for binary operator {operator}"


def reset_collision(operation: str) -> str:
    return f"conflicting counter resets during histogram {operation}"


def reconciled(operation: str) -> str:
    return f"mismatched custom buckets were reconciled during {operation}"
