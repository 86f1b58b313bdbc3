"""Telemetry from series in Prometheus' notation, evaluated by our own PromQL."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from pilothouse.hazards.telemetry import Row, TelemetryError
from pilothouse.signals.metrics.promql.engine import evaluate
from pilothouse.signals.metrics.promql.errors import PromqlError
from pilothouse.signals.metrics.promql.memory import MemoryStorage
from pilothouse.signals.metrics.promql.planning import Grid
from tests.promqltest.commands import Load, read

_MANY = re.compile(r"\{1\.\.(\d+)\}")


def spread(series: str) -> list[str]:
    """`{1..200}` in a label's value stands for that many series, with 1 to 200 in all such places."""
    found = _MANY.search(series)
    return [_MANY.sub(str(number), series) for number in range(1, int(found[1]) + 1)] if found else [series]


class Recorded:
    """Series with a sample each minute; asked at the last of them."""

    def __init__(self, series: Iterable[str]) -> None:
        self._storage = MemoryStorage()
        self._names: set[str] = set()
        self._end = 0
        (load,) = read("load 1m\n" + "".join(f"  {one}\n" for given in series for one in spread(given)) + "\n")
        assert isinstance(load, Load), load
        for one in load.series:
            self._names.add(one.labels.name)
            for place, value in enumerate(one.values):
                if value is not None:
                    self._storage.add(one.labels, place * load.step, value, 0)
                    self._end = max(self._end, place * load.step)

    def names(self) -> set[str]:
        return self._names

    def ask(self, query: str) -> list[Row]:
        try:
            value = evaluate(self._storage, query, Grid(self._end, self._end, 0))
        except PromqlError as error:
            raise TelemetryError(str(error)) from None
        assert value.matrix is not None
        return [
            Row(dict(labels.map), float(row[0]))
            for labels, row in zip(value.matrix.labels, value.matrix.values, strict=True)
            if not np.isnan(row[0])
        ]
