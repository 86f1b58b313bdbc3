"""Lines that belong together: parts that a runtime cut, and stack traces over many lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pilothouse.signals.collecting.formats import LogLine

_MOST_LINES, _LONGEST = 500, 1_000_000


@dataclass
class Joiner:
    """Joins what comes in order; `start` is an expression that the first line of a record matches.

    Without `start` only parts are joined. `add` gives back a record when it is known to be whole, with the offset
    behind it; `flush` gives the one that still waits.
    """

    start: re.Pattern[str] | None = None
    _part: LogLine | None = None
    _record: LogLine | None = None
    _lines: int = 0
    _end: int = 0
    safe: int = field(default=0)

    def add(self, line: LogLine, end: int) -> LogLine | None:
        """Take a line that ends at this offset."""
        whole = self._joined(line)
        if whole is None:
            return None
        if self.start is None:
            self.safe = end
            return whole
        done = None
        begins = bool(self.start.search(whole.text))
        record = self._record
        if record and not begins and self._lines < _MOST_LINES and len(record.text) < _LONGEST:
            record.text += "\n" + whole.text
            self._lines += 1
        else:
            done, self._record, self._lines = record, whole, 1
            self.safe = self._end
        self._end = end
        return done

    @property
    def waits(self) -> bool:
        """Whether a record might still grow."""
        return self._record is not None

    def flush(self) -> LogLine | None:
        """What waits, as it is."""
        done, self._record = self._record, None
        if done:
            self.safe = self._end
        return done

    def _joined(self, line: LogLine) -> LogLine | None:
        if self._part:
            self._part.text += line.text
            self._part.partial = line.partial
            line = self._part
        self._part = line if line.partial and len(line.text) < _LONGEST else None
        return None if self._part else line
