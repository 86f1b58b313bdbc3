"""`label_replace`, `label_join`, and sorting by labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cmp_to_key
from typing import Any

from pilothouse.signals.metrics.promql.errors import ExecutionError
from pilothouse.signals.metrics.promql.labels import Labels, is_label
from pilothouse.signals.metrics.promql.matcher import NAME, RegexError, compiled
from pilothouse.signals.metrics.promql.matrix import Matrix

_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")
_DIGITS = re.compile(r"(\d+|\D+)")


def label_replace(matrix: Matrix, target: str, replacement: str, source: str, pattern: str) -> Matrix:
    """Where `pattern` fits all of the `source` label, `target` becomes `replacement` with its references filled in."""
    try:
        regex = compiled(pattern)
    except RegexError:
        raise ExecutionError(f"invalid regular expression in label_replace(): {pattern}") from None
    _check_label(target, "destination", "label_replace")
    labels, drop = [], matrix.drop_name.copy()
    for place, one in enumerate(matrix.labels):
        found = regex.fullmatch(one.get(source))
        if not found:
            labels.append(one)
            continue
        labels.append(one.setting({target: expanded(replacement, found)}))
        if target == NAME:
            drop[place] = False
    return matrix.relabelled(labels, drop)


def expanded(template: str, found: Any) -> str:
    """`$1`, `${1}`, `$name` filled in as Go does it: what is not there becomes empty, `$$` is a dollar."""

    def value(reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        name = reference[2] or reference[3]
        try:
            return found.group(int(name) if name.isdigit() else name) or ""
        except (IndexError, KeyError):
            return ""

    return _REFERENCE.sub(value, template)


def label_join(matrix: Matrix, target: str, separator: str, sources: Sequence[str]) -> Matrix:
    """`target` becomes the values of `sources`, joined."""
    for source in sources:
        _check_label(source, "source", "label_join")
    _check_label(target, "destination", "label_join")
    drop = matrix.drop_name & (target != NAME)
    labels = [one.setting({target: separator.join(one.get(source) for source in sources)}) for one in matrix.labels]
    return matrix.relabelled(labels, drop)


def _check_label(label: str, kind: str, function: str) -> None:
    if not is_label(label):
        raise ExecutionError(f"invalid {kind} label name in {function}(): {label}")


def sorted_by_labels(matrix: Matrix, names: Sequence[str], descending: bool) -> list[int]:
    """The order of the series by the values of some labels (numbers in them by size), then by all labels."""

    def compare(left: Labels, right: Labels) -> int:
        for name in names:
            first, second = left.get(name), right.get(name)
            if first != second:
                return -1 if _natural(first) < _natural(second) else 1
        return -1 if left < right else 1

    wrapped = cmp_to_key(compare)
    order = sorted(range(len(matrix.labels)), key=lambda place: wrapped(matrix.labels[place]))
    return order[::-1] if descending else order


def _natural(text: str) -> list[tuple[int, int, str]]:
    return [(0, int(part), part) if part[0].isdigit() else (1, 0, part) for part in _DIGITS.findall(text)]
