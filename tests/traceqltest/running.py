"""Runs a list of queries.

The file is YAML with lists of query texts under these keys:

- `valid`: parses, and its types fit together
- `parse_fails`: is not TraceQL
- `validate_fails`: parses, and its types do not fit together
- `unsupported`: parses (a name for what some versions of Tempo read but do not answer)

An entry may be `{query: ..., error: ...}` instead; the message must then hold that text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from pilothouse.signals.traces.traceql import ParseError, TraceqlError, TypeMismatchError, check, parse

KEYS = ("valid", "parse_fails", "validate_fails", "unsupported")


@dataclass(frozen=True, slots=True)
class Result:
    """One query of a list; `failure` is empty when it was as it should be."""

    expected: str
    query: str
    failure: str


def run(text: str) -> Iterator[Result]:
    """The results of a file's queries."""
    content = yaml.safe_load(text)
    if not isinstance(content, dict) or not any(content.get(key) for key in KEYS):
        yield Result("", "", f"the file has none of the lists {', '.join(KEYS)}")
        return
    for key in KEYS:
        for entry in content.get(key) or []:
            query, wanted = (entry["query"], entry.get("error", "")) if isinstance(entry, dict) else (entry, "")
            yield Result(key, str(query), _failure(key, str(query), wanted))


def _failure(expected: str, query: str, wanted: str) -> str:
    error: TraceqlError | None = None
    tree: Any = None
    try:
        tree = parse(query)
        check(tree)
    except TraceqlError as found:
        error = found
    fitting = {
        "valid": error is None,
        "parse_fails": isinstance(error, ParseError),
        "validate_fails": isinstance(error, TypeMismatchError),
        "unsupported": tree is not None,
    }[expected]
    if not fitting:
        return f"{expected}, but {error or 'it was accepted'}"
    return "" if wanted in str(error) else f"the message is {error}"
