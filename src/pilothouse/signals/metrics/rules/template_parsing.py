"""The part of Go's text/template that alerts are written in: from text to a tree.

https://pkg.go.dev/text/template
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pilothouse.signals.metrics.promql.numbers import unquote

_ACTION = re.compile(
    r"\{\{(-\s)?\s*(/\*.*?\*/|(?:\"(?:[^\"\\]|\\.)*\"|`[^`]*`|'(?:[^'\\]|\\.)*'|.)*?)\s*(\s-)?\}\}", re.S
)
_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`)|(?P<char>'(?:[^'\\]|\\.)+')"
    r"|(?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?|\.\d+)(?![A-Za-z_]))"
    r"|(?P<variable>\$[A-Za-z_0-9]*)|(?P<field>\.[A-Za-z_][A-Za-z_0-9]*)|(?P<word>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<sign>:=|=|\||\(|\)|,|\.))"
)
_MOST_DEEP = 100


class TemplateError(ValueError):
    """The text is no template, or cannot be filled in."""


@dataclass(slots=True)
class Operand:
    """A value with the fields taken of it. `kind` is literal, dot, variable, function or pipe."""

    kind: str
    value: Any
    fields: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Pipe:
    """Commands, each with its operands; what each makes is the last argument of the next.

    `declares` are the variables that the result goes to, `assigns` says that they are there already.
    """

    commands: list[list[Operand]]
    declares: list[str] = field(default_factory=list)
    assigns: bool = False


@dataclass(slots=True)
class Block:
    """`if`, `range`, `with`: what to do when there is something, and when there is not."""

    kind: str
    pipe: Pipe
    body: list[Any]
    otherwise: list[Any]


@dataclass(slots=True)
class Call:
    """`template "name" pipe`."""

    name: str
    pipe: Pipe | None


@dataclass(slots=True)
class Template:
    """A text with what it defines. Nodes are `str`, `Pipe`, `Block`, `Call`, or `break` and `continue` as `Operand`."""

    nodes: list[Any]
    defined: dict[str, list[Any]]


def parse(text: str) -> Template:
    """Raises `TemplateError`."""
    parsing = _Parsing(_pieces(text))
    nodes, end = parsing.nodes(0)
    if end:
        raise TemplateError(f"unexpected {{{{{end}}}}}")
    return Template(nodes, parsing.defined)


def _pieces(text: str) -> list[tuple[str, str]]:
    """Text and actions in turn; trim marks are applied."""
    pieces: list[tuple[str, str]] = []
    place, trims = 0, False
    for found in _ACTION.finditer(text):
        before = text[place : found.start()]
        before = before.lstrip() if trims else before
        pieces.append(("text", before.rstrip() if found[1] else before))
        if not found[2].startswith("/*"):
            pieces.append(("action", found[2]))
        place, trims = found.end(), bool(found[3])
    rest = text[place:]
    if "{{" in rest:
        raise TemplateError("unclosed action")
    pieces.append(("text", rest.lstrip() if trims else rest))
    return [piece for piece in pieces if piece[0] == "action" or piece[1]]


class _Parsing:
    def __init__(self, pieces: list[tuple[str, str]]) -> None:
        self._pieces, self._place = pieces, 0
        self.defined: dict[str, list[Any]] = {}

    def nodes(self, depth: int) -> tuple[list[Any], str]:
        """Nodes up to `end` or `else`, and which of them it was."""
        if depth > _MOST_DEEP:
            raise TemplateError("nested too deep")
        found: list[Any] = []
        while self._place < len(self._pieces):
            kind, text = self._pieces[self._place]
            self._place += 1
            if kind == "text":
                found.append(text)
                continue
            word = text.split(None, 1)[0] if text else ""
            if word in ("end", "else"):
                return found, text
            if word in ("if", "range", "with"):
                found.append(self._block(word, text[len(word) :], depth))
            elif word in ("define", "block"):
                self._define(word, text[len(word) :], found, depth)
            elif word == "template":
                name, rest = _named(text[len(word) :])
                found.append(Call(name, pipe(rest) if rest.strip() else None))
            elif word in ("break", "continue") and text == word:
                found.append(Operand(word, None))
            else:
                found.append(pipe(text))
        return found, ""

    def _block(self, kind: str, text: str, depth: int) -> Block:
        body, end = self.nodes(depth + 1)
        otherwise: list[Any] = []
        if end.startswith("else"):
            chained = end[4:].strip()
            if chained:
                word = chained.split(None, 1)[0]
                if word not in ("if", "with"):
                    raise TemplateError(f"unexpected {{{{{end}}}}}")
                return Block(kind, pipe(text), body, [self._block(word, chained[len(word) :], depth + 1)])
            otherwise, end = self.nodes(depth + 1)
        if end != "end":
            raise TemplateError(f"unexpected {{{{{end}}}}}" if end else "unexpected EOF")
        return Block(kind, pipe(text), body, otherwise)

    def _define(self, word: str, text: str, found: list[Any], depth: int) -> None:
        name, rest = _named(text)
        body, end = self.nodes(depth + 1)
        if end != "end":
            raise TemplateError("unexpected EOF")
        self.defined[name] = body
        if word == "block":
            found.append(Call(name, pipe(rest)))


def _named(text: str) -> tuple[str, str]:
    found = _TOKEN.match(text)
    if not found or not found["string"]:
        raise TemplateError(f"a name in quotes is expected: {text.strip()}")
    return unquote(found["string"]), text[found.end() :]


def pipe(text: str) -> Pipe:
    """A pipeline."""
    tokens = _tokens(text)
    reading = _Reading(tokens)
    made = reading.pipe(0)
    if reading.place != len(tokens):
        raise TemplateError(f"unexpected {tokens[reading.place][1]!r} in {text.strip()!r}")
    return made


def _tokens(text: str) -> list[tuple[str, str, bool]]:
    """Kind, text, and whether a blank stands before it."""
    tokens: list[tuple[str, str, bool]] = []
    place = 0
    text = text.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if not found or found.end() == place:
            raise TemplateError(f"unexpected character in {text[place:].strip()[:30]!r}")
        kind = str(found.lastgroup)
        tokens.append((kind, found[kind], found.start(kind) > place or not tokens))
        place = found.end()
    return tokens


class _Reading:
    def __init__(self, tokens: list[tuple[str, str, bool]]) -> None:
        self._tokens, self.place = tokens, 0

    def _peek(self, offset: int = 0) -> tuple[str, str, bool]:
        place = self.place + offset
        return self._tokens[place] if place < len(self._tokens) else ("", "", True)

    def pipe(self, depth: int) -> Pipe:
        if depth > _MOST_DEEP:
            raise TemplateError("nested too deep")
        declares, assigns = self._declared()
        commands = [self._command(depth)]
        while self._peek()[1] == "|" and self._peek()[0] == "sign":
            self.place += 1
            commands.append(self._command(depth))
        return Pipe(commands, declares, assigns)

    def _declared(self) -> tuple[list[str], bool]:
        names, offset = [], 0
        while self._peek(offset)[0] == "variable":
            names.append(self._peek(offset)[1])
            sign = self._peek(offset + 1)[1]
            if sign in (":=", "="):
                self.place += offset + 2
                return names, sign == "="
            if sign != ",":
                break
            offset += 2
        return [], False

    def _command(self, depth: int) -> list[Operand]:
        operands: list[Operand] = []
        while self._peek()[0] and self._peek()[1] not in ("|", ")"):
            operands.append(self._operand(depth))
        if not operands:
            raise TemplateError("missing value for command")
        return operands

    def _operand(self, depth: int) -> Operand:
        kind, text, _ = self._peek()
        self.place += 1
        match kind:
            case "string":
                one = Operand("literal", unquote(text))
            case "char":
                one = Operand("literal", ord(unquote('"' + text[1:-1] + '"')))
            case "number":
                one = Operand("literal", _number(text))
            case "variable":
                one = Operand("variable", text)
            case "field":
                one = Operand("dot", None, [text[1:]])
            case "word" if text in ("true", "false", "nil"):
                one = Operand("literal", {"true": True, "false": False, "nil": None}[text])
            case "word":
                return Operand("function", text)
            case _ if text == ".":
                one = Operand("dot", None)
            case _ if text == "(":
                one = Operand("pipe", self.pipe(depth + 1))
                if self._peek()[1] != ")":
                    raise TemplateError("unclosed left paren")
                self.place += 1
            case _:
                raise TemplateError(f"unexpected {text!r}")
        while self._peek()[0] == "field" and not self._peek()[2]:
            one.fields.append(self._peek()[1][1:])
            self.place += 1
        return one


def _number(text: str) -> int | float:
    plain = text.replace("_", "")
    try:
        return int(plain, 0) if not any(mark in plain.lower() for mark in ".e") or "x" in plain else float(plain)
    except ValueError:
        raise TemplateError(f"bad number {text!r}") from None
