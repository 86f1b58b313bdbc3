"""What the page can say in Japanese of what the server says without its parts, and what the source can say.

The page knows such texts by their pattern (docs/adr/0121): `interpreter` does as `ui/src/words/sayings.ts`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice, product
from pathlib import Path
from typing import Any

JA = Path(__file__).resolve().parents[2] / "ui" / "src" / "words" / "ja"
_HOLE = re.compile(r"\{(\w+)\}")
# More ways of saying one thing than this are not tried.
_MOST_WAYS = 64


def interpreter(patterns: Mapping[str, str]) -> Callable[[str], str | None]:
    """Tells the pattern of a text, of several the one with the most text of its own; None where nothing fits."""
    shapes = []
    for english in patterns:
        texts = re.split(r"\{\w+\}", english)
        shape = re.compile("(.+?)".join(map(re.escape, texts)), re.DOTALL)
        shapes.append((len("".join(texts)), max(texts, key=len), english, shape))
    shapes.sort(key=lambda row: -row[0])
    return lambda text: next(
        (english for _, piece, english, shape in shapes if piece in text and shape.fullmatch(text)), None
    )


def holes(template: str) -> set[str]:
    return set(_HOLE.findall(template))


@cache
def spoken_rules() -> dict[str, Any]:
    """`rules.json`: what each rule of hazards is in Japanese."""
    found: dict[str, Any] = json.loads((JA / "rules.json").read_text())
    return found


@cache
def _of_rule(rule: str) -> Callable[[str], str | None]:
    return interpreter(spoken_rules().get(rule, {}).get("says", {}))


def rule_says(rule: str, message: str) -> bool:
    """Whether what a rule says of an object has its Japanese."""
    return _of_rule(rule)(message) is not None


def texts_of(file: Path, values: Mapping[str, tuple[str, ...]], *, raised: bool = False) -> Iterator[tuple[int, str]]:
    """Line and text of all that a file can say: texts of several words that are no docstring and no log line.

    `values` are what an expression may be, by its source; every other is `X1`. `raised`: only those of errors.
    """
    tree = ast.parse(file.read_text())
    nodes = [*ast.walk(tree)]
    if raised:
        nodes = [inner for node in nodes if isinstance(node, ast.Raise) for inner in ast.walk(node)]
    silent = {id(inner) for node in nodes for inner in _silent(node)}
    for node in nodes:
        if id(node) not in silent and isinstance(node, ast.JoinedStr | ast.Constant | ast.BinOp):
            for text in islice(dict.fromkeys(_ways(node, values)), _MOST_WAYS):
                if " " in text.strip():
                    yield node.lineno, text


def _silent(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Expr(value=ast.Constant() as docstring):
            yield docstring
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log"))):
            yield from ast.walk(node)
        case ast.JoinedStr() | ast.BinOp():
            yield from (inner for inner in ast.walk(node) if inner is not node)
        case ast.Call(func=ast.Name(id="sentence")):
            # Has its parts, and a table of its own.
            yield from ast.walk(node)
        case _:
            pass


def _ways(node: ast.expr, values: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The texts that an expression may be."""
    if values and (known := values.get(ast.unparse(node))) is not None:
        return list(known)
    match node:
        case ast.Constant(value=str() as text):
            return [text]
        case ast.JoinedStr(values=parts):
            several = [_ways(part.value if isinstance(part, ast.FormattedValue) else part, values) for part in parts]
            return ["".join(one) for one in islice(product(*several), _MOST_WAYS)]
        case ast.IfExp(body=body, orelse=other):
            return [*_ways(body, values), *_ways(other, values)]
        case ast.BoolOp(op=ast.Or(), values=several):
            return [way for one in several for way in _ways(one, values)]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return ["".join(one) for one in product(_ways(left, values), _ways(right, values))]
        case _:
            return ["X1"]
