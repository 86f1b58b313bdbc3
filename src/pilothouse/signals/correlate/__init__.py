"""From any point of one signal to the other three, and what is different about a selection.

A point (`Anchor`) is a metric's time range, a log line, a trace, a span, a stack frame, or just a time. It is joined
to the others by trace and span id where they are there (log records, exemplars, samples of profiles), else by identity
and time. `different` ranks the attributes that a selection of spans or lines has more often than the rest.
"""

from pilothouse.signals.correlate.anchor import Anchor
from pilothouse.signals.correlate.differing import Difference, different
from pilothouse.signals.correlate.neighbours import neighbours

__all__ = ["Anchor", "Difference", "different", "neighbours"]
