"""Which series a selector finds: by name from the catalogue, by labels in memory; answers are kept and only grow."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.signals.metrics.prometheus.catalogue import Catalogue, Entry, SeriesOf
from pilothouse.signals.metrics.prometheus.found import Found, FoundSeries
from pilothouse.signals.metrics.prometheus.labelling import Labelling
from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher
from pilothouse.signals.metrics.promql.matrix import Ints

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

# What was seen of a series is noted only every ten minutes.
_SLACK = 600_000
_KEPT_SELECTIONS = 2_000
# More series than this are narrowed down by the engine before their labels are read.
_MANY = 50_000
_OF_A_PART = frozenset(("le", "quantile"))


@dataclass(slots=True)
class _Kept:
    """What a selector found among the first `looked_at` series of a metric: their places, and the series."""

    of: SeriesOf
    looked_at: int = 0
    places: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    found: FoundSeries = field(default_factory=FoundSeries)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Finder:
    """Finds series. May be used from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.catalogue = Catalogue(engine)
        self._labelling = Labelling(engine)
        self._kept: OrderedDict[Any, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def find(
        self, matchers: Sequence[Matcher], wanted: Sequence[Entry], start: int, end: int, budget: Budget | None
    ) -> FoundSeries:
        """The series of these metrics that fit and were seen between two times (milliseconds)."""
        others = tuple(matcher for matcher in matchers if matcher.label != NAME)
        parts = []
        for entry in wanted:
            series = self.catalogue.series(entry[0])
            places, found = self._grown(entry, others, series, budget)
            first, last = series.times()
            seen = (first[places] <= end) & (last[places] >= start - _SLACK)
            parts.append(found if seen.all() else FoundSeries(found[row] for row in np.flatnonzero(seen)))
        # Of one metric it is the same object as long as the series are the same: what is known of them stays known.
        return parts[0] if len(parts) == 1 else FoundSeries(one for part in parts for one in part)

    def _grown(
        self, entry: Entry, others: tuple[Matcher, ...], series: SeriesOf, budget: Budget | None
    ) -> tuple[Ints, FoundSeries]:
        with self._lock:
            kept = self._kept.get((entry, others))
            if kept is None or kept.of is not series:
                kept = self._kept[entry, others] = _Kept(series)
            self._kept.move_to_end((entry, others))
            while len(self._kept) > _KEPT_SELECTIONS:
                self._kept.popitem(last=False)
        with kept.lock:
            count = len(series.firsts)
            if kept.looked_at < count:
                places, found = self._look(kept, entry, others, series.numbers[kept.looked_at : count], budget)
                kept.looked_at = count
                if found:
                    kept.places = np.append(kept.places, np.array(places, np.int64))
                    kept.found = FoundSeries([*kept.found, *found])
            return kept.places, kept.found

    def _look(
        self, kept: _Kept, entry: Entry, others: tuple[Matcher, ...], numbers: list[int], budget: Budget | None
    ) -> tuple[list[int], list[Found]]:
        metric, name, part = entry
        at: list[int] = []
        found: list[Found] = []
        places = {number: kept.looked_at + place for place, number in enumerate(numbers)}
        # A bucket's own label is not known before its samples are.
        checked = [m for m in others if part not in ("bucket", "quantile") or m.label not in _OF_A_PART]
        if metric.is_prometheus and len(numbers) > _MANY and checked:
            numbers = self._narrowed(metric.name, checked, places, budget)
        labels = self._labelling.of(numbers, budget)
        for number in numbers:
            # A series that a mutation took away has no labels any more.
            if number not in labels:
                continue
            base = labels[number]
            one = base if metric.is_prometheus else Labels(((NAME, name), *base.pairs))
            if all(matcher.matches(one.get(matcher.label)) for matcher in checked):
                at.append(places[number])
                found.append(Found(number, metric, part, one))
        return at, found

    def _narrowed(
        self, name: str, matchers: Sequence[Matcher], places: dict[int, int], budget: Budget | None
    ) -> list[int]:
        conditions, parameters = pushed_down(matchers)
        table = self._engine.query(
            f"SELECT DISTINCT series FROM series WHERE name = {{name:String}} AND {conditions}",
            parameters | {"name": name},
            budget,
        )
        return [number for number in table.column(0).to_pylist() if number in places]


def pushed_down(matchers: Iterable[Matcher]) -> tuple[str, dict[str, Any]]:
    """SQL for the labels of Prometheus' own series, and its parameters."""
    conditions, parameters = ["1"], {}
    for place, matcher in enumerate(matchers):
        value = f"attributes[{{label{place}:String}}]"
        text = f"{{value{place}:String}}"
        conditions.append(
            {
                "=": f"{value} = {text}",
                "!=": f"{value} != {text}",
                "=~": f"match({value}, {text})",
                "!~": f"NOT match({value}, {text})",
            }[matcher.operator]
        )
        parameters[f"label{place}"] = matcher.label
        is_pattern = matcher.operator in ("=~", "!~")
        parameters[f"value{place}"] = f"^(?s:{matcher.value})$" if is_pattern else matcher.value
    return " AND ".join(conditions), parameters
