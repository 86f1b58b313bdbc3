"""Series as rule tests and test scripts write them: `up{job="x"} 1+1x4 _ stale {{schema:0 count:3 buckets:[1 2]}}`.

The notation is that of Prometheus' unit tests for rules (prometheus.io/docs/.../unit_testing_rules/#series).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pilothouse.signals.metrics.promql.durations import parse_duration
from pilothouse.signals.metrics.promql.histogram import CUSTOM, Hint, Histogram, IncompatibleError
from pilothouse.signals.metrics.promql.labels import Labels, labels_of
from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.promql.numbers import STALE, parse_number, unquote

_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_LABEL = re.compile(
    r"\s*(?:([A-Za-z_][A-Za-z0-9_]*)|(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`))\s*"
    r"(?:=\s*(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`))?\s*(,|(?=\}))"
)
_NUMBER = r"(?:[+-]?(?:[Ii][Nn][Ff]|[Nn][Aa][Nn]|(?:\d+(?:ms|[smhdwy]))+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))"
_ITEM = re.compile(rf"({_NUMBER}|stale)(?:([+-]{_NUMBER.replace('[+-]?', '', 1)}))?(?:x(\d+))?(?=\s|$)")
_BLANK = re.compile(r"_(?:x(\d+))?(?=\s|$)")
_HISTOGRAM = re.compile(r"\{\{(.*?)\}\}(?:([+-])\{\{(.*?)\}\})?(?:x(\d+))?(?=\s|$)")
_FIELD = re.compile(r"\s*([a-z_]+):(?:\[([^\]]*)\]|([^\s\]]+))")
_HINTS: dict[str, Hint] = {"unknown": "unknown", "reset": "reset", "not_reset": "not_reset", "gauge": "gauge"}
_FIELDS = frozenset(
    ("schema", "sum", "count", "z_bucket", "z_bucket_w", "custom_values", "buckets", "offset", "n_buckets", "n_offset",
     "counter_reset_hint")
)  # fmt: skip
_MOST_VALUES = 1_000_000

Value = float | Histogram | None


class NotationError(ValueError):
    """The line is not a series; the message says where."""


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """A series with its values, one a step; None where there is none."""

    labels: Labels
    values: tuple[Value, ...]


def parse_series(line: str) -> SeriesLine:
    """Labels and values of one line."""
    labels, place = parse_labels(line)
    return SeriesLine(labels, tuple(parse_values(line[place:])))


def parse_labels(line: str, place: int = 0) -> tuple[Labels, int]:
    """The labels at the start of a line and where they end."""
    found: dict[str, str] = {}
    if name := _NAME.match(line, place):
        found[NAME] = name.group()
        place = name.end()
    if line[place : place + 1] == "{" and line[place : place + 2] != "{{":
        place += 1
        while line[place:].lstrip()[:1] != "}":
            label = _LABEL.match(line, place)
            if not label:
                raise NotationError(f"expected a label at {line[place:][:40]!r}")
            key = label[1] or unquote(label[2])
            if label[3] is None:
                if label[1]:
                    raise NotationError(f'unexpected "," in label set, expected "=" at {line[place:][:40]!r}')
                found[NAME] = key
            else:
                found[key] = unquote(label[3])
            place = label.end()
        place = line.index("}", place) + 1
    elif not found:
        raise NotationError(f"expected a metric at {line[:40]!r}")
    if line[place : place + 1] not in ("", " ", "\t"):
        raise NotationError(f"expected a space at {line[place:][:40]!r}")
    return labels_of(found), place


def parse_values(text: str) -> list[Value]:
    """The values of a series, expanded."""
    values: list[Value] = []
    place = 0
    while text[place:].strip():
        place += len(text[place:]) - len(text[place:].lstrip())
        if blank := _BLANK.match(text, place):
            values += [None] * int(blank[1] or 1)
            place = blank.end()
        elif found := _HISTOGRAM.match(text, place):
            values += _histograms(found)
            place = found.end()
        elif item := _ITEM.match(text, place):
            values += _numbers(item)
            place = item.end()
        else:
            raise NotationError(f"expected a value at {text[place:][:40]!r}")
        if len(values) > _MOST_VALUES:
            raise NotationError(f"more than {_MOST_VALUES} values")
    return values


def _numbers(item: re.Match[str]) -> list[Value]:
    times = _times(item[3])
    if item[1] == "stale":
        return [STALE] * (times + 1)
    value = number(item[1])
    if item[2] is None:
        return [value] * (times + 1)
    if item[3] is None:
        raise NotationError(f"expected x and a number after {item.group()!r}")
    step, values = number(item[2]), []
    for _ in range(times + 1):
        values.append(value)
        value += step
    return list(values)


def _times(text: str | None) -> int:
    times = int(text or 0)
    if times > _MOST_VALUES:
        raise NotationError(f"more than {_MOST_VALUES} values")
    return times


def number(text: str) -> float:
    """A number with sign, or a duration in seconds."""
    sign = -1.0 if text.startswith("-") else 1.0
    plain = text.lstrip("+-")
    if re.fullmatch(r"(?:\d+(?:ms|[smhdwy]))+", plain):
        return sign * parse_duration(plain) / 1000
    return sign * parse_number(plain)


def _histograms(found: re.Match[str]) -> list[Value]:
    current = parse_histogram(found[1])
    times = _times(found[4])
    if found[2] is None:
        return [current] * (times + 1)
    step = parse_histogram(found[3])
    values: list[Value] = [current]
    for _ in range(times):
        if current.schema > step.schema:
            raise NotationError(
                f"error combining histograms: cannot merge from schema {step.schema} to {current.schema}"
            )
        try:
            hint = current.hint
            current, _ = current.plus(step, 1.0 if found[2] == "+" else -1.0)
            current = replace(current, hint=hint if found[2] == "+" else "gauge")
        except IncompatibleError:
            raise NotationError("cannot combine exponential with custom buckets") from None
        values.append(current)
    return values


def parse_histogram(text: str) -> Histogram:
    """What stands between `{{` and `}}`."""
    found: dict[str, str] = {}
    place = 0
    while text[place:].strip():
        item = _FIELD.match(text, place)
        if not item or item[1] not in _FIELDS:
            raise NotationError(f"bad histogram descriptor at {text[place:].strip()[:40]!r}")
        if item[1] in found:
            raise NotationError(f'duplicate key "{item[1]}" in histogram')
        found[item[1]] = item[2] if item[2] is not None else item[3]
        place = item.end()
    hint = found.get("counter_reset_hint", "unknown")
    if hint not in _HINTS:
        raise NotationError(f"bad histogram descriptor found: {hint!r}")
    schema = int(found.get("schema", "0"))
    return Histogram(
        schema=schema,
        count=number(found.get("count", "0")),
        sum=number(found.get("sum", "0")),
        zero_threshold=number(found.get("z_bucket_w", "0")),
        zero_count=number(found.get("z_bucket", "0")),
        positive=_buckets(found.get("buckets", ""), int(found.get("offset", "0"))),
        negative=_buckets(found.get("n_buckets", ""), int(found.get("n_offset", "0"))),
        custom=tuple(map(number, found.get("custom_values", "").split())) if schema == CUSTOM else (),
        hint=_HINTS[hint],
    )


def _buckets(text: str, offset: int) -> dict[int, float]:
    return {offset + place: number(item) for place, item in enumerate(text.split())}
