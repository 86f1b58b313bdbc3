"""Expressions that Vectorscan looks for first: it needs a third of the CPU that RE2 needs where no text is sure.

What it finds is matched again with RE2, so it may find too much but never too little. It did so in everything that is
read here: ASCII characters, classes of them, what stands for many, a text's beginning and end (docs/adr/0129). Anything
else is not read: boundaries of words and flags (the two differ), characters by their number or property, and numbers
of repetitions for which a machine gets large.
"""

from __future__ import annotations

import re

_LONGEST = 200
# ClickHouse refuses more than 50 (reject_expensive_hyperscan_regexps).
_MOST_TIMES = 50
# About how often an atom comes in all repetitions that are numbers.
_LARGEST = 64
_ATOM = re.compile(
    r"[A-Za-z0-9 !\"#%&',/:;<=>@_`~.-]"  # itself, or any character
    r"|\\[.+*?()|\[\]{}^$\\/\-]"  # itself, escaped
    r"|\\[dwsDWS]"
    r"|\[\^?(?:[A-Za-z0-9](?:-[A-Za-z0-9])?|[ !\"#%&',./:;<=>@_~+*?(){}|$]|\\[dws.\-\]\[\\/^])+-?\]"
)
_OPENED = re.compile(r"\((?:\?:|(?!\?))")
_COUNT = re.compile(r"[*+?]|\{(\d+)(?:,(\d*))?\}")


def scannable(expression: str) -> bool:
    """Whether everything that RE2 matches is found by Vectorscan as well."""
    # Its beginning and its end may be told at the ends alone.
    expression = expression.removeprefix("^")
    if expression.endswith("$") and not expression.endswith("\\$"):
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
        elif atom := _ATOM.match(expression, place):
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
