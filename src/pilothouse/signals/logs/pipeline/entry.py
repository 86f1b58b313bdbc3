"""One line on its way through a pipeline, with the three kinds of labels that it has."""

from __future__ import annotations

from collections.abc import Mapping

ERROR, DETAILS = "__error__", "__error_details__"


class Entry:
    """A line with its labels: those of its stream, its structured metadata, and what was parsed.

    A name is in one of the three at most. `removed` are the stream's labels that a stage took away; the stream's own
    labels are shared by all its lines and never changed.
    """

    __slots__ = ("details", "error", "line", "metadata", "parsed", "removed", "stream", "time")

    def __init__(self, time: int, line: str, stream: Mapping[str, str], metadata: Mapping[str, str]) -> None:
        self.time, self.line = time, line
        self.stream: Mapping[str, str] = stream
        self.metadata = dict(metadata)
        self.parsed: dict[str, str] = {}
        self.removed: set[str] = set()
        self.error = ""
        self.details = ""

    def get(self, name: str) -> str | None:
        """A label's value; None when there is no such label."""
        if name == ERROR:
            return self.error or None
        if name == DETAILS:
            return self.details or None
        if (value := self.parsed.get(name)) is not None:
            return value
        if (value := self.metadata.get(name)) is not None:
            return value
        return None if name in self.removed else self.stream.get(name)

    def extract(self, name: str, value: str) -> None:
        """A parser's find: a name that the line came with gets a suffix, and of two finds the first stays."""
        if name in self.metadata or (name in self.stream and name not in self.removed):
            name += "_extracted"
        self.parsed.setdefault(name, value)

    def set(self, name: str, value: str) -> None:
        """A label anew, whatever it was."""
        if name == ERROR:
            self.error = value
        elif name == DETAILS:
            self.details = value
        else:
            self.remove(name)
            self.parsed[name] = value

    def remove(self, name: str) -> None:
        """Take a label away."""
        if name == ERROR:
            self.error = ""
        elif name == DETAILS:
            self.details = ""
        else:
            self.parsed.pop(name, None)
            self.metadata.pop(name, None)
            if name in self.stream:
                self.removed.add(name)

    def fail(self, error: str, details: str) -> None:
        """Note what went wrong; the line goes on."""
        self.error, self.details = error, details

    def stream_labels(self) -> dict[str, str]:
        """What is left of the stream's labels."""
        if not self.removed:
            return dict(self.stream)
        return {name: value for name, value in self.stream.items() if name not in self.removed}

    def parsed_labels(self) -> dict[str, str]:
        """What was parsed, with an error if there is one."""
        found = dict(self.parsed)
        if self.error:
            found[ERROR] = self.error
        if self.details:
            found[DETAILS] = self.details
        return found

    def labels(self) -> dict[str, str]:
        """All of them."""
        return self.stream_labels() | self.metadata | self.parsed_labels()
