"""From the text of a test script to its commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pilothouse.signals.metrics.promql.durations import parse_duration
from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.notation import NotationError, Value, number, parse_series
from pilothouse.signals.metrics.promql.numbers import unquote

_LOAD = re.compile(r"load(?:_(with_nhcb))?\s+(.+?)$")
_INSTANT = re.compile(r"eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$")
_RANGE = re.compile(r"eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$")
_EXPECT = re.compile(r"expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$")
_RANGE_VECTOR = re.compile(r"expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$")
_STRING = "expect string"
_LENGTH = r"[+-]?(?:0(?![\da-z])|0(?=x)|(?:\d+(?:ms|[smhdwy]))+)"
_START = re.compile(rf"(_)(?:x(\d+))?$|(\*)(?:x(\d+))?$|({_LENGTH})(?:([+-]{_LENGTH[5:]}))?(?:x(\d+))?$")


class ScriptError(Exception):
    """The script cannot be read at a line."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget all series."""


@dataclass(slots=True)
class Loaded:
    """One series to load: a value and a start time (milliseconds, 0: unknown) each step."""

    labels: Labels
    values: tuple[Value, ...]
    starts: list[int | None] = field(default_factory=list)


@dataclass(slots=True)
class Load:
    """Series with a value every `step` milliseconds from time 0 on."""

    step: int
    with_custom_buckets: bool
    series: list[Loaded] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a message must be: this text, or what the pattern finds; anything when both are empty."""

    text: str = ""
    pattern: re.Pattern[str] | None = None

    @property
    def said(self) -> str:
        """The pattern as it was written."""
        return self.pattern.pattern if self.pattern else ""

    def met(self, message: str) -> bool:
        if self.pattern is not None:
            return self.pattern.search(message) is not None
        return not self.text or self.text == message


@dataclass(slots=True)
class Eval:
    """A query with what it must answer. Times in milliseconds; `expected` is a scalar, a string, or series."""

    line: int
    query: str
    start: int
    end: int = 0
    step: int = 0
    is_range: bool = False
    expects: dict[str, list[Expectation]] = field(default_factory=dict)
    scalar: float | None = None
    text: str | None = None
    series: list[tuple[Labels, tuple[Value, ...]]] = field(default_factory=list)
    is_range_vector: bool = False


Command = Clear | Load | Eval


def read(text: str) -> Iterator[Command | ScriptError]:
    """The commands of a script in order; where it cannot be read, the error in place of the command."""
    lines = ["" if line.strip().startswith("#") else line.strip() for line in text.split("\n")]
    place = 0
    while place < len(lines):
        if not lines[place]:
            place += 1
            continue
        end = place + 1
        while end < len(lines) and lines[end]:
            end += 1
        word = lines[place].split()[0].lower()
        if word == "clear":
            yield Clear()
            place += 1
            continue
        try:
            if word.startswith("load"):
                yield _load(lines[place:end])
            elif word.startswith("eval"):
                yield _eval(lines[place:end], place + 1)
            else:
                raise ScriptError(f"invalid command {lines[place]!r}")
        except (ScriptError, NotationError) as error:
            yield ScriptError(f"line {place + 1}: {error}")
        except Exception as error:
            # Whatever it is that stands there, what comes after it is read all the same.
            yield ScriptError(f"line {place + 1}: cannot be read: {type(error).__name__}: {error}")
        place = end


def _load(lines: list[str]) -> Load:
    head = _LOAD.match(lines[0])
    if not head:
        raise ScriptError("invalid load command. (load[_with_nhcb] <step:duration>)")
    command = Load(parse_duration(head[2]), head[1] == "with_nhcb")
    default: list[int | None] = []
    pending: list[int | None] = []
    for line in lines[1:]:
        first = line.split(None, 1)[0]
        if first.endswith("@st"):
            starts = _starts(line.split(None, 1)[1])
            if first == "@st":
                default = starts
            else:
                pending = starts
            continue
        series = parse_series(line)
        starts = pending or [default[place % len(default)] for place in range(len(series.values) if default else 0)]
        command.series.append(Loaded(series.labels, series.values, starts))
        pending = []
    return command


def _starts(text: str) -> list[int | None]:
    """Distances of start times from their samples, in milliseconds."""
    values: list[int | None] = []
    for item in text.split():
        found = _START.match(item)
        if not found:
            raise ScriptError(f"invalid @st item {item!r}")
        if found[1]:
            values += [None] * int(found[2] or 1)
        elif found[3]:
            last = next((value for value in reversed(values) if value is not None), 0)
            values += [last] * (int(found[4] or 0) + 1)
        else:
            base, step = _signed(found[5]), _signed(found[6]) if found[6] else 0
            values += [base + step * place for place in range(int(found[7] or 0) + 1)]
    return values


def _signed(text: str) -> int:
    return parse_duration(text.lstrip("+-")) * (-1 if text.startswith("-") else 1)


def _eval(lines: list[str], line: int) -> Eval:
    if found := _INSTANT.match(lines[0]):
        at = _time(found[2] or "0")
        command, mode = Eval(line, found[3], at, at), found[1]
    elif found := _RANGE.match(lines[0]):
        command = Eval(line, found[5], _time(found[2]), _time(found[3]), parse_duration(found[4]), is_range=True)
        mode = found[1]
    else:
        raise ScriptError("invalid evaluation command")
    if mode:
        command.expects.setdefault(mode, []).append(Expectation())
    for text in lines[1:]:
        if not _take(command, text):
            break
    return command


def _time(text: str) -> int:
    return -parse_duration(text[1:]) if text.startswith("-") else parse_duration(text)


def _take(command: Eval, text: str) -> bool:
    """Read one line of what is expected; False when nothing more can follow."""
    if "fail" in command.expects and text.startswith("expected_fail_message"):
        command.expects["fail"] = [Expectation(text.removeprefix("expected_fail_message").strip())]
        return False
    if "fail" in command.expects and text.startswith("expected_fail_regexp"):
        pattern = re.compile(text.removeprefix("expected_fail_regexp").strip())
        command.expects["fail"] = [Expectation(pattern=pattern)]
        return False
    if found := _RANGE_VECTOR.match(text):
        command.start, command.end, command.step = _time(found[1]), _time(found[2]), parse_duration(found[3])
        command.is_range_vector = True
        return True
    if text.startswith(_STRING):
        command.text = unquote(text.removeprefix(_STRING).strip())
        return True
    if text.split()[0] == "expect":
        return _expect(command, text)
    try:
        command.scalar = number(text)
    except ValueError:
        series = parse_series(text)
        command.series.append((series.labels, series.values))
        return True
    return False


def _expect(command: Eval, text: str) -> bool:
    found = _EXPECT.match(text)
    if not found:
        raise ScriptError(f"invalid expect statement {text!r}")
    wanted = Expectation()
    if found[2] == "msg":
        wanted = Expectation(found[3].strip())
    elif found[2] == "regex":
        wanted = Expectation(pattern=re.compile(found[3].strip()))
    command.expects.setdefault(found[1], []).append(wanted)
    return True
