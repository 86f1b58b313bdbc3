"""Running a template on a line."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pilothouse.signals.logs.templates import nodes
from pilothouse.signals.logs.templates.functions import FUNCTIONS, TemplateFailureError
from pilothouse.signals.logs.templates.parsing import Parser
from pilothouse.signals.logs.templates.printing import shown, truth

_KNOWN = frozenset({*FUNCTIONS, "and", "or", "__line__", "__timestamp__"})
_LONGEST = 1_000_000


class _Break(Exception):  # noqa: N818
    pass


class _Continue(Exception):  # noqa: N818
    pass


class Template:
    """A parsed template."""

    def __init__(self, text: str) -> None:
        """Raises `TemplateError`."""
        self._nodes = Parser(text, _KNOWN).parse()

    def field_or_text(self) -> list[nodes.Text | str] | None:
        """The parts of a template of nothing but text and plain labels; None when there is more to it."""
        parts: list[nodes.Text | str] = []
        for node in self._nodes:
            if isinstance(node, nodes.Text):
                parts.append(node)
                continue
            command = node.pipe.commands[0] if isinstance(node, nodes.Action) else None
            if not isinstance(command, nodes.Field) or command.base is not None or len(command.names) != 1:
                return None
            if len(node.pipe.commands) > 1 or node.pipe.declares:
                return None
            parts.append(command.names[0])
        return parts

    def run(self, labels: Mapping[str, str], line: str, nanoseconds: int) -> str:
        """What it says about a line; raises `TemplateFailureError`."""
        dot = _Labels(labels)
        run = _Run(dot, line, nanoseconds)
        try:
            run.walk(self._nodes, dot)
        except (_Break, _Continue):
            raise TemplateFailureError("break or continue outside of range") from None
        except RecursionError:
            raise TemplateFailureError("nested too deeply") from None
        return "".join(run.parts)


class _Run:
    def __init__(self, labels: Mapping[str, str], line: str, nanoseconds: int) -> None:
        self.parts: list[str] = []
        self._size = 0
        self._line, self._time = line, nanoseconds
        self._variables: list[tuple[str, Any]] = [("$", labels)]

    def walk(self, found: tuple[Any, ...], dot: Any) -> None:
        depth = len(self._variables)
        for node in found:
            match node:
                case nodes.Text():
                    self._say(node.text)
                case nodes.Action():
                    value = self._pipe(node.pipe, dot)
                    if not node.pipe.declares:
                        self._say(shown(value))
                case nodes.Branch():
                    self._branch(node, dot)
                case nodes.Jump():
                    del self._variables[depth:]
                    raise _Break if node.kind == "break" else _Continue
        del self._variables[depth:]

    def _say(self, text: str) -> None:
        self._size += len(text)
        if self._size > _LONGEST:
            raise TemplateFailureError(f"the line grows beyond {_LONGEST} characters")
        self.parts.append(text)

    def _branch(self, node: nodes.Branch, dot: Any) -> None:
        depth = len(self._variables)
        if node.kind == "range":
            self._range(node, dot)
        else:
            value = self._pipe(node.pipe, dot)
            if truth(value):
                self.walk(node.body, value if node.kind == "with" else dot)
            else:
                self.walk(node.otherwise, dot)
        del self._variables[depth:]

    def _range(self, node: nodes.Branch, dot: Any) -> None:
        value = self._pipe(nodes.Pipe(node.pipe.commands), dot)
        items = _items(value)
        for key, item in items:
            depth = len(self._variables)
            names = node.pipe.declares
            if len(names) == 1:
                self._variables.append((names[0], item))
            elif len(names) == 2:
                self._variables += [(names[0], key), (names[1], item)]
            try:
                self.walk(node.body, item)
            except _Break:
                break
            except _Continue:
                pass
            finally:
                del self._variables[depth:]
        if not items:
            self.walk(node.otherwise, dot)

    def _pipe(self, pipe: nodes.Pipe, dot: Any) -> Any:
        value: Any = None
        for number, command in enumerate(pipe.commands):
            final = (value,) if number else ()
            value = self._command(command, dot, final)
        if pipe.declares:
            name = pipe.declares[0]
            if pipe.assigns:
                self._assign(name, value)
            else:
                self._variables.append((name, value))
        return value

    def _assign(self, name: str, value: Any) -> None:
        for place in range(len(self._variables) - 1, -1, -1):
            if self._variables[place][0] == name:
                self._variables[place] = (name, value)
                return
        raise TemplateFailureError(f"undefined variable: {name}")

    def _command(self, command: Any, dot: Any, final: tuple[Any, ...]) -> Any:
        if isinstance(command, nodes.Call):
            return self._call(command, dot, final)
        if isinstance(command, nodes.Misused):
            raise TemplateFailureError("can't give argument to non-function")
        return self._value(command, dot)

    def _value(self, node: Any, dot: Any) -> Any:
        match node:
            case nodes.Constant():
                return node.value
            case nodes.Field():
                base = dot if node.base is None else self._value(node.base, dot)
                for name in node.names:
                    base = _member(base, name)
                return base
            case nodes.Variable():
                for name, value in reversed(self._variables):
                    if name == node.name:
                        return value
                raise TemplateFailureError(f"undefined variable: {node.name}")
            case nodes.Pipe():
                return self._pipe(node, dot)
            case _:
                return self._call(node, dot, ())

    def _call(self, call: nodes.Call, dot: Any, final: tuple[Any, ...]) -> Any:
        match call.name:
            case "__line__":
                return self._line
            case "__timestamp__":
                from pilothouse.signals.logs.templates.times import Moment

                return Moment(self._time)
            case "and" | "or":
                return self._logic(call, dot, final)
        arguments = (*(self._value(argument, dot) for argument in call.arguments), *final)
        try:
            return FUNCTIONS[call.name](*arguments)
        except TypeError:
            raise TemplateFailureError(f"wrong arguments for {call.name}") from None
        except (ValueError, OverflowError, ArithmeticError, KeyError, IndexError) as error:
            raise TemplateFailureError(f"error calling {call.name}: {error}") from None

    def _logic(self, call: nodes.Call, dot: Any, final: tuple[Any, ...]) -> Any:
        value: Any = None
        for argument in (*call.arguments, *(nodes.Constant(item) for item in final)):
            value = self._value(argument, dot)
            if truth(value) != (call.name == "and"):
                return value
        return value


class _Labels(dict[str, str]):
    """Of these a missing one is empty (Go, `missingkey=zero` on a map of strings)."""


def _member(base: Any, name: str) -> Any:
    if isinstance(base, Mapping):
        return base.get(name, "" if isinstance(base, _Labels) else None)
    raise TemplateFailureError(f"can't evaluate field {name} in type {type(base).__name__}")


def _items(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return sorted(value.items())
    if isinstance(value, list):
        return list(enumerate(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return [(number, number) for number in range(min(value, 100_000))]
    if value is None or value == "":
        return []
    raise TemplateFailureError("range can't iterate over it")


@lru_cache(512)
def template(text: str) -> Template:
    """A template, parsed once; raises `TemplateError`."""
    return Template(text)
