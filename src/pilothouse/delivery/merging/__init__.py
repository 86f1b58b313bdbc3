"""The merge pool: what may be merged is tested as it will be merged, and only then merged."""

from pilothouse.delivery.merging.contexts import Contexts
from pilothouse.delivery.merging.eligible import Query, why_not
from pilothouse.delivery.merging.methods import Methods
from pilothouse.delivery.merging.pool import Candidate, MergePool, Step

__all__ = ["Candidate", "Contexts", "MergePool", "Methods", "Query", "Step", "why_not"]
