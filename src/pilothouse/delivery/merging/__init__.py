"""The merge pool: what may be merged is tested as it will be merged, and only then merged."""

from pilothouse.delivery.merging.eligible import Query, why_not
from pilothouse.delivery.merging.pool import Candidate, MergePool, Step

__all__ = ["Candidate", "MergePool", "Query", "Step", "why_not"]
