"""What templates of alerts may call: Prometheus' own functions, and those that Go brings.

https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
"""

from __future__ import annotations

import html
import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, urlsplit

from pilothouse.signals.metrics.promql.durations import parse_duration
from pilothouse.signals.metrics.promql.matcher import RegexError, compiled
from pilothouse.signals.metrics.promql.numbers import format_g, quote
from pilothouse.signals.metrics.promql.relabelling import expanded
from pilothouse.signals.metrics.rules.template_parsing import TemplateError

_VERB = re.compile(r"%([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?([a-zA-Z%])")
_LARGE = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
_LARGE_BINARY = ("", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_SMALL = ("m", "u", "n", "p", "f", "a", "z", "y")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a query in a template finds."""

    labels: dict[str, str]
    value: float


class Moment(datetime):
    """A time; templates print it as Go does."""


def go_text(value: Any) -> str:
    """A value as Go prints it (`%v`)."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return format_g(value)
        case str() | int():
            return str(value)
        case Moment():
            return value.strftime("%Y-%m-%d %H:%M:%S") + _fraction(value) + " +0000 UTC"
        case dict():
            return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
        case Sample():
            return "{" + f"{go_text(value.labels)} {go_text(value.value)}" + "}"
        case list() | tuple():
            return "[" + " ".join(map(go_text, value)) + "]"
    return str(value)


def _fraction(moment: datetime) -> str:
    return f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""


def number(value: Any) -> float:
    """A number, or a text that is one. Raises `TemplateError`."""
    if isinstance(value, bool) or value is None:
        raise TemplateError(f"cannot convert {go_text(value)} to a number")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TemplateError(f"strconv.ParseFloat: parsing {quote(str(value))}: invalid syntax") from None


def _four_digits(value: float) -> str:
    """`%.4g`."""
    return printf("%.4g", value)


def humanize(value: Any, units: tuple[str, ...] = _LARGE, base: int = 1000) -> str:
    """With a metric prefix."""
    amount = number(value)
    if amount == 0 or not math.isfinite(amount):
        return _four_digits(amount)
    place = 0
    if abs(amount) >= 1:
        while place + 1 < len(units) and abs(amount) >= base:
            amount /= base
            place += 1
        return f"{_four_digits(amount)}{units[place]}"
    prefix = ""
    for prefix in _SMALL:
        if abs(amount) >= 1:
            break
        amount *= 1000
        last = prefix
    return f"{_four_digits(amount)}{last}"


def humanize_binary(value: Any) -> str:
    """With a binary prefix."""
    amount = number(value)
    if abs(amount) <= 1 or not math.isfinite(amount):
        return _four_digits(amount)
    return humanize(amount, _LARGE_BINARY, 1024)


def humanize_duration(value: Any) -> str:
    """Seconds in days, hours, minutes, seconds, or their parts."""
    seconds = number(value)
    if not math.isfinite(seconds):
        return _four_digits(seconds)
    if seconds == 0:
        return "0s"
    if abs(seconds) >= 1:
        sign = "-" if seconds < 0 else ""
        whole = int(abs(seconds))
        days, hours, minutes, rest = whole // 86400, whole // 3600 % 24, whole // 60 % 60, whole % 60
        if days:
            return f"{sign}{days}d {hours}h {minutes}m {rest}s"
        if hours:
            return f"{sign}{hours}h {minutes}m {rest}s"
        if minutes:
            return f"{sign}{minutes}m {rest}s"
        return f"{_four_digits(seconds)}s"
    prefix = ""
    for one in _SMALL:
        if abs(seconds) >= 1:
            break
        prefix = one
        seconds *= 1000
    return f"{_four_digits(seconds)}{prefix}s"


def _moment(value: Any) -> Moment:
    seconds = number(value)
    try:
        return Moment.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise TemplateError(f"{go_text(seconds)} cannot be represented as a nanoseconds timestamp") from None


def humanize_timestamp(value: Any) -> str:
    """Unix seconds as a time in UTC."""
    seconds = number(value)
    return go_text(_moment(seconds)) if math.isfinite(seconds) else _four_digits(seconds)


def printf(form: Any, *values: Any) -> str:
    """Go's `fmt.Sprintf`, for the verbs that a template uses."""
    rest = list(values)

    def one(found: re.Match[str]) -> str:
        flags, width, precision, verb = found.groups()
        if verb == "%":
            return "%"
        if width == "*":
            width = str(rest.pop(0)) if rest else ""
        if precision == "*":
            precision = str(rest.pop(0)) if rest else ""
        if not rest:
            return f"%!{verb}(MISSING)"
        has_precision = "." in found[0]
        return _formatted(rest.pop(0), verb, flags, width or "", (precision or "0") if has_precision else "")

    text = _VERB.sub(one, str(form))
    return text + ("%!(EXTRA " + ", ".join(f"{_type(value)}={go_text(value)}" for value in rest) + ")" if rest else "")


def _formatted(value: Any, verb: str, flags: str, width: str, precision: str) -> str:
    dotted = f".{precision}" if precision else ""
    real = isinstance(value, float)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if verb in "eEfFgG" and real:
        if not math.isfinite(value):
            text = format_g(value) if value != value or value < 0 or "+" in flags else "+Inf"
            return text.rjust(int(width or 0))
        if verb in "gG" and not precision:
            text = format_g(value)
            return text.ljust(int(width or 0)) if "-" in flags else text.rjust(int(width or 0))
        return str(f"%{flags}{width}{dotted}{verb}" % value)
    if (verb in "dxXob" and whole) or (verb == "c" and whole):
        return f"{value:b}".rjust(int(width or 0)) if verb == "b" else str(f"%{flags}{width}{verb}" % value)
    if verb == "q" and isinstance(value, str):
        text = quote(value)
    elif verb in "sv" or (verb == "t" and isinstance(value, bool)):
        if verb == "s" and not isinstance(value, str) and (real or whole or isinstance(value, bool)):
            return f"%!s({_type(value)}={go_text(value)})"
        text = go_text(value)
        text = text[: int(precision)] if precision and isinstance(value, str) else text
    elif verb == "T":
        text = _type(value)
    else:
        return f"%!{verb}({_type(value)}={go_text(value)})"
    return text.ljust(int(width or 0)) if "-" in flags else text.rjust(int(width or 0))


def _type(value: Any) -> str:
    known = {bool: "bool", int: "int", float: "float64", str: "string"}
    return known.get(type(value), "map[string]string" if isinstance(value, dict) else "<nil>")


def _printed(*values: Any) -> str:
    """Go's `fmt.Sprint`: a blank between two that are both no text."""
    text = ""
    for place, value in enumerate(values):
        if place and not isinstance(value, str) and not isinstance(values[place - 1], str):
            text += " "
        text += go_text(value)
    return text


def _first(samples: Sequence[Any]) -> Any:
    if not samples:
        raise TemplateError("first() called on vector with no elements")
    return samples[0]


def _sorted_by(label: str, samples: Sequence[Sample]) -> list[Sample]:
    return sorted(samples, key=lambda one: one.labels.get(label, ""))


def _replaced(pattern: str, replacement: str, text: str) -> str:
    regex, made, place = _regex(pattern), "", 0
    for found in regex.finditer(text):
        made += text[place : found.start()] + expanded(replacement, found)
        place = found.end()
    return made + text[place:]


def _regex(pattern: str) -> Any:
    try:
        return compiled(pattern)
    except RegexError as error:
        raise TemplateError(str(error)) from None


def _strip_port(address: str) -> str:
    found = re.fullmatch(r"\[([^\]]*)\]:[^:]*|([^:\[\]]*):[^:]*", address)
    return (found[1] if found[1] is not None else found[2]) if found else address


def _strip_domain(address: str) -> str:
    host, colon, port = address.partition(":")
    if re.fullmatch(r"[\d.]+", host) or address.count(":") > 1:
        return address
    return host.partition(".")[0] + colon + port


def _graph(expression: str, tab: int) -> str:
    return f"/graph?g0.expr={quote_plus(expression)}&g0.tab={tab}"


def table_link(expression: str) -> str:
    """The path of an expression's page."""
    return _graph(expression, 1)


def _length(value: Any) -> int:
    try:
        return len(value.encode() if isinstance(value, str) else value)
    except TypeError:
        raise TemplateError(f"len of type {_type(value)}") from None


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        try:
            value = value.get(key, "") if isinstance(value, dict) else value[key]
        except (IndexError, KeyError, TypeError):
            raise TemplateError(f"error calling index: {go_text(key)} is not there") from None
    return value


def _slice(value: Any, *edges: Any) -> Any:
    try:
        return value[slice(*edges)] if len(edges) > 1 else value[edges[0] if edges else 0 :]
    except TypeError:
        raise TemplateError("can't slice this") from None


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def function(left: Any, right: Any) -> bool:
        if isinstance(left, str) != isinstance(right, str) or left is None or right is None:
            raise TemplateError("incompatible types for comparison")
        return compare(left, right)

    return function


def _equal(left: Any, *others: Any) -> bool:
    if any(isinstance(left, str) != isinstance(other, str) for other in others):
        raise TemplateError("incompatible types for comparison")
    return left in others


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "first": _first,
    "label": lambda name, sample: sample.labels.get(name, ""),
    "value": lambda sample: sample.value,
    "strvalue": lambda sample: sample.labels.get("__value__", ""),
    "args": lambda *values: {f"arg{place}": value for place, value in enumerate(values)},
    "reReplaceAll": _replaced,
    "safeHtml": lambda text: text,
    "match": lambda pattern, text: _regex(pattern).search(text) is not None,
    "title": lambda text: re.sub(r"\b\w", lambda found: found[0].upper(), text),
    "toUpper": lambda text: text.upper(),
    "toLower": lambda text: text.lower(),
    "graphLink": lambda expression: _graph(expression, 0),
    "tableLink": table_link,
    "sortByLabel": _sorted_by,
    "stripPort": _strip_port,
    "stripDomain": _strip_domain,
    "humanize": humanize,
    "humanize1024": humanize_binary,
    "humanizeDuration": humanize_duration,
    "humanizePercentage": lambda value: f"{_four_digits(number(value) * 100)}%",
    "humanizeTimestamp": humanize_timestamp,
    "toTime": _moment,
    "toDuration": lambda value: f"{number(value):g}s",
    "now": time.time,
    "parseDuration": lambda text: parse_duration(text) / 1000,
    "urlQueryEscape": quote_plus,
    "len": _length,
    "index": _index,
    "slice": _slice,
    "print": _printed,
    "printf": printf,
    "println": lambda *values: " ".join(map(go_text, values)) + "\n",
    "html": lambda *values: html.escape(_printed(*values)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
    "js": lambda *values: _printed(*values).replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"'),
    "urlquery": lambda *values: quote_plus(_printed(*values)),
    "not": lambda value: not value,
    "eq": _equal,
    "ne": lambda left, right: not _equal(left, right),
    "lt": _compared(lambda left, right: bool(left < right)),
    "le": _compared(lambda left, right: bool(left <= right)),
    "gt": _compared(lambda left, right: bool(left > right)),
    "ge": _compared(lambda left, right: bool(left >= right)),
}
"""By their names in templates; `query`, `externalURL` and `pathPrefix` depend on where a template is filled in."""


def of_server(query: Callable[[str], list[Sample]], external_url: str) -> dict[str, Callable[..., Any]]:
    """The functions that depend on the server."""
    return {
        "query": query,
        "externalURL": lambda: external_url,
        "pathPrefix": lambda: urlsplit(external_url).path,
    }
