"""Label selectors: `service_name="checkout", env=~"prod|staging"`, the same in all four signals.

The syntax is Prometheus' and Loki's: `=`, `!=`, `=~`, `!~` with anchored RE2 expressions, in braces or without. A
label may be written as OpenTelemetry names it (`service.name`, in quotes or not) or with underscores, as Prometheus
does; both mean the same attribute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pilothouse.signals.errors import BadRequestError

_MATCHER = re.compile(
    r"""\s*(?:"(?P<quoted>(?:[^"\\]|\\.)+)"|(?P<bare>[A-Za-z_][\w.]*))\s*(?P<operator>=~|!~|!=|=)\s*
        (?:"(?P<value>(?:[^"\\]|\\.)*)"|`(?P<raw>[^`]*)`)\s*""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; `operator` is one of `=`, `!=`, `=~`, `!~`."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """All matchers must hold. No matcher means everything."""

    matchers: tuple[Matcher, ...] = ()

    def condition(self, attributes: str, prefix: str = "m") -> tuple[str, dict[str, str]]:
        """SQL over the map column `attributes`, and its parameters."""
        parts, parameters = [], {}
        for position, matcher in enumerate(self.matchers):
            name = f"{prefix}{position}"
            parts.append(_condition(attributes, matcher, name))
            parameters[f"{name}_label"] = normalised(matcher.label)
            parameters[f"{name}_value"] = matcher.value if matcher.operator in ("=", "!=") else _whole(matcher.value)
        return " AND ".join(parts) or "1", parameters


def normalised(label: str) -> str:
    """The label as Prometheus writes it: everything but letters, digits and underscores becomes an underscore."""
    return re.sub(r"[^A-Za-z0-9_]", "_", label)


def equals(**labels: str) -> Selector:
    """A selector of equalities: `equals(service_name="checkout")`."""
    return Selector(tuple(Matcher(label, "=", value) for label, value in labels.items()))


def parse_selector(text: str, field: str = "selector") -> Selector:
    """The selector that `text` writes; raises `BadRequestError` that says where it is wrong."""
    inner = text.strip()
    if inner.startswith("{") != inner.endswith("}"):
        raise BadRequestError(f"{field}: a brace is missing in {text!r}", field)
    inner = inner.removeprefix("{").removesuffix("}")
    matchers, place = [], 0
    while inner[place:].strip(" ,"):
        found = _MATCHER.match(inner, place)
        if not found:
            raise BadRequestError(
                f'{field}: expected label="value" at {inner[place:].strip()[:40]!r}; '
                'for example service_name="checkout", env=~"prod|staging"',
                field,
            )
        matchers.append(_matcher(found, field))
        place = found.end()
        if inner[place : place + 1] == ",":
            place += 1
        elif inner[place:].strip():
            raise BadRequestError(f"{field}: expected a comma at {inner[place:].strip()[:40]!r}", field)
    return Selector(tuple(matchers))


def _matcher(found: re.Match[str], field: str) -> Matcher:
    value = found["raw"] if found["raw"] is not None else _unescape(found["value"])
    if found["operator"] in ("=~", "!~"):
        _check_expression(value, field)
    return Matcher(found["bare"] or _unescape(found["quoted"]), found["operator"], value)


def _check_expression(value: str, field: str) -> None:
    """Whether the engine will take it: a store without rows would not look at it, and find nothing."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(_whole(value), options)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else error
        raise BadRequestError(f"{field}: {value!r} is not a regular expression: {reason}", field) from None


def _whole(expression: str) -> str:
    return f"^(?s:{expression})$"


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text)


def _condition(attributes: str, matcher: Matcher, name: str) -> str:
    # A label that is not there counts as empty, as in Prometheus.
    value = (
        f"{attributes}.values[arrayFirstIndex(key -> replaceRegexpAll(key, '[^A-Za-z0-9_]', '_') "
        f"= {{{name}_label:String}}, {attributes}.keys)]"
    )
    given = f"{{{name}_value:String}}"
    return {
        "=": f"{value} = {given}",
        "!=": f"{value} != {given}",
        "=~": f"match({value}, {given})",
        "!~": f"NOT match({value}, {given})",
    }[matcher.operator]
