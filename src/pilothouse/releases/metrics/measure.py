"""A measure: one metric with one set of attributes on both sides, as values of instances in windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pilothouse.releases.both import Both
from pilothouse.releases.statistics import Floats
from pilothouse.releases.tested import Badness

Sort = Literal["level", "rate", "mean", "quantile", "count"]
"""A gauge's level, a counter's increase, a histogram's mean, one of its quantiles, how many events it saw."""


@dataclass(frozen=True, slots=True)
class Measure:
    """`values` are [instances, windows], NaN where an instance had none.

    For `rate` and `count` they are increases, to be divided by `exposures` [windows] (requests or seconds of all
    instances). `at_age` says that windows are counted from each process' birth, not by the clock. `noted` says in
    words what was made comparable.
    """

    name: str
    labels: tuple[tuple[str, str], ...]
    unit: str
    sort: Sort
    values: Both[Floats]
    bad: Badness
    exposures: Both[Floats] | None = None
    quantile: float = 0.0
    at_age: bool = False
    noted: str = ""
    series: int = 1

    @property
    def subject(self) -> str:
        """The metric as Prometheus would write it: `name{label="value"}`."""
        if not self.labels:
            return self.name
        said = ", ".join(f'{key}="{value}"' for key, value in self.labels)
        return f"{self.name}{{{said}}}"


@dataclass(frozen=True, slots=True)
class Measures:
    """All measures of a trial; `series` is how many series they were made from."""

    measures: tuple[Measure, ...]
    series: int = 0
    cut_off: bool = False
