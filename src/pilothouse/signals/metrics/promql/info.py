"""`info()`: labels of info metrics (such as `target_info`) added to the series of the same target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilothouse.signals.metrics.promql.errors import ExecutionError
from pilothouse.signals.metrics.promql.labels import Labels, labels_of
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher
from pilothouse.signals.metrics.promql.matrix import Ints, Matrix, joined, matrix_of, merged

IDENTIFYING = ("instance", "job")
_DEFAULT = Matcher(NAME, "=", "target_info")
_ANY = Matcher(NAME, "=~", ".+_info")


class Enrichment:
    """One call of `info`, with the matchers of its second argument.

    Matchers that only leave names out (`!=`, `!~`) choose among all metrics that are called `..._info`.
    """

    def __init__(self, matchers: Sequence[Matcher]) -> None:
        given = [matcher for matcher in matchers if matcher.label == NAME]
        says_which = any(matcher.operator in ("=", "=~") for matcher in given)
        self.names = given if says_which else [_ANY, *given] if given else [_DEFAULT]
        self._is_choosy = says_which or not matchers
        self._data = [matcher for matcher in matchers if matcher.label != NAME]

    def ignored(self, labels: Labels) -> bool:
        """Whether a series is itself one of the info metrics that were named."""
        return self._is_choosy and all(matcher.matches(labels.name) for matcher in self.names)

    def matchers(self, base: Matrix) -> list[Matcher] | None:
        """What to ask the store for; None when no series has a target."""
        values = {
            name: sorted({one.get(name) for one in base.labels if not self.ignored(one)} - {""}) for name in IDENTIFYING
        }
        if not any(values.values()):
            return None
        found = [*self.names]
        for name, texts in values.items():
            if texts:
                found.append(Matcher(name, "=~", "|".join(_quoted(text) for text in texts)))
        return [*found, *self._data]

    def enriched(self, base: Matrix, info: Matrix, times: Ints) -> Matrix:
        """`base` with the labels of the `info` series that are there at each step; `times` are their samples'."""
        parts = [base.rows(np.array([self.ignored(one) for one in base.labels], dtype=bool))]
        by_target: dict[tuple[str, ...], list[int]] = {}
        for row, one in enumerate(info.labels):
            by_target.setdefault(tuple(one.get(name) for name in IDENTIFYING), []).append(row)
        for row, one in enumerate(base.labels):
            if self.ignored(one):
                continue
            rows = by_target.get(tuple(one.get(name) for name in IDENTIFYING), [])
            parts.append(self._row(base, row, info, times, rows))
        return merged(joined(parts, base.steps))

    def _row(self, base: Matrix, row: int, info: Matrix, times: Ints, rows: list[int]) -> Matrix:
        steps = np.flatnonzero(base.present[row])
        chosen: dict[Labels, list[int]] = {}
        cache: dict[tuple[int, ...], Labels | None] = {}
        for step in steps:
            present = tuple(place for place in rows if info.present[place, step])
            if info.histograms is not None and any(info.histograms[place, step] is not None for place in present):
                raise ExecutionError("info sample should be float")
            key = self._newest(info, times, present, int(step))
            if key not in cache:
                cache[key] = self._labels(base.labels[row], [info.labels[place] for place in key])
            labels = cache[key]
            if labels is not None:
                chosen.setdefault(labels, []).append(int(step))
        mask = np.zeros((len(chosen), base.steps), dtype=bool)
        for place, taken in enumerate(chosen.values()):
            mask[place, taken] = True
        repeated = base.rows(np.full(len(chosen), row, dtype=np.int64))
        return matrix_of(list(chosen), repeated.values, mask, repeated.histograms, repeated.drop_name)

    def _newest(self, info: Matrix, times: Ints, places: tuple[int, ...], step: int) -> tuple[int, ...]:
        """Of the info series with one name that are there, the one with the newest sample."""
        best: dict[str, int] = {}
        for place in places:
            name = info.labels[place].name
            other = best.get(name)
            if other is not None and times[other, step] == times[place, step]:
                raise ExecutionError(f"found duplicate series for info metric {name}")
            if other is None or times[place, step] > times[other, step]:
                best[name] = place
        return tuple(best.values())

    def _labels(self, base: Labels, infos: list[Labels]) -> Labels | None:
        added: dict[str, str] = {}
        wanted = {matcher.label for matcher in self._data}
        for one in infos:
            for name, value in one.pairs:
                if name == NAME or (wanted and name not in wanted):
                    continue
                if added.get(name, value) != value:
                    raise ExecutionError(f"conflicting label: {name}")
                if not base.get(name):
                    added[name] = value
        if not infos and not all(matcher.matches("") for matcher in self._data):
            return None
        return labels_of({**base.map, **added})


def _quoted(text: str) -> str:
    return "".join(f"\\{char}" if char in r"\.+*?()|[]{}^$" else char for char in text)
