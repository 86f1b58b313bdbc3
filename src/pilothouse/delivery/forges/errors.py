"""What can go wrong when a forge is asked; each message says what to do.

ForgeError
+-- MissingError      there is no such repository, pull request, ref, file, comment or user
+-- AccessError       who asks may not; 401 and 403
+-- InvalidError      the forge does not take this value: a name, a label, a body
+-- ConflictError     it is not what it was thought to be: the head moved, a branch is there already
|   +-- MergeError    it does not merge: conflicts, a protected branch, already closed
+-- UnavailableError  the forge does not answer or asks to wait; `retry_after` seconds
"""

from __future__ import annotations


class ForgeError(Exception):
    """Base of all; the message is for people."""


class MissingError(ForgeError):
    """What was asked for is not there, or may not be seen."""


class AccessError(ForgeError):
    """Who asks is unknown or may not do this."""


class InvalidError(ForgeError):
    """A value that the forge does not take; the message names it."""


class ConflictError(ForgeError):
    """The state is not what the caller expected; read again and decide again."""


class MergeError(ConflictError):
    """A pull request or a branch cannot be merged as it is."""


class UnavailableError(ForgeError):
    """The forge does not answer, or asks to wait `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
