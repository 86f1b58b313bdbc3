"""LogQL, the language: text to a tree and back, with errors that name line and column. Knows no engine.

The language is Grafana Loki's (documentation "LogQL: Log query language"). The grammar is small and the parser is
written by hand, because it must start with the command line and must say where a query is wrong.
"""

from pilothouse.signals.logs.logql.parsing import parse, parse_log_query, parse_matchers
from pilothouse.signals.logs.logql.tokens import LogQLError
from pilothouse.signals.logs.logql.writing import write

__all__ = ["LogQLError", "parse", "parse_log_query", "parse_matchers", "write"]
