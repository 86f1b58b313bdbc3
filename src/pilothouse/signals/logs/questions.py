"""Our own API's parameters as a LogQL query: a query or a selector, with the filters that options stand for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.asking import severity_number
from pilothouse.signals.logs.logql import parse, tree
from pilothouse.signals.logs.recognising import is_logql
from pilothouse.signals.selector import Matcher, normalised, parse_selector
from pilothouse.signals.wire import trace_id

if TYPE_CHECKING:
    from starlette.requests import Request

_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
PARAMETERS = ("query", "selector", "contains", "matches", "invert", "severity", "trace_id")


def asked(request: Request) -> tree.LogQuery:
    """The log query of a request."""
    query = request.query_params
    base = log_query(query.get("query") or query.get("selector") or "")
    stages: list[tree.Stage] = []
    negated = "!" if query.get("invert") else "|"
    stages += [tree.LineFilter(f"{negated}=", (tree.Needle(text),)) for text in query.getlist("contains")]
    for expression in query.getlist("matches"):
        _check_expression(expression)
        stages.append(tree.LineFilter(f"{negated}~", (tree.Needle(expression),)))
    if level := query.get("severity", ""):
        stages.append(tree.LabelFilter(tree.StringTest("detected_level", "=~", _levels(level))))
    if identifier := trace_id(query.get("trace_id", "")):
        stages.append(tree.LabelFilter(tree.StringTest("trace_id", "=", identifier)))
    # What options say is about the lines as they came, before a pipeline changes them.
    return replace(base, stages=(*stages, *base.stages))


def log_query(text: str) -> tree.LogQuery:
    """LogQL, or a bare selector as everywhere else in Pilothouse; nothing at all means every stream."""
    if is_logql(text):
        query = parse(text, allow_all=True)
        if not isinstance(query, tree.LogQuery):
            raise BadRequestError("query: this is an expression for numbers; ask /loki/api/v1/query_range", "query")
        return query
    matchers = parse_selector(text, "query").matchers
    return tree.LogQuery(tuple(Matcher(normalised(one.label), one.operator, one.value) for one in matchers))


def _check_expression(expression: str) -> None:
    from pilothouse.signals.logs.regexes import RegexError, compiled

    try:
        compiled(expression)
    except RegexError as error:
        raise BadRequestError(f"matches: {expression!r} is not a regular expression: {error}", "matches") from None


def _levels(name: str) -> str:
    number = severity_number(name)
    if number is None:
        raise BadRequestError(f"severity: {name!r} is not trace, debug, info, warn, error or fatal", "severity")
    return "|".join(_LEVELS[(number - 1) // 4 :])
