"""The text formats of metrics: Prometheus' (0.0.4, 1.0.0) and OpenMetrics.

A target says the same series again and again, so what a line says before its value is parsed once: `Lines` hands out
that head as it stands, and the caller knows it by those bytes.

https://prometheus.io/docs/instrumenting/exposition_formats/ and the OpenMetrics specification, version 1.0
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pilothouse.signals.metrics.promql.matcher import NAME

_LABEL = re.compile(
    rb'[ \t]*(?:"((?:[^"\\]|\\.)*)"|([a-zA-Z_:][a-zA-Z0-9_:]*))[ \t]*(?:=[ \t]*"((?:[^"\\]|\\.)*)")?[ \t]*(,|\})', re.S
)
_NAME = re.compile(rb"[a-zA-Z_:][a-zA-Z0-9_:]*")
_ESCAPE = re.compile(r'\\([\\n"])')
_EXEMPLAR = b" # {"


class ExpositionError(ValueError):
    """The text is not in the format that it claims to be in."""


@dataclass(slots=True)
class Described:
    """What the comments say of a metric."""

    type: str = "unknown"
    unit: str = ""
    help: str = ""


@dataclass(slots=True)
class Exemplar:
    """An exemplar of OpenMetrics: labels, value, and milliseconds (None: not said)."""

    labels: dict[str, str]
    value: float
    time: int | None


@dataclass(slots=True)
class Lines:
    """A body, line by line; `described` fills as lines are read."""

    body: bytes
    open_metrics: bool = False
    described: dict[str, Described] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[bytes, bytes, bytes, Exemplar | None]]:
        """Head, value, timestamp (may be empty) and exemplar of each sample. Raises `ExpositionError`."""
        if self.open_metrics and not self.body.endswith((b"# EOF\n", b"# EOF")):
            raise ExpositionError("data does not end with # EOF")
        for line in self.body.split(b"\n"):
            if not line:
                continue
            if line[0] == 35:
                self._describe(line)
                continue
            exemplar = None
            if self.open_metrics and _EXEMPLAR in line:
                line, exemplar = _with_exemplar(line)
            brace = line.rfind(b"}") + 1
            head, rest = (line[:brace], line[brace:]) if brace else _plain(line)
            parts = rest.split()
            if len(parts) == 1:
                yield head, parts[0], b"", exemplar
            elif len(parts) == 2:
                yield head, parts[0], parts[1], exemplar
            elif line.strip():
                raise ExpositionError(f"expected a value and perhaps a timestamp: {_shown(line)}")

    def _describe(self, line: bytes) -> None:
        parts = line.decode("utf-8", "replace").split(None, 3)
        if len(parts) < 3 or parts[0] != "#" or parts[1] not in ("HELP", "TYPE", "UNIT"):
            return
        name = parts[2]
        if name.startswith('"'):
            quoted = re.match(r'#\s+\w+\s+"((?:[^"\\]|\\.)*)"\s*(.*)', line.decode("utf-8", "replace"), re.S)
            if not quoted:
                raise ExpositionError(f"a name is not closed: {_shown(line)}")
            name, said = _unescaped(quoted[1]), quoted[2]
        else:
            said = parts[3] if len(parts) > 3 else ""
        one = self.described.setdefault(name, Described())
        if parts[1] == "TYPE":
            one.type = _TYPES.get(said.strip().lower(), "unknown")
        elif parts[1] == "UNIT":
            one.unit = said.strip()
        else:
            one.help = _unescaped(said)


_TYPES = {
    name: name for name in ("counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset", "unknown")
} | {"untyped": "unknown"}


def _plain(line: bytes) -> tuple[bytes, bytes]:
    """A line without labels."""
    parts = line.split(None, 1)
    if len(parts) < 2:
        raise ExpositionError(f"expected a value: {_shown(line)}")
    return parts[0], parts[1]


def _with_exemplar(line: bytes) -> tuple[bytes, Exemplar | None]:
    # The mark may also stand in a label's value: what follows it there does not parse as an exemplar to the line's end.
    place = line.rfind(_EXEMPLAR)
    before, said = line[:place], line[place + 3 :]
    brace = said.rfind(b"}") + 1
    parts = said[brace:].split()
    if not brace or not 1 <= len(parts) <= 2:
        return line, None
    try:
        labels = labels_of_head(said[:brace])
        time = int(float(parts[1]) * 1000) if len(parts) > 1 else None
        return before, Exemplar(labels, float(parts[0]), time)
    except (ExpositionError, ValueError, OverflowError):
        return line, None


def labels_of_head(head: bytes) -> dict[str, str]:
    """The labels that a head says, the name as `__name__`. Raises `ExpositionError`."""
    labels: dict[str, str] = {}
    found = _NAME.match(head)
    place = 0
    if found:
        labels[NAME] = found[0].decode()
        place = found.end()
        while place < len(head) and head[place] in b" \t":
            place += 1
    if place == len(head):
        return labels
    if head[place : place + 1] != b"{":
        raise ExpositionError(f"not a series: {_shown(head)}")
    place += 1
    while head[place:].strip() != b"}":
        label = _LABEL.match(head, place)
        if not label:
            raise ExpositionError(f"not a label at {_shown(head[place:])}")
        _add(labels, label, head)
        place = label.end()
        if label[4] == b"}":
            if place != len(head):
                raise ExpositionError(f"text after the labels: {_shown(head)}")
            return labels
    return labels


def _add(labels: dict[str, str], label: re.Match[bytes], head: bytes) -> None:
    try:
        name = _unescaped(label[1].decode()) if label[1] is not None else label[2].decode()
        if label[3] is None:
            if label[1] is None or NAME in labels:
                raise ExpositionError(f"a label without a value: {_shown(head)}")
            labels[NAME] = name
            return
        if name in labels:
            raise ExpositionError(f"label {name} is said twice: {_shown(head)}")
        labels[name] = _unescaped(label[3].decode())
    except UnicodeDecodeError:
        raise ExpositionError(f"not UTF-8: {_shown(head)}") from None


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text)


def _shown(line: bytes) -> str:
    return repr(line[:120].decode("utf-8", "replace"))


def family_of(name: str, described: dict[str, Described]) -> str:
    """The metric that a series belongs to: its name without a part's suffix, where that is what is described."""
    if name in described:
        return name
    for suffix in ("_bucket", "_count", "_sum", "_total", "_created", "_info", "_gcount", "_gsum"):
        if name.endswith(suffix) and name.removesuffix(suffix) in described:
            return name.removesuffix(suffix)
    return name
