"""What `perf script` prints: a head line for each sample, below it a frame a line, leaf first, then an empty line."""

from __future__ import annotations

from collections import Counter

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.model import Profile, SampleType
from pilothouse.signals.receive.pprof_building import NamedFrame, build_profile
from pilothouse.signals.receive.pprof_limits import ProfileLimits, inflated
from pilothouse.signals.receive.pprof_reading import Sender

# Plain splitting, no regular expressions: a long line must not take quadratic time.
_DELETED = " (deleted))"


def read_perf(body: bytes, kind: SampleType, factor: int, sender: Sender, limits: ProfileLimits) -> Profile:
    """The profile; each sample is worth `factor`, and its root is the command's name."""
    counted: Counter[tuple[NamedFrame, ...]] = Counter()
    frames: list[NamedFrame] = []
    command, open_sample = "", False
    lines = inflated(body, limits).decode("utf-8", "replace").split("\n")
    for number, line in enumerate([*lines, ""], 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if open_sample:
                counted[(*frames, (command, "", 0))] += factor
            frames, open_sample = [], False
        elif not open_sample:
            command, open_sample = _command(line, number), True
        else:
            frames.append(_frame(line, number))
    return build_profile(list(counted), list(counted.values()), kind, sender, limits)


def _command(line: str, number: int) -> str:
    """`COMMAND PID/TID [CPU] TIME: PERIOD EVENT:`; a command may have spaces."""
    words = line.split()
    named = next((place for place, word in enumerate(words) if place and word.replace("/", "").isdecimal()), 0)
    if not named or line[0].isspace() or not words[-1].endswith(":"):
        raise BadRequestError(f"body: line {number}: expected a sample of perf script, got {line[:80]!r}", "body")
    return " ".join(words[:named])


def _frame(line: str, number: int) -> NamedFrame:
    """`ADDRESS SYMBOL+OFFSET (BINARY)`"""
    address, _, rest = line.strip().partition(" ")
    deleted = rest.endswith(_DELETED)
    symbol, _, binary = (rest.removesuffix(_DELETED) + ")" * deleted).rpartition(" (")
    if not (line[0].isspace() and symbol and binary.endswith(")")):
        raise BadRequestError(f"body: line {number}: expected `ADDRESS SYMBOL (BINARY)`, got {line[:80]!r}", "body")
    binary = binary.removesuffix(")")
    if symbol == "[unknown]":
        return f"{binary.rsplit('/', 1)[-1]}+0x{address}", binary, 0
    return symbol.rpartition("+0x")[0] or symbol, binary, 0
