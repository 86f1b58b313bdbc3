"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARNING, FAILED = "ok", "warning", "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer: `state` is ok, warning or failed; `remedy` says what to do when it is not ok."""

    check: str
    state: str
    said: str
    remedy: str = ""


def ok(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check, OK, said)


def warning(check: str, said: str, remedy: str) -> Finding:
    """It works, and will not for long or not as it should."""
    return Finding(check, WARNING, said, remedy)


def failed(check: str, said: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check, FAILED, said, remedy)
