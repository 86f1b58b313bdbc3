"""Which findings belong together, and the words that say why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.releases.metrics.badness import about_memory
from pilothouse.releases.stories.associating import Association
from pilothouse.releases.traces.operation import ERROR_SHARES
from pilothouse.releases.wording import digits, percent
from pilothouse.signals.sentences import sentence

if TYPE_CHECKING:
    from pilothouse.releases.finding import Finding

_LIFT = 1.5
_MOSTLY = 0.5
_ALIKE = 2.0
_DURATION = ("duration", "latency", "response_time", "elapsed")
_FAILURES = ("error", "fail", "exception")
_MEMORY_PROFILES = ("inuse_space", "live", "alloc_space", "resident")


@dataclass(frozen=True, slots=True)
class Link:
    """Two findings by their ranks, and why they are one."""

    one: int
    other: int
    words: str


def links(findings: Sequence[Finding], associations: dict[int, list[Association]]) -> list[Link]:
    """All links between findings of one direction. `associations` are those of log lines and functions, by rank."""
    pairs = ((one, other) for place, one in enumerate(findings) for other in findings[place + 1 :])
    return [
        Link(one.rank, other.rank, words)
        for one, other in pairs
        if one.direction == other.direction or "moved" in (one.direction, other.direction)
        if (words := _why(one, other, associations))
    ]


def _why(one: Finding, other: Finding, associations: dict[int, list[Association]]) -> str:
    for first, second in ((one, other), (other, one)):
        if second.signal == "traces" and first.rank in associations:
            if words := _associated(first, second, associations[first.rank]):
                return words
        elif (first.signal, second.signal) == ("profiles", "traces"):
            if words := _costs_time(first, second):
                return words
        elif (first.signal, second.signal) == ("metrics", "traces"):
            if words := _same_operation(first, second):
                return words
        elif (first.signal, second.signal) == ("metrics", "profiles"):
            if words := _same_resource(first, second):
                return words
        elif (first.signal, second.signal) == ("metrics", "logs"):
            if words := _counts_lines(first, second):
                return words
        elif first.signal == second.signal == "metrics":
            if words := _same_kind(first, second):
                return words
        elif first.signal == second.signal == "traces" and first.subject == second.subject:
            return sentence("both are of {operation}", operation=first.subject)
    return ""


def _associated(first: Finding, operation: Finding, known: list[Association]) -> str:
    mine = next((one for one in known if one.operation == operation.subject), None)
    if mine is None or (mine.held < _MOSTLY and mine.lift < _LIFT):
        return ""
    if first.signal == "profiles":
        return sentence(
            "{share} of the samples of {function} were taken in spans of {operation}",
            share=percent(mine.held),
            function=first.subject,
            operation=operation.subject,
        )
    told = sentence(
        "{share} of the requests that log it are {operation}", share=percent(mine.held), operation=operation.subject
    )
    if mine.slow > mine.quick * _LIFT and mine.quick > 0:
        slow, quick = f"{mine.slow:,.0f}", f"{mine.quick:,.0f}"
        return sentence("{said}; those take {slow} ms, the others {quick} ms", said=told, slow=slow, quick=quick)
    return told


def _costs_time(function: Finding, operation: Finding) -> str:
    """CPU per request that an operation's slowdown can hold: a processor's second is a second of somebody's waiting."""
    if not operation.measure.startswith("duration") or function.unit != "ns":
        return ""
    more = ((function.candidate or 0.0) - (function.baseline or 0.0)) / 1e6
    slower = (operation.candidate or 0.0) - (operation.baseline or 0.0)
    if slower <= 0 or more <= 0 or more > _ALIKE * slower:
        return ""
    return sentence(
        "{function} takes {more} ms more CPU per request, {operation} {slower} ms longer",
        function=function.subject,
        more=digits(more),
        operation=operation.subject,
        slower=digits(slower),
    )


def _same_operation(metric: Finding, operation: Finding) -> str:
    name = str(metric.detail.get("name", ""))
    labels = {str(value) for value in dict(metric.detail.get("labels") or {}).values()}
    fits = not labels or any(text and text in operation.subject for text in labels)
    slow = operation.measure.startswith("duration") and any(word in name for word in _DURATION)
    failing = operation.measure in ERROR_SHARES and (
        any(word in name for word in _FAILURES) or any(text.startswith("5") and len(text) == 3 for text in labels)
    )
    if (slow and fits) or failing:
        return sentence("{metric} measures {operation}", metric=metric.subject, operation=operation.subject)
    return ""


def _same_resource(metric: Finding, function: Finding) -> str:
    kind = str(function.detail.get("type", ""))
    name = str(metric.detail.get("name", ""))
    if "cpu" in name and "cpu" in kind:
        return sentence("{metric} is the CPU that {function} takes", metric=metric.subject, function=function.subject)
    if about_memory(name, metric.unit) and any(word in kind for word in _MEMORY_PROFILES):
        return sentence(
            "{metric} is the memory that {function} holds", metric=metric.subject, function=function.subject
        )
    return ""


def _counts_lines(metric: Finding, line: Finding) -> str:
    name = str(metric.detail.get("name", ""))
    if line.detail.get("level") == "error" and any(word in name for word in _FAILURES):
        return sentence("{metric} counts what {line} reports", metric=metric.subject, line=repr(line.subject[:60]))
    return ""


def _same_kind(one: Finding, other: Finding) -> str:
    names = [str(finding.detail.get("name", "")) for finding in (one, other)]
    if all(about_memory(name, finding.unit) for name, finding in zip(names, (one, other), strict=True)):
        return sentence("both are memory of the process")
    if all("cpu" in name for name in names):
        return sentence("both are CPU of the process")
    if all(any(word in name for word in _DURATION) for name in names):
        return sentence("both are durations")
    return ""
