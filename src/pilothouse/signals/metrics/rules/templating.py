"""Filling in templates: `{{ $labels.instance }} is at {{ $value | humanize }}`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pilothouse.signals.metrics.rules.template_functions import FUNCTIONS, Sample, go_text, of_server
from pilothouse.signals.metrics.rules.template_parsing import (
    Block,
    Call,
    Operand,
    Pipe,
    Template,
    TemplateError,
    parse,
)

_MOST_TEXT = 1_000_000
_MOST_CALLS = 100
_FIELDS = {"Labels": "labels", "Value": "value"}


class _Break(Exception):  # noqa: N818 - control flow
    pass


class _Continue(Exception):  # noqa: N818 - control flow
    pass


class Filling:
    """Fills in templates for one alert. `data` are `$labels`, `$value`, `$externalLabels` and `$externalURL`."""

    def __init__(
        self,
        labels: Mapping[str, str],
        value: float,
        external_labels: Mapping[str, str],
        external_url: str,
        query: Callable[[str], list[Sample]],
    ) -> None:
        data = {
            "Labels": dict(labels),
            "Value": value,
            "ExternalLabels": dict(external_labels),
            "ExternalURL": external_url,
        }
        self._data = data
        self._variables = {
            "$": data, "$labels": data["Labels"], "$value": value, "$externalLabels": data["ExternalLabels"],
            "$externalURL": external_url,
        }  # fmt: skip
        self._functions = FUNCTIONS | of_server(query, external_url)

    def fill(self, text: str) -> str:
        """The text with its actions carried out. Raises `TemplateError`."""
        if "{{" not in text:
            return text
        return _Run(parse(text), self._functions).text(self._data, dict(self._variables))


class _Run:
    def __init__(self, template: Template, functions: Mapping[str, Callable[..., Any]]) -> None:
        self._template, self._functions = template, functions
        self._parts: list[str] = []
        self._size = self._calls = 0

    def text(self, data: Any, variables: dict[str, Any]) -> str:
        self._all(self._template.nodes, data, [variables])
        return "".join(self._parts)

    def _add(self, text: str) -> None:
        self._size += len(text)
        if self._size > _MOST_TEXT:
            raise TemplateError("the text becomes too long")
        self._parts.append(text)

    def _all(self, nodes: list[Any], dot: Any, scopes: list[dict[str, Any]]) -> None:
        for node in nodes:
            match node:
                case str():
                    self._add(node)
                case Pipe():
                    value = self._pipe(node, dot, scopes)
                    if not node.declares:
                        self._add("<no value>" if value is None else go_text(value))
                case Block():
                    self._block(node, dot, scopes)
                case Call():
                    self._call(node, dot, scopes)
                case Operand(kind="break"):
                    raise _Break
                case Operand(kind="continue"):
                    raise _Continue

    def _block(self, node: Block, dot: Any, scopes: list[dict[str, Any]]) -> None:
        inner = [*scopes, {}]
        if node.kind == "range":
            self._range(node, dot, inner)
            return
        value = self._pipe(node.pipe, dot, inner)
        body = node.body if _true(value) else node.otherwise
        self._all(body, value if node.kind == "with" and body is node.body else dot, inner)

    def _range(self, node: Block, dot: Any, scopes: list[dict[str, Any]]) -> None:
        plain = Pipe(node.pipe.commands)
        value = self._pipe(plain, dot, scopes)
        if isinstance(value, dict):
            pairs = [(key, value[key]) for key in sorted(value)]
        elif isinstance(value, int) and not isinstance(value, bool):
            pairs = [(place, place) for place in range(min(value, _MOST_TEXT))]
        elif isinstance(value, list | tuple) or value is None:
            pairs = list(enumerate(value or ()))
        else:
            raise TemplateError(f"range can't iterate over {go_text(value)}")
        if not pairs:
            self._all(node.otherwise, dot, scopes)
        for key, one in pairs:
            names = node.pipe.declares
            scope = dict(zip(names, (key, one) if len(names) > 1 else (one,), strict=False))
            try:
                self._all(node.body, one, [*scopes, scope])
            except _Continue:
                continue
            except _Break:
                break

    def _call(self, node: Call, dot: Any, scopes: list[dict[str, Any]]) -> None:
        if node.name not in self._template.defined:
            raise TemplateError(f'template "{node.name}" not defined')
        self._calls += 1
        if self._calls > _MOST_CALLS:
            raise TemplateError("templates call each other without end")
        value = self._pipe(node.pipe, dot, scopes) if node.pipe else None
        self._all(self._template.defined[node.name], value, [{**scopes[0], "$": value}])
        self._calls -= 1

    def _pipe(self, pipe: Pipe, dot: Any, scopes: list[dict[str, Any]]) -> Any:
        value, has = None, False
        for command in pipe.commands:
            value = self._command(command, dot, scopes, [value] if has else [])
            has = True
        for name in pipe.declares:
            if pipe.assigns:
                scope = next((one for one in reversed(scopes) if name in one), None)
                if scope is None:
                    raise TemplateError(f"undefined variable {name!r}")
                scope[name] = value
            else:
                scopes[-1][name] = value
        return value

    def _command(self, operands: list[Operand], dot: Any, scopes: list[dict[str, Any]], piped: list[Any]) -> Any:
        head, *rest = operands
        if head.kind != "function":
            if rest or piped:
                raise TemplateError("can't give argument to non-function")
            return self._value(head, dot, scopes)
        if head.value in ("and", "or"):
            return self._short(head.value == "and", [*rest], dot, scopes, piped)
        function = self._functions.get(head.value)
        if function is None:
            raise TemplateError(f'function "{head.value}" not defined')
        arguments = [self._value(one, dot, scopes) for one in rest] + piped
        try:
            return function(*arguments)
        except TemplateError as error:
            raise TemplateError(f"error calling {head.value}: {error}") from None
        except (TypeError, AttributeError, ValueError, OverflowError) as error:
            raise TemplateError(f"wrong arguments for {head.value}: {error}") from None

    def _short(
        self, wants: bool, operands: list[Operand], dot: Any, scopes: list[dict[str, Any]], piped: list[Any]
    ) -> Any:
        """`and` and `or`: up to the first that decides."""
        value: Any = None
        for one in operands:
            value = self._value(one, dot, scopes)
            if _true(value) != wants:
                return value
        return piped[0] if piped else value

    def _value(self, one: Operand, dot: Any, scopes: list[dict[str, Any]]) -> Any:
        match one.kind:
            case "literal":
                value = one.value
            case "dot":
                value = dot
            case "variable":
                scope = next((found for found in reversed(scopes) if one.value in found), None)
                if scope is None:
                    raise TemplateError(f"undefined variable {one.value!r}")
                value = scope[one.value]
            case "pipe":
                value = self._pipe(one.value, dot, [*scopes, {}])
            case _:
                value = self._command([one], dot, scopes, [])
        for name in one.fields:
            value = _field(value, name)
        return value


def _field(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name, "")
    if isinstance(value, Sample) and name in _FIELDS:
        return getattr(value, _FIELDS[name])
    raise TemplateError(f"can't evaluate field {name}")


def _true(value: Any) -> bool:
    return bool(value) or isinstance(value, Sample)
