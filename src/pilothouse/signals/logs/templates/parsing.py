"""From a template's text to its tree."""

from __future__ import annotations

import re
from typing import Any

from pilothouse.signals.logs.templates import nodes

_ACTION = re.compile(
    r"\{\{(?P<left>-(?=\s))?(?P<inside>(?:\"(?:[^\"\\]|\\.)*\"|`[^`]*`|/\*.*?\*/|[^`\"])*?)(?P<right>(?<=\s)-)?\}\}",
    re.DOTALL,
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<char>'(?:[^'\\]|\\.)')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))
    |(?P<variable>\$[A-Za-z0-9_]*)|(?P<field>\.[A-Za-z_][A-Za-z0-9_]*)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<symbol>:=|[().|=,]))""",
    re.VERBOSE,
)
_DEEPEST = 50


class TemplateError(ValueError):
    """A template that does not parse."""


class Parser:
    """Reads one template; `known` are the names of its functions."""

    def __init__(self, text: str, known: frozenset[str]) -> None:
        self._known = known
        self._pieces = _pieces(text)
        self._place = 0

    def parse(self) -> tuple[Any, ...]:
        """The whole template."""
        body, ended = self._body(0)
        if ended:
            raise TemplateError(f"template: unexpected {{{{{ended}}}}}")
        return body

    def _body(self, depth: int) -> tuple[tuple[Any, ...], str]:
        """Nodes until `end` or `else`, and which it was."""
        if depth > _DEEPEST:
            raise TemplateError("template: nested too deeply")
        found: list[Any] = []
        while self._place < len(self._pieces):
            is_action, text = self._pieces[self._place]
            self._place += 1
            if not is_action:
                if text:
                    found.append(nodes.Text(text))
                continue
            word = text.split(None, 1)[0] if text.split() else ""
            if word in ("end", "else"):
                return tuple(found), text
            if word in ("if", "with", "range"):
                found.append(self._branch(word, text[len(word) :], depth))
            elif word in ("break", "continue"):
                found.append(nodes.Jump(word))
            elif word in ("define", "template", "block"):
                raise TemplateError(f"template: {word} is not supported in a line's template")
            elif text:
                found.append(nodes.Action(self._pipe(text)))
        return tuple(found), ""

    def _branch(self, kind: str, text: str, depth: int) -> nodes.Branch:
        pipe = self._pipe(text)
        body, ended = self._body(depth + 1)
        otherwise: tuple[Any, ...] = ()
        if ended.startswith("else"):
            rest = ended[4:].strip()
            word = rest.split(None, 1)[0] if rest else ""
            if word in ("if", "with"):
                otherwise = (self._branch(word, rest[len(word) :], depth + 1),)
                return nodes.Branch(kind, pipe, body, otherwise)
            if rest:
                raise TemplateError(f"template: unexpected {rest!r} in else")
            otherwise, ended = self._body(depth + 1)
        if ended != "end":
            raise TemplateError("template: unexpected EOF, expecting end")
        return nodes.Branch(kind, pipe, body, otherwise)

    def _pipe(self, text: str) -> nodes.Pipe:
        tokens = _tokens(text)
        reader = _Pipeline(tokens, self._known)
        pipe = reader.pipe()
        if reader.tokens:
            raise TemplateError(f"template: unexpected {reader.tokens[0][1]!r} in operand")
        return pipe


class _Pipeline:
    """Reads what stands inside one action; `tokens` is consumed from the left."""

    def __init__(self, tokens: list[tuple[str, str, bool]], known: frozenset[str]) -> None:
        self.tokens, self._known = tokens, known

    def pipe(self, depth: int = 0) -> nodes.Pipe:
        if depth > _DEEPEST:
            raise TemplateError("template: nested too deeply")
        declares, assigns = self._declared()
        commands = [self._command(depth)]
        while self.tokens and self.tokens[0][1] == "|":
            self.tokens.pop(0)
            command = self._command(depth)
            if isinstance(command, nodes.Constant):
                raise TemplateError("template: non executable command in pipeline")
            commands.append(command if isinstance(command, nodes.Call) else nodes.Misused(command))
        return nodes.Pipe(tuple(commands), declares, assigns)

    def _declared(self) -> tuple[tuple[str, ...], bool]:
        kinds = [kind if kind == "variable" else text for kind, text, _ in self.tokens[:4]]
        for shape in (["variable", ":="], ["variable", ",", "variable", ":="], ["variable", "="]):
            if kinds[: len(shape)] == shape:
                taken = self.tokens[: len(shape)]
                del self.tokens[: len(shape)]
                return tuple(text for kind, text, _ in taken if kind == "variable"), shape[-1] == "="
        return (), False

    def _command(self, depth: int) -> Any:
        operands = []
        while self.tokens and self.tokens[0][1] not in ("|", ")"):
            operands.append(self._operand(depth))
        if not operands:
            raise TemplateError("template: missing value for command")
        first, *rest = operands
        if isinstance(first, nodes.Call) and not first.arguments:
            return nodes.Call(first.name, tuple(rest))
        return nodes.Misused(first) if rest else first

    def _operand(self, depth: int) -> Any:
        kind, text, _ = self.tokens.pop(0)
        node: Any
        match kind:
            case "string":
                node = nodes.Constant(_unquoted(text))
            case "char":
                node = nodes.Constant(ord(_unquoted(f'"{text[1:-1]}"')))
            case "number":
                node = nodes.Constant(_number(text))
            case "variable":
                node = nodes.Variable(text)
            case "field":
                return self._fields(nodes.Field((text[1:],)))
            case "word":
                node = self._word(text)
            case _ if text == "(":
                inner = self.pipe(depth + 1)
                if not self.tokens or self.tokens.pop(0)[1] != ")":
                    raise TemplateError("template: unclosed left paren")
                node = inner
            case _ if text == ".":
                return nodes.Field(())
            case _:
                raise TemplateError(f"template: unexpected {text!r} in operand")
        return self._fields(node)

    def _word(self, text: str) -> Any:
        if text in ("true", "false", "nil"):
            return nodes.Constant({"true": True, "false": False, "nil": None}[text])
        if text not in self._known:
            raise TemplateError(f'template: function "{text}" not defined')
        return nodes.Call(text)

    def _fields(self, node: Any) -> Any:
        """`.b.c` right behind an operand."""
        names = []
        while self.tokens and self.tokens[0][0] == "field" and not self.tokens[0][2]:
            names.append(self.tokens.pop(0)[1][1:])
        if not names:
            return node
        if isinstance(node, nodes.Field):
            return nodes.Field((*node.names, *names), node.base)
        return nodes.Field(tuple(names), node)


def _pieces(text: str) -> list[tuple[bool, str]]:
    """(is an action, what it says) in order; trim markers are applied."""
    found: list[tuple[bool, str]] = []
    place, trim = 0, False
    for action in _ACTION.finditer(text):
        before = text[place : action.start()]
        before = before.lstrip() if trim else before
        found.append((False, before.rstrip() if action["left"] else before))
        inside = action["inside"].strip()
        if not (inside.startswith("/*") and inside.endswith("*/")):
            found.append((True, inside))
            if not inside:
                raise TemplateError("template: missing value for command")
        place, trim = action.end(), bool(action["right"])
    rest = text[place:]
    if "{{" in rest:
        raise TemplateError("template: unclosed action")
    found.append((False, rest.lstrip() if trim else rest))
    return found


def _tokens(text: str) -> list[tuple[str, str, bool]]:
    """(kind, text, whether space stands before it)."""
    found, place = [], 0
    while text[place:].strip():
        token = _TOKEN.match(text, place)
        if not token or not token.lastgroup:
            raise TemplateError(f"template: unexpected {text[place:].strip()[0]!r} in operand")
        found.append((token.lastgroup, token[token.lastgroup], token.start(token.lastgroup) > place))
        place = token.end()
    return found


def _unquoted(text: str) -> str:
    from pilothouse.signals.logs.logql.tokens import LogQLError, unquote

    try:
        return unquote(text)
    except LogQLError as error:
        raise TemplateError(f"template: {error}") from None


def _number(text: str) -> int | float:
    if "x" in text or "X" in text:
        return int(text, 16)
    return int(text) if text.lstrip("+-").isdigit() else float(text)
