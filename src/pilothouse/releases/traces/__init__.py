"""What the spans say: operations that slowed, fail more often, are new or gone."""

from pilothouse.releases.traces.explaining import explain
from pilothouse.releases.traces.judging import judge
from pilothouse.releases.traces.operation import ERROR_SHARES, Operation, Operations
from pilothouse.releases.traces.reading import illustrate, read

__all__ = ["ERROR_SHARES", "Operation", "Operations", "explain", "illustrate", "judge", "read"]
