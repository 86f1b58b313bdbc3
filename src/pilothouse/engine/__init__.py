"""ClickHouse behind one small interface: embedded in this process (chDB) or a server.

No other room imports a client or writes DDL. What it adds to the clients: a pool of handles, a budget and
cancellation for each query, protobuf segments into tables exactly once, and versioned migrations.
"""

from pilothouse.engine.caching import memory_share
from pilothouse.engine.errors import (
    BudgetExceededError,
    CancelledError,
    EngineBusyError,
    EngineError,
    EngineUnavailableError,
    QueryError,
)
from pilothouse.engine.model import BlockOfRows, Budget, Engine, SegmentStatement
from pilothouse.engine.opening import open_engine

__all__ = [
    "BlockOfRows",
    "Budget",
    "BudgetExceededError",
    "CancelledError",
    "Engine",
    "EngineBusyError",
    "EngineError",
    "EngineUnavailableError",
    "QueryError",
    "SegmentStatement",
    "memory_share",
    "open_engine",
]
