"""What the metrics say: every series of the service, found by identity; no list is needed."""

from pilothouse.releases.metrics.explaining import explain
from pilothouse.releases.metrics.judging import judge
from pilothouse.releases.metrics.measure import Measure, Measures, Sort
from pilothouse.releases.metrics.reading import read

__all__ = ["Measure", "Measures", "Sort", "explain", "judge", "read"]
