"""What can go wrong in the engine.

EngineError
 +-- EngineBusyError         another process holds the data directory
 +-- EngineUnavailableError  no space, no memory, no connection: the same call may work later
 +-- BudgetExceededError     the query would take more time, memory or bytes than it may
 +-- CancelledError          somebody cancelled the query
 +-- QueryError              the statement itself is wrong
"""

import re

_CODE = re.compile(r"Code: (\d+)\.")
_NOISE = re.compile(r"\s*\(version [^)]*\)\s*$")

# Error codes of ClickHouse: src/Common/ErrorCodes.cpp.
_BUDGET = {158, 159, 160, 241, 307, 396}
_CANCELLED = {394}
_UNAVAILABLE = {74, 75, 76, 173, 202, 209, 210, 243, 252, 279, 425, 499}


class EngineError(Exception):
    """The engine could not do what it was asked; `code` is ClickHouse's error code or 0."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class EngineBusyError(EngineError):
    """Another process has the data directory open."""


class EngineUnavailableError(EngineError):
    """A full disk, too many parts, a lost connection: the same call may work later."""


class BudgetExceededError(EngineError):
    """The query reached its limit of time, memory or bytes read."""


class CancelledError(EngineError):
    """The query was cancelled."""


class QueryError(EngineError):
    """The statement is wrong, or names what is not there."""


def from_clickhouse(message: str) -> EngineError:
    """The fitting error for a message as ClickHouse words it (`Code: N. DB::Exception: ...`)."""
    found = _CODE.search(message)
    code = int(found.group(1)) if found else 0
    text = _NOISE.sub("", message[message.find("Code: ") :] if found else message).strip()
    text = text.replace("DB::Exception: ", "", 1)
    if code in _BUDGET:
        return BudgetExceededError(text, code)
    if code in _CANCELLED:
        return CancelledError(text, code)
    if code in _UNAVAILABLE or not found:
        return EngineUnavailableError(text, code)
    return QueryError(text, code)
