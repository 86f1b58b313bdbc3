"""Expressions that Vectorscan looks for first: it needs a third of the CPU that RE2 needs where no text is sure.

The two agree about ASCII characters and classes of them. About what stands for many characters and a text's end,
Vectorscan may find too much, but never too little: there RE2 matches what it finds (docs/adr/0129). Anything else is
not read: boundaries of words and flags (the two differ), characters by their number or property, and numbers of
repetitions for which a machine gets large.
"""

from __future__ import annotations

import re

_LONGEST = 200
# ClickHouse refuses more than 50 (reject_expensive_hyperscan_regexps).
_MOST_TIMES = 50
# About how often an atom comes in all repetitions that are numbers.
_LARGEST = 64
_ITSELF = r"[A-Za-z0-9 !\"#%&',/:;<=>@_`~-]|\\[.+*?()|\[\]{}^$\\/\-]"
_OF_CLASS = r"[A-Za-z0-9](?:-[A-Za-z0-9])?|[ !\"#%&',./:;<=>@_~+*?(){}|$]|\\[dw.\-\]\[\\/^]"
_SURE = re.compile(rf"{_ITSELF}|\\[dw]|\[(?:{_OF_CLASS})+-?\]")
_ATOM = re.compile(rf"{_ITSELF}|\.|\\[dwsDWS]|\[\^?(?:{_OF_CLASS}|\\s)+-?\]")
_OPENED = re.compile(r"\((?:\?:|(?!\?))")
_COUNT = re.compile(r"[*+?]|\{(\d+)(?:,(\d*))?\}")


def scannable(expression: str, exactly: bool = False) -> bool:
    """Whether everything that RE2 matches is found by Vectorscan as well; with `exactly`: and nothing else."""
    known = _SURE if exactly else _ATOM
    # Its beginning and its end may be told at the ends alone.
    expression = expression.removeprefix("^")
    if not exactly and expression.endswith("$") and not expression.endswith("\\$"):
        expression = expression[:-1]
    if len(expression) > _LONGEST:
        return False
    place, depth, size = 0, 0, 1
    while place < len(expression):
        if opened := _OPENED.match(expression, place):
            place, depth = opened.end(), depth + 1
            continue
        if expression[place] == "|":
            place += 1
            continue
        is_group = expression[place] == ")"
        if is_group:
            place, depth = place + 1, depth - 1
        elif atom := known.match(expression, place):
            place = atom.end()
        else:
            return False
        if depth < 0:
            return False
        if count := _COUNT.match(expression, place):
            place = count.end()
            times = max((int(number) for number in count.groups() if number), default=1)
            size = size * times if is_group else size + times
            if not 0 < times <= _MOST_TIMES or size > _LARGEST or expression[place : place + 1] in ("*", "+", "?", "{"):
                return False
    return depth == 0
