"""What the log lines say: patterns that are new, gone or more frequent, and the share of errors."""

from pilothouse.releases.logs.explaining import explain
from pilothouse.releases.logs.judging import judge
from pilothouse.releases.logs.pattern import Pattern, Patterns
from pilothouse.releases.logs.reading import read

__all__ = ["Pattern", "Patterns", "explain", "judge", "read"]
