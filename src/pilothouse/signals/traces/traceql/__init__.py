"""TraceQL, Tempo's language for traces: text to tree, and whether its types fit together."""

from pilothouse.signals.traces.traceql.checking import check
from pilothouse.signals.traces.traceql.errors import ParseError, TraceqlError, TypeMismatchError
from pilothouse.signals.traces.traceql.parsing import parse

__all__ = ["ParseError", "TraceqlError", "TypeMismatchError", "check", "parse"]
