"""`| json` and `| unpack` (Loki, "JSON", "unpack")."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

from pilothouse.signals.logs.jsonpaths import follow, parse_path

if TYPE_CHECKING:
    from pilothouse.signals.logs.pipeline.entry import Entry

FAILED = "JSONParserErr"
_INVALID = re.compile(r"[^a-zA-Z0-9_:]")
_SPACE = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


def label_name(key: str, prefix: str = "") -> str:
    """A key as a label's name: what may not be in one becomes an underscore."""
    name = _INVALID.sub("_", key)
    if prefix:
        return f"{prefix}_{name}"
    return f"_{name}" if name[:1].isdigit() else name


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        found = dict(reversed(pairs))
        return {key: found[key] for key, _ in pairs}
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# Numbers stay as they are written.
_DECODER = json.JSONDecoder(object_pairs_hook=_first_wins, parse_float=str, parse_int=str, parse_constant=_refuse)


def decoded(line: str) -> Any:
    """The document in a line, numbers as text; raises `ValueError`."""
    try:
        document = _DECODER.decode(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if _SURROGATE.search(line) or ("\\ud" in line.lower() and _SURROGATE.search(repr_text(document))):
        raise ValueError("half of a surrogate pair")
    return document


def repr_text(document: Any) -> str:
    """All texts of a document in one, to look for what must not be in them."""
    return json.dumps(document, ensure_ascii=False)


def parse_json(entry: Entry) -> bool:
    """Every property becomes a label; arrays are left out, objects are flattened."""
    try:
        document = decoded(entry.line)
    except ValueError as error:
        entry.fail(FAILED, str(error))
        return True
    if not isinstance(document, dict):
        entry.fail(FAILED, "Value looks like object, but can't find closing '}' symbol")
        return True
    _flatten(document, "", entry)
    return True


def _flatten(document: dict[str, Any], prefix: str, entry: Entry) -> None:
    for key, value in document.items():
        name = label_name(key, prefix)
        if isinstance(value, dict):
            _flatten(value, name, entry)
        elif isinstance(value, bool):
            entry.extract(name, "true" if value else "false")
        elif isinstance(value, str) and name:
            entry.extract(name, value)


def expressions(found: tuple[tuple[str, str], ...]) -> Callable[[Entry], bool]:
    """`| json label="path"`: just these."""
    paths = [(label, parse_path(path)) for label, path in found]

    def parse(entry: Entry) -> bool:
        # Nothing is in nothing, and that is no error here (Loki, pkg/logql/log/parser_test.go, "empty line").
        if not entry.line:
            return True
        try:
            document = decoded(entry.line)
        except ValueError as error:
            entry.fail(FAILED, str(error))
            return True
        for label, path in paths:
            value = follow(document, path)
            if isinstance(value, bool):
                value = "true" if value else "false"
            elif isinstance(value, dict | list):
                value = raw_at(entry.line, path)
            entry.extract(label, value or "")
        return True

    return parse


def raw_at(text: str, path: tuple[str | int, ...]) -> str:
    """The text of a value inside a document that is known to be well formed and to have it."""
    place = _skip(text, 0)
    for step in path:
        place = _into(text, place, step)
    _, end = _DECODER.raw_decode(text, place)
    return text[place:end]


def _into(text: str, place: int, step: str | int) -> int:
    """Where the member or element begins."""
    place, count = _skip(text, place + 1), 0
    while True:
        key: str | int = count
        if isinstance(step, str):
            key, place = scanstring(text, place + 1)
            place = _skip(text, _skip(text, place) + 1)
        if key == step:
            return place
        _, end = _DECODER.raw_decode(text, place)
        place, count = _skip(text, _skip(text, end) + 1), count + 1


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def unpack(entry: Entry) -> bool:
    """Promtail's packed lines: texts become labels, `_entry` the line."""
    if not entry.line:
        return True
    try:
        document = decoded(entry.line)
    except ValueError as error:
        entry.fail(FAILED, str(error))
        return True
    if not isinstance(document, dict):
        entry.fail(FAILED, "expecting json object(6), but it is not")
        return True
    quoted = re.compile(r'\s*"')
    # A number is text here too: only what is quoted in the line is a label.
    texts = {
        key: value
        for key, value in document.items()
        if isinstance(value, str) and quoted.match(raw_at(entry.line, (key,)))
    }
    # What has no line of its own was never packed (Loki, pkg/logql/log/parser.go).
    if "_entry" in texts:
        entry.line = texts.pop("_entry")
        for key, value in texts.items():
            entry.extract(label_name(key), value)
    return True
