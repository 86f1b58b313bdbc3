"""The functions of a line's template (Loki, "LogQL template functions"; Go's own: pkg.go.dev/text/template)."""

from __future__ import annotations

import base64
import html as escaping
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from pilothouse.signals.logs.logql.quantities import amount_bytes, duration_nanoseconds
from pilothouse.signals.logs.regexes import compiled
from pilothouse.signals.logs.templates import numbers, times
from pilothouse.signals.logs.templates.printing import printf, shown, truth

_MOST = 1_000_000


class TemplateFailureError(ValueError):
    """A template that failed on a line."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a whole number")
    return value


def _replace(old: str, new: str, source: str) -> str:
    return _bounded(_text(source).replace(_text(old), _text(new)))


def _bounded(text: str) -> str:
    if len(text) > _MOST:
        raise ValueError("the text grows too long")
    return text


def _repeat(count: int, source: str) -> str:
    if _count(count) < 0 or count * len(_text(source)) > _MOST:
        raise ValueError("negative or too large count")
    return source * count


def _substr(start: int, end: int, source: str) -> str:
    if start < 0:
        return source[: max(end, 0)]
    return source[start:] if end < 0 or end > len(source) else source[start:end]


def _trunc(count: int, source: str) -> str:
    if count < 0:
        return source[count:] if len(source) + count > 0 else source
    return source[:count]


def _indent(spaces: int, source: str) -> str:
    pad = " " * min(_count(spaces), 1000)
    return pad + _bounded(_text(source).replace("\n", f"\n{pad}"))


def _align_left(count: int, source: str) -> str:
    return source if _count(count) < 0 else source[: min(count, _MOST)].ljust(min(count, _MOST))


def _align_right(count: int, source: str) -> str:
    return source if _count(count) < 0 else source[max(len(source) - count, 0) :].rjust(min(count, _MOST))


def _title(source: str) -> str:
    return re.sub(r"(^|\W)(\w)", lambda found: found[1] + found[2].upper(), _text(source))


def _remove_prefix(prefix: str, source: str) -> str:
    return _text(source).removeprefix(_text(prefix))


def _remove_suffix(suffix: str, source: str) -> str:
    return _text(source).removesuffix(_text(suffix))


def _regex_replace(expression: str, source: str, replacement: str) -> str:
    return _bounded(_replaced(expression, source, lambda found: expand(replacement, found)))


def _regex_replace_literal(expression: str, source: str, replacement: str) -> str:
    return _bounded(_replaced(expression, source, lambda found: _text(replacement)))


def _replaced(expression: str, source: str, said: Callable[[Any], str]) -> str:
    parts, place = [], 0
    for found in compiled(_text(expression)).finditer(_text(source)):
        parts += [source[place : found.start()], said(found)]
        place = found.end()
    return "".join([*parts, source[place:]])


_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")


def expand(replacement: str, found: Any) -> str:
    """`$1`, `${name}` as Go's Regexp.Expand has them; what names no group is empty."""

    def said(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        try:
            return found.group(int(name) if name.isdigit() else name) or ""
        except (IndexError, KeyError):
            return ""

    return _REFERENCE.sub(said, replacement)


def _from_json(text: str) -> Any:
    try:
        return json.loads(_text(text), parse_int=float)
    except (ValueError, RecursionError):
        return ""


def _equal(first: Any, *others: Any) -> bool:
    return any(_comparable(first, other) and first == other for other in others)


def _comparable(first: Any, other: Any) -> bool:
    if type(first) is not type(other) and first is not None and other is not None:
        raise ValueError("incompatible types for comparison")
    return True


def _less(first: Any, other: Any) -> bool:
    if isinstance(first, list | Mapping) or first is None:
        raise ValueError("invalid type for comparison")
    return _comparable(first, other) and bool(first < other)


def _index(item: Any, *keys: Any) -> Any:
    for key in keys:
        item = item.get(key, "") if isinstance(item, Mapping) else _bytes_of(item)[_count(key)]
    return item


def _bytes_of(item: Any) -> Any:
    """Go's strings are bytes."""
    return item.encode() if isinstance(item, str) else item


def _slice(item: Any, *places: int) -> Any:
    whole = _bytes_of(item)
    start, end = (places[0] if places else 0), (places[1] if len(places) > 1 else len(whole))
    if not 0 <= start <= end <= len(whole):
        raise ValueError("index out of range")
    part = whole[start:end]
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else part


def _print(*items: Any) -> str:
    parts = []
    for place, item in enumerate(items):
        if place and not isinstance(item, str) and not isinstance(items[place - 1], str):
            parts.append(" ")
        parts.append(shown(item))
    return "".join(parts)


def _default(fallback: Any, value: Any = "") -> Any:
    return value if truth(value) else fallback


def _bytes(text: str) -> float:
    amount = amount_bytes(_text(text))
    if amount is None:
        raise ValueError(f"{text!r} is no amount of bytes")
    return float(amount)


def _seconds(text: str) -> float:
    nanoseconds = duration_nanoseconds(_text(text))
    if nanoseconds is None:
        raise ValueError(f"{text!r} is no duration")
    return nanoseconds / 1e9


def _decoded(text: str) -> str:
    return base64.b64decode(text, validate=True).decode("utf-8", "replace")


# Go, text/template, JSEscape.
_SCRIPT = {code: f"\\u{code:04X}" for code in (*range(32), *map(ord, "<>&="))}
_SCRIPT |= {ord(letter): f"\\{letter}" for letter in "\\'\""}


FUNCTIONS: dict[str, Callable[..., Any]] = {
    # Go's own
    "not": lambda value: not truth(value),
    "eq": _equal,
    "ne": lambda first, other: not _equal(first, other),
    "lt": _less,
    "le": lambda first, other: not _less(other, first),
    "gt": lambda first, other: _less(other, first),
    "ge": lambda first, other: not _less(first, other),
    "len": lambda item: len(_bytes_of(item)),
    "index": _index,
    "slice": _slice,
    "print": _print,
    "printf": lambda form, *items: _bounded(printf(_text(form), *items)),
    "println": lambda *items: " ".join(map(shown, items)) + "\n",
    "html": lambda *items: escaping.escape(_print(*items)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
    "js": lambda *items: _print(*items).translate(_SCRIPT),
    "urlquery": lambda *items: quote_plus(_print(*items)),
    # The older names, in Go's order of arguments
    "ToLower": lambda text: _text(text).lower(),
    "ToUpper": lambda text: _text(text).upper(),
    "Replace": lambda text, old, new, most: _bounded(_text(text).replace(old, new, most)),
    "Trim": lambda text, chars: _text(text).strip(chars),
    "TrimLeft": lambda text, chars: _text(text).lstrip(chars),
    "TrimRight": lambda text, chars: _text(text).rstrip(chars),
    "TrimPrefix": lambda text, prefix: _text(text).removeprefix(prefix),
    "TrimSuffix": lambda text, suffix: _text(text).removesuffix(suffix),
    "TrimSpace": lambda text: _text(text).strip(),
    # Strings
    "lower": lambda text: _text(text).lower(),
    "upper": lambda text: _text(text).upper(),
    "title": _title,
    "trim": lambda text: _text(text).strip(),
    "trimAll": lambda chars, text: _text(text).strip(chars),
    "trimPrefix": _remove_prefix,
    "trimSuffix": _remove_suffix,
    "trunc": lambda count, text: _trunc(_count(count), _text(text)),
    "substr": lambda start, end, text: _substr(_count(start), _count(end), _text(text)),
    "replace": _replace,
    "repeat": _repeat,
    "indent": _indent,
    "nindent": lambda spaces, text: "\n" + _indent(spaces, text),
    "alignLeft": lambda count, text: _align_left(count, _text(text)),
    "alignRight": lambda count, text: _align_right(count, _text(text)),
    "contains": lambda part, text: _text(part) in _text(text),
    "hasPrefix": lambda prefix, text: _text(text).startswith(_text(prefix)),
    "hasSuffix": lambda suffix, text: _text(text).endswith(_text(suffix)),
    "default": _default,
    "count": lambda expression, text: sum(1 for _ in compiled(_text(expression)).finditer(_text(text))),
    "regexReplaceAll": _regex_replace,
    "regexReplaceAllLiteral": _regex_replace_literal,
    "urlencode": lambda text: quote_plus(_text(text)),
    "urldecode": lambda text: unquote_plus(_text(text)),
    "b64enc": lambda text: base64.b64encode(_text(text).encode()).decode(),
    "b64dec": _decoded,
    "fromJson": _from_json,
    "bytes": _bytes,
    "duration": _seconds,
    "duration_seconds": _seconds,
    **numbers.FUNCTIONS,
    **times.FUNCTIONS,
}
