"""The text of cases as steps: see docs/reference/loki.md, "A text format for cases"."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
_TIME = re.compile(r"(-?)((?:\d+(?:\.\d+)?(?:ns|us|ms|[smhd]))+|0)")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|[smhd])")
_EVAL = re.compile(
    r"eval(?P<fails> fail)?(?: (?:at (?P<at>\S+)|from (?P<start>\S+) to (?P<end>\S+)(?: step (?P<step>\S+))?))?"
    r"(?P<forward> forward)?(?: limit (?P<limit>\d+))? (?P<query>.+)",
    re.DOTALL,
)


class CaseError(ValueError):
    """A file that does not follow the format; names the line."""


@dataclass
class Line:
    """A log line: nanoseconds after zero, its stream, its structured metadata, its text."""

    time: int
    stream: dict[str, str]
    metadata: dict[str, str]
    text: str


@dataclass
class Case:
    """A question with what is expected; `number` is the line in the file."""

    number: int
    query: str
    loaded: list[Line]
    source: str
    fails: bool = False
    at: int | None = None
    span: tuple[int, int] | None = None
    step: int = 0
    forward: bool = False
    limit: int = 1000
    ordered: bool = False
    expected: list[str] = field(default_factory=list)


def nanoseconds(text: str) -> int:
    """`1m30s`, `-5s`, `0`."""
    found = _TIME.fullmatch(text)
    if not found:
        raise CaseError(f"{text!r} is not a time; write 0, 90s or 1m30s")
    total = sum(round(float(number) * _UNITS[unit]) for number, unit in _PART.findall(found[2]))
    return -total if found[1] else total


def read(path: Path) -> list[Case]:
    """All cases of a file; raises `CaseError`."""
    loaded: list[Line] = []
    cases: list[Case] = []
    source, mode, stream = "", "", {}
    for number, raw in enumerate(path.read_text().split("\n"), 1):
        line = raw.rstrip("\r")
        if not line.strip() or (line.lstrip().startswith("#") and not line.startswith("    ")):
            found = re.match(r"#\s*source:\s*(.+)", line.strip())
            source = found[1] if found else source
            continue
        try:
            if not line[0].isspace():
                mode, stream = _directive(line, number, loaded, cases, source, mode)
            elif mode == "load":
                stream = _loaded(line, loaded, stream)
            elif mode == "eval":
                _expected(line.strip(), cases[-1])
            else:
                raise CaseError("nothing to indent under")
        except (CaseError, ValueError) as error:
            raise CaseError(f"{path}:{number}: {error}") from None
    return cases


def _directive(
    line: str, number: int, loaded: list[Line], cases: list[Case], source: str, mode: str
) -> tuple[str, dict[str, str]]:
    if line.strip() == "clear":
        loaded.clear()
        return "", {}
    if line.strip() == "load":
        return "load", {}
    found = _EVAL.fullmatch(line.strip())
    if not found:
        raise CaseError("expected clear, load or eval")
    case = Case(number, found["query"], list(loaded), source, fails=bool(found["fails"]))
    case.at = nanoseconds(found["at"]) if found["at"] else None
    if found["start"]:
        case.span = (nanoseconds(found["start"]), nanoseconds(found["end"]))
        case.step = nanoseconds(found["step"]) if found["step"] else 0
    case.forward, case.limit = bool(found["forward"]), int(found["limit"] or 1000)
    cases.append(case)
    return "eval", {}


def labels(text: str) -> tuple[dict[str, str], str]:
    """`{a="b"}` at the head of a text, and what follows."""
    if not text.startswith("{"):
        raise CaseError("expected { at the start of labels")
    found, place = {}, 1
    pair = re.compile(r'\s*([A-Za-z_:][A-Za-z0-9_:]*)\s*=\s*("(?:[^"\\]|\\.)*")\s*,?')
    while match := pair.match(text, place):
        found[match[1]] = json.loads(match[2])
        place = match.end()
    end = re.compile(r"\s*\}").match(text, place)
    if not end:
        raise CaseError("labels are not closed")
    return found, text[end.end() :].strip()


def _loaded(line: str, loaded: list[Line], stream: dict[str, str]) -> dict[str, str]:
    text = line.strip()
    if text.startswith("{"):
        found, rest = labels(text)
        if not rest:
            return found
    time, _, rest = text.partition(" ")
    metadata: dict[str, str] = {}
    rest = rest.strip()
    if rest.startswith("["):
        metadata, rest = labels("{" + rest[1:].replace("]", "}", 1))
    moment, times = nanoseconds(time.partition("+")[0]), 1
    every = 0
    if "+" in time:
        every_text, _, count = time.partition("+")[2].partition("x")
        every, times = nanoseconds(every_text), int(count) + 1
    body = json.loads(rest) if rest.startswith('"') else rest[1:-1] if rest.startswith("`") else rest
    loaded += [Line(moment + turn * every, stream, metadata, body) for turn in range(times)]
    return stream


def _expected(text: str, case: Case) -> None:
    if text == "expect ordered":
        case.ordered = True
    else:
        case.expected.append(text)
