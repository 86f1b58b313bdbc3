"""A selection of spans or log lines, against the rest of the same resources at the same time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.asking import severity_number
from pilothouse.signals.selector import Matcher, Selector, parse_selector
from pilothouse.signals.timerange import TimeRange, parse_duration
from pilothouse.signals.wire import only, time_range

if TYPE_CHECKING:
    from starlette.requests import Request

_RANGE = ("start", "end", "since")
TRACES = (
    "signal", "selector", "service", "operation", "min_duration", "max_duration", "errors", "picked", "limit", *_RANGE
)  # fmt: skip
LOGS = ("signal", "selector", "service", "contains", "severity", "picked", "limit", *_RANGE)


@dataclass(frozen=True, slots=True)
class Selection:
    """`table` is `spans` or `logs`; `population` and `chosen` are SQL conditions on its rows.

    `fields` are columns that are compared like attributes; `said` is what was selected, in words.
    """

    table: str
    within: TimeRange
    selector: Selector
    chosen: str
    population: str = "1"
    parameters: dict[str, Any] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    said: str = ""


def spans_selected(request: Request) -> Selection:
    """Spans that took so long, or failed, or match `picked`, against the others of the same service and operation."""
    only(request, *TRACES)
    query = request.query_params
    chosen, said, parameters = [], [], dict[str, Any]()
    for name, operator in (("min_duration", ">="), ("max_duration", "<=")):
        if query.get(name):
            nanoseconds = int(parse_duration(query[name], name) * 1e9)
            chosen.append(f"duration {operator} {nanoseconds}")
            said.append(f"duration {operator} {query[name]}")
    if query.get("errors") not in (None, "", "0"):
        chosen.append("status_code = 2")
        said.append("failed")
    population = "1"
    fields: tuple[str, ...] = ("name", "status_message")
    if operation := query.get("operation", ""):
        population, fields = "name = {operation:String}", ("status_message",)
        parameters["operation"] = operation
    return _selection(request, "spans", chosen, said, parameters, population, fields)


def lines_selected(request: Request) -> Selection:
    """Lines that contain this, are at least so severe, or match `picked`, against the others of the same resources."""
    only(request, *LOGS)
    query = request.query_params
    chosen, said, parameters = [], [], dict[str, Any]()
    if text := query.get("contains", ""):
        chosen.append("position(body, {contains:String}) > 0")
        parameters["contains"] = text
        said.append(f"contains {text!r}")
    if name := query.get("severity", ""):
        number = severity_number(name)
        if number is None:
            raise BadRequestError(f"severity: {name!r} is not trace, debug, info, warn, error or fatal", "severity")
        chosen.append(f"severity_number >= {number}")
        said.append(f"severity {name} or worse")
    return _selection(request, "logs", chosen, said, parameters, "1", ("severity_text", "event_name", "scope_name"))


def _selection(
    request: Request, table: str, chosen: list[str], said: list[str], parameters: dict[str, Any], population: str,
    fields: tuple[str, ...],
) -> Selection:  # fmt: skip
    query = request.query_params
    selector = parse_selector(query.get("selector", ""))
    if service := query.get("service", ""):
        selector = Selector((Matcher("service.name", "=", service), *selector.matchers))
    if picked := query.get("picked", ""):
        condition, more = parse_selector(picked, "picked").condition("attributes", "picked")
        chosen.append(condition)
        parameters |= more
        said.append(picked)
    if not chosen:
        some = "min_duration, max_duration, errors" if table == "spans" else "contains, severity"
        raise BadRequestError(f"picked: say what is selected: {some}, or picked (attributes)", "picked")
    within = time_range(request)
    return Selection(
        table, within, selector, " AND ".join(f"({one})" for one in chosen), population, parameters, fields,
        ", ".join(said),
    )  # fmt: skip
