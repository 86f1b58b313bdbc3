"""What releases remember: marks, verdicts, objectives and rollouts, in the control plane's database.

SQLite by default, PostgreSQL by URL; SQLAlchemy's Core writes the same tables for both.
"""

from pilothouse.releases.store.marks import MarkStore
from pilothouse.releases.store.opening import ReleaseStore
from pilothouse.releases.store.rollouts import ConflictError, RolloutStore
from pilothouse.releases.store.verdicts import KeptVerdict, VerdictStore

__all__ = ["ConflictError", "KeptVerdict", "MarkStore", "ReleaseStore", "RolloutStore", "VerdictStore"]
