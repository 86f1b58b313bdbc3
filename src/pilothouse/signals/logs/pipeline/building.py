"""From the stages of a query to functions, and from entries to samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.addresses import line_has
from pilothouse.signals.logs.linepatterns import parse_pattern
from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.logql.quantities import amount_bytes, go_duration_nanoseconds
from pilothouse.signals.logs.pipeline import json_parsing, logfmt_parsing
from pilothouse.signals.logs.pipeline.entry import DETAILS, ERROR, Entry
from pilothouse.signals.logs.pipeline.testing import go_float, matches, tester
from pilothouse.signals.logs.regexes import compiled, line_expression
from pilothouse.signals.logs.templates import TemplateFailureError, template

if TYPE_CHECKING:
    from collections.abc import Sequence

Step = Callable[[Entry], bool]
# ECMA-48: control sequences, which terminals' colours are, titles and links, and escapes of a character or two.
COLOURS = r"(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]+[0-~]|\x1b[0-OQ-WYZ\\`-~]"


class Pipeline:
    """All stages in order: an entry goes through and is changed, or is dropped on the way."""

    def __init__(self, stages: Sequence[tree.Stage]) -> None:
        self._steps = [step(stage) for stage in stages]

    def run(self, entry: Entry) -> bool:
        """Whether the entry stays."""
        return all(step(entry) for step in self._steps)


class Sampler:
    """A pipeline whose end is a number: one for each line, its bytes, or an unwrapped label."""

    def __init__(self, aggregation: tree.RangeAggregation) -> None:
        self._pipeline = Pipeline(aggregation.query.stages)
        self._unwrap = aggregation.unwrap
        self._bytes = aggregation.operator in ("bytes_rate", "bytes_over_time")
        self._filters = Pipeline(self._unwrap.filters) if self._unwrap else None
        self._convert = _CONVERSIONS[self._unwrap.conversion] if self._unwrap else None

    def sample(self, entry: Entry) -> float | None:
        """The entry's value; None when it has none. Its labels are those of the entry afterwards."""
        if not self._pipeline.run(entry):
            return None
        value = float(len(entry.line.encode())) if self._bytes else 1.0
        if self._unwrap and self._filters and self._convert:
            text = entry.get(self._unwrap.label)
            if not text:
                return None
            found = self._convert(text)
            if found is None:
                entry.fail("SampleExtractionErr", f"{self._unwrap.label}={text!r} cannot be converted")
            value = found or 0.0
            if not self._filters.run(entry):
                return None
        if entry.error:
            raise pipeline_error(entry.error, entry.labels())
        return value


def pipeline_error(error: str, labels: dict[str, str]) -> BadRequestError:
    """What a metric query says about a line with an error (Loki, "Pipeline errors")."""
    shown = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    return BadRequestError(
        f"pipeline error: '{error}' for series: '{{{shown}}}'.\n"
        "Use a label filter to intentionally skip this error. "
        f'(e.g | __error__!="{error}").\n'
        'To skip all potential errors you can match empty errors.(e.g __error__="")\n'
        'The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__="" )',
        "query",
    )


def _unit(convert: Callable[[str], int | None], factor: float) -> Callable[[str], float | None]:
    def converted(text: str) -> float | None:
        found = convert(text)
        return None if found is None else found * factor

    return converted


_CONVERSIONS: dict[str, Callable[[str], float | None]] = {
    "": go_float,
    "duration": lambda text: None if (found := go_duration_nanoseconds(text)) is None else found / 1e9,
    "duration_seconds": lambda text: None if (found := go_duration_nanoseconds(text)) is None else found / 1e9,
    "bytes": _unit(amount_bytes, 1.0),
}


def step(stage: tree.Stage) -> Step:
    """One stage as a function."""
    match stage:
        case tree.LineFilter():
            return _line_filter(stage)
        case tree.Json():
            return json_parsing.expressions(stage.expressions) if stage.expressions else json_parsing.parse_json
        case tree.Unpack():
            return json_parsing.unpack
        case tree.Logfmt():
            return logfmt_parsing.parser(stage)
        case tree.Regexp():
            return _regexp(stage.expression)
        case tree.Pattern():
            return _pattern(stage.expression)
        case tree.LabelFilter():
            return tester(stage.test)
        case tree.LineFormat():
            return _line_format(stage.template)
        case tree.LabelFormat():
            return _label_format(stage)
        case tree.Decolorize():
            return _decolorize
        case tree.Drop():
            return _drop(stage)
        case tree.Keep():
            return _keep(stage)


def _line_filter(stage: tree.LineFilter) -> Step:
    tests = [_needle(stage.operator, needle) for needle in stage.needles]
    if stage.operator.startswith("!"):
        return lambda entry: not any(test(entry.line) for test in tests)
    return lambda entry: any(test(entry.line) for test in tests)


def _needle(operator: str, needle: tree.Needle) -> Callable[[str], bool]:
    text = needle.text
    if needle.ip:
        return lambda line: line_has(text, line)
    if operator in ("|~", "!~"):
        search = compiled(line_expression(text)).search
        return lambda line: bool(search(line))
    if operator in ("|>", "!>"):
        return parse_pattern(text, captures=False).test
    return lambda line: text in line


def _regexp(expression: str) -> Step:
    found = compiled(expression)

    def parse(entry: Entry) -> bool:
        if groups := found.search(entry.line):
            for name, value in groups.groupdict().items():
                entry.extract(name, value or "")
        return True

    return parse


def _pattern(expression: str) -> Step:
    pattern = parse_pattern(expression, captures=True)

    def parse(entry: Entry) -> bool:
        for name, value in pattern.captures(entry.line).items():
            entry.extract(name, value)
        return True

    return parse


def _line_format(text: str) -> Step:
    form = template(text)

    def write(entry: Entry) -> bool:
        try:
            entry.line = form.run(entry.labels(), entry.line, entry.time)
        except TemplateFailureError as error:
            entry.fail("TemplateFormatErr", str(error))
        return True

    return write


def _label_format(stage: tree.LabelFormat) -> Step:
    forms = [(label, template(source) if is_template else source) for label, source, is_template in stage.items]

    def write(entry: Entry) -> bool:
        labels = entry.labels()
        for label, source in forms:
            if isinstance(source, str):
                if (value := entry.get(source)) is not None:
                    entry.set(label, value)
                    entry.remove(source)
                continue
            try:
                entry.set(label, source.run(labels, entry.line, entry.time))
            except TemplateFailureError as error:
                entry.fail("TemplateFormatErr", str(error))
        return True

    return write


_colours = compiled(COLOURS)


def _decolorize(entry: Entry) -> bool:
    entry.line = _colours.sub("", entry.line)
    return True


def _drop(stage: tree.Drop) -> Step:
    matchers = [(test.label, matches(test)) for test in stage.matchers]

    def drop(entry: Entry) -> bool:
        for name in stage.names:
            entry.remove(name)
        for name, holds in matchers:
            if (value := entry.get(name)) is not None and holds(value):
                entry.remove(name)
        return True

    return drop


def _keep(stage: tree.Keep) -> Step:
    matchers = [(test.label, matches(test)) for test in stage.matchers]

    def keep(entry: Entry) -> bool:
        kept = {name for name, holds in matchers if (value := entry.get(name)) is not None and holds(value)}
        kept.update(stage.names)
        for name in entry.labels():
            if name not in kept and name not in (ERROR, DETAILS):
                entry.remove(name)
        return True

    return keep
