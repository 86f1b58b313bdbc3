"""Renders our chart without Helm: the part of Go's templates and Helm's functions that it uses, and an error for more.

A chart that needs more than this is not simple any more. Where `helm` is installed, tests compare the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_ACTION = re.compile(r"(\s*)\{\{-\s(.*?)\}\}|\{\{(?!-)(.*?)\}\}", re.DOTALL)
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\(|\)|\||:=|,|\$?[\w.$/-]+')


class ChartError(Exception):
    """The chart fails by its own words, or uses what this renderer does not know."""


def render(chart: Path, values: Mapping[str, Any] | None = None, release: str = "pilothouse") -> str:
    """All manifests, each with the path of its template ahead, as `helm template` writes them."""
    described = yaml.safe_load((chart / "Chart.yaml").read_text())
    root = {
        "Values": _merged(yaml.safe_load((chart / "values.yaml").read_text()), values or {}),
        "Release": {"Name": release, "Namespace": "pilothouse", "Service": "Helm"},
        "Chart": {"AppVersion": described["appVersion"]},
    }
    defined: dict[str, list[Any]] = {}
    _parse(_pieces((chart / "templates" / "_names.tpl").read_text()), defined)
    texts = []
    for file in sorted((chart / "templates").glob("*.yaml")):
        tree = _parse(_pieces(file.read_text()), defined)
        texts.append(_Run(defined, root).text(tree, root, {"$": root}))
    return "\n---\n".join(text.strip("\n") for text in texts if text.strip()) + "\n"


def _merged(default: Any, given: Any) -> Any:
    if isinstance(default, dict) and isinstance(given, Mapping):
        return default | {name: _merged(default.get(name), value) for name, value in given.items()}
    return given


def _pieces(text: str) -> list[tuple[str, str]]:
    """Text and actions; `{{-` and `-}}` have taken the white space beside them away."""
    found, place, strip = [], 0, False
    for match in re.finditer(r"\{\{(-\s)?(.*?)(\s-)?\}\}", text, re.DOTALL):
        before = text[place : match.start()]
        before = before.lstrip() if strip else before
        found.append(("text", before.rstrip() if match[1] else before))
        found.append(("action", match[2].strip()))
        place, strip = match.end(), bool(match[3])
    found.append(("text", text[place:].lstrip() if strip else text[place:]))
    return found


def _parse(pieces: list[tuple[str, str]], defined: dict[str, list[Any]]) -> list[Any]:
    stack: list[tuple[str, list[Any], list[Any] | None]] = [("", [], None)]
    for kind, content in pieces:
        words = content.split(None, 1) if kind == "action" else [""]
        verb = words[0] if words else ""
        if kind == "text":
            stack[-1][1].append(("text", content))
        elif verb in ("if", "with", "range", "define"):
            stack.append((content, [], None))
        elif verb == "else":
            head, body, _ = stack.pop()
            stack.append((head, [], body))
        elif verb == "end":
            head, body, first = stack.pop()
            verb, rest = head.split(None, 1)
            if verb == "define":
                defined[rest.strip('"')] = body
            else:
                stack[-1][1].append((verb, rest, body if first is None else first, [] if first is None else body))
        else:
            stack[-1][1].append(("pipe", content))
    if len(stack) > 1:
        raise ChartError(f"{stack[-1][0]}: has no end")
    return stack[0][1]


class _Run:
    def __init__(self, defined: dict[str, list[Any]], root: dict[str, Any]) -> None:
        self._defined, self._root = defined, root

    def text(self, tree: list[Any], dot: Any, variables: dict[str, Any]) -> str:
        parts = []
        for node in tree:
            match node:
                case ("text", content):
                    parts.append(content)
                case ("pipe", content):
                    parts.append(_shown(self._value(content, dot, variables)))
                case ("if", content, then, other):
                    parts.append(self.text(then if self._value(content, dot, variables) else other, dot, variables))
                case ("with", content, then, other):
                    found = self._value(content, dot, variables)
                    parts.append(self.text(then if found else other, found if found else dot, variables))
                case ("range", content, then, _):
                    names, _, source = content.partition(":=")
                    key, value = (name.strip() for name in names.split(","))
                    items = self._value(source, dot, variables)
                    parts += [self.text(then, dot, {**variables, key: one, value: items[one]}) for one in sorted(items)]
        return "".join(parts)

    def _value(self, content: str, dot: Any, variables: dict[str, Any]) -> Any:
        words = _WORD.findall(content)
        value, rest = self._pipeline(words, dot, variables)
        if rest:
            raise ChartError(f"{content}: cannot be read from {rest[0]!r} on")
        return value

    def _pipeline(self, words: list[str], dot: Any, variables: dict[str, Any]) -> tuple[Any, list[str]]:
        arguments, rest = self._command(words, dot, variables)
        value = self._called(arguments, dot)
        while rest and rest[0] == "|":
            arguments, rest = self._command(rest[1:], dot, variables)
            value = self._called([*arguments, value], dot)
        return value, rest

    def _command(self, words: list[str], dot: Any, variables: dict[str, Any]) -> tuple[list[Any], list[str]]:
        found: list[Any] = []
        while words and words[0] not in ("|", ")"):
            word, words = words[0], words[1:]
            if word == "(":
                value, words = self._pipeline(words, dot, variables)
                words = words[1:]
            elif word.startswith('"'):
                value = word[1:-1]
            elif word.isdigit():
                value = int(word)
            elif word.startswith((".", "$")):
                value = _path(word, dot, variables)
            else:
                value = _Name(word)
            found.append(value)
        return found, words

    def _called(self, arguments: list[Any], dot: Any) -> Any:
        name, *given = arguments
        if not isinstance(name, _Name):
            return name
        match name:
            case "include":
                return self.text(self._defined[given[0]], given[1], {"$": given[1]})
            case "toYaml":
                return yaml.safe_dump(given[0], default_flow_style=False, sort_keys=True).rstrip("\n")
            case "nindent":
                return "\n" + "\n".join(" " * given[0] + line if line else "" for line in str(given[1]).split("\n"))
            case "quote":
                return '"' + _shown(given[0]).replace("\\", "\\\\").replace('"', '\\"') + '"'
            case "lower" | "upper":
                return getattr(str(given[0]), name)()
            case "int":
                return int(given[0])
            case "gt":
                return given[0] > given[1]
            case "not":
                return not given[0]
            case "and":
                return next((one for one in given if not one), given[-1])
            case "fail":
                raise ChartError(given[0])
        raise ChartError(f"{name}: is not a function that this renderer knows")


class _Name(str):
    __slots__ = ()


def _path(word: str, dot: Any, variables: dict[str, Any]) -> Any:
    head, _, rest = word.partition(".")
    value = variables[head] if head else dot
    for name in filter(None, rest.split(".")):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
