"""What container runtimes put around a line: CRI (containerd, CRI-O) and Docker's JSON files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from pilothouse.signals.receive.times import any_time

_CRI = re.compile(r"(\d{4}-\d\d-\d\dT\S+) (stdout|stderr) ([FP])(?::\S*)? ?")


@dataclass(slots=True)
class LogLine:
    """A line as the program wrote it; `partial` when its rest follows. `time` 0: none was said."""

    text: str
    time: int = 0
    partial: bool = False
    attributes: dict[str, str] = field(default_factory=dict)


def plain(text: str) -> LogLine:
    """A line as it stands."""
    return LogLine(text)


def cri(text: str) -> LogLine:
    """`2026-11-23T02:36:00.1Z stdout F line` (Kubernetes CRI logging)."""
    found = _CRI.match(text)
    if not found:
        return LogLine(text)
    return LogLine(text[found.end() :], any_time(found[1]), found[3] == "P", {"log.iostream": found[2]})


def docker(text: str) -> LogLine:
    """`{"log":"line\\n","stream":"stdout","time":"..."}` (Docker's json-file driver)."""
    try:
        row = json.loads(text)
        line, time = str(row["log"]), any_time(str(row.get("time", "")))
    except (ValueError, KeyError, TypeError):
        return LogLine(text)
    stream = {"log.iostream": str(row["stream"])} if row.get("stream") else {}
    return LogLine(line.removesuffix("\n"), time, not line.endswith("\n"), stream)


def container(text: str) -> LogLine:
    """Whichever of the two it is."""
    return docker(text) if text.startswith("{") else cri(text)


FORMATS = {"plain": plain, "cri": cri, "docker": docker, "container": container}
