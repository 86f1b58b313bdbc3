"""What the judge asks for before it speaks. All of it is explained in docs/explanation/the-verdict.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """Thresholds; the changes are relative (0.05 is 5 %).

    The spreads are standard deviations (of logarithms) that two instances of the same version are assumed to have,
    corrected by what is seen when a side has several instances.
    """

    false_discovery_rate: float = 0.01
    least_requests: int = 50
    least_windows: int = 5
    most_windows: int = 60
    requests_per_window: int = 15

    latency_change: float = 0.05
    latency_milliseconds: float = 0.2
    latency_spread: float = 0.06
    error_share: float = 0.002
    error_change: float = 0.15
    count_change: float = 0.25
    calls_change: float = 0.2
    rate_spread: float = 0.1

    level_change: float = 0.05
    level_spread: float = 0.03
    rate_change: float = 0.1
    metric_spread: float = 0.06
    gauge_spread: float = 0.12

    pattern_change: float = 1.0
    least_lines: int = 5

    cost_share: float = 0.01
    cost_change: float = 0.05
    cost_spread: float = 0.06
    least_profiles: int = 2

    not_before: float = 2.0
    """Between windows at different times, everything drifts: the spreads are multiplied by this."""

    margin: float = 0.25
    """`confidence` in "no worse" is how sure it is that nothing that matters most is worse by more than this."""
    blind: float = 1.0
    """Where not even a doubling could have been seen, there is no verdict."""
