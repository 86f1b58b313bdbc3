"""Folded stacks (Brendan Gregg's collapsed format): `main;handle;parse 12`, root first, a stack a line."""

from __future__ import annotations

import re

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.model import Profile, SampleType
from pilothouse.signals.receive.pprof_building import NamedFrame, build_profile
from pilothouse.signals.receive.pprof_limits import ProfileLimits, inflated
from pilothouse.signals.receive.pprof_reading import Sender

_PLACE = re.compile(r"(?P<function>.+?) \((?P<file>[^()]*?)(?::(?P<line>\d{1,9}))?\)")
_PLACE_FIRST = re.compile(r"(?P<file>\S+\.\w+):(?P<line>\d{1,9}) - (?P<function>.+)")


def read_folded(
    body: bytes, counted: bool, kind: SampleType, factor: int, sender: Sender, limits: ProfileLimits
) -> Profile:
    """The profile in folded stacks.

    Without `counted` each line is one sample (Pyroscope's `lines`). Values are multiplied by `factor`.
    """
    try:
        text = inflated(body, limits).decode()
    except UnicodeDecodeError as error:
        raise BadRequestError(f"body: not UTF-8 at byte {error.start}", "body") from None
    summed: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not (line := line.strip()):
            continue
        stack, value = _counted(line, number) if counted else (line, 1)
        summed[stack] = summed.get(stack, 0) + value * factor
    stacks = [tuple(map(named_frame, reversed(stack.split(";")))) for stack in summed]
    return build_profile(stacks, list(summed.values()), kind, sender, limits)


def named_frame(text: str) -> NamedFrame:
    """`parse (shop/app.py:12)` and `shop/app.py:12 - parse` have a place; anything else is a function's name."""
    if found := _PLACE.fullmatch(text) or _PLACE_FIRST.fullmatch(text):
        return found["function"], found["file"], int(found["line"] or 0)
    return text or "?", "", 0


def _counted(line: str, number: int) -> tuple[str, int]:
    stack, _, count = line.rpartition(" ")
    if not (count.isascii() and count.isdigit() and len(count) <= 18 and stack):
        raise BadRequestError(f"body: line {number}: expected `root;...;leaf COUNT`, got {line[:80]!r}", "body")
    return stack.strip(), int(count)
