"""Parsers as SQL: the value of one named label, without building the others."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from pilothouse.signals.logs.compiling.scope import NOTHING, Extract, NotInSQLError, Scope
from pilothouse.signals.logs.jsonpaths import parse_path
from pilothouse.signals.logs.linepatterns import parse_pattern
from pilothouse.signals.logs.regexes import compiled

_MOST_UNDERSCORES = 3


def json_all(scope: Scope) -> Extract:
    """`| json`: a label's name says where in the document it may come from."""
    line = scope.line
    invalid = scope.alias(f"NOT (startsWith(trimLeft({line}), '{{') AND isValidJSON({line}))")
    scope.errors(invalid)
    # An integer beyond 64 bits is not JSON to the engine's parser, but is to the slow path.
    scope.doubts.append(f"({invalid} AND match({line}, '[0-9]{{19}}'))")

    def extract(name: str) -> str:
        if name.startswith("_") or ":" in name or name.count("_") > _MOST_UNDERSCORES or "__" in name:
            raise NotInSQLError(name)
        found = []
        for path in _splits(name):
            keys = ", ".join(scope.bind(key) for key in path)
            there = f"position({line}, {scope.bind(chr(34) + path[0] + chr(34))}) > 0"
            raw = scope.alias(f"if({there}, JSONExtractRaw({line}, {keys}), '')")
            # The engine writes a fraction anew (1.50 becomes 1.5).
            fraction = f"(match({raw}, '^[-0-9]') AND JSONType({line}, {keys}) = 'Double')"
            scope.fractions.setdefault(name, []).append(fraction)
            found.append(scope.alias(_from_raw(raw)))
        if len(found) > 1:
            present = " + ".join(f"({value} IS NOT NULL)" for value in found)
            scope.doubts.append(f"(({present}) > 1)")
            # A character that may not be in a name, between two parts of it, was an underscore's origin perhaps.
            odd = "|".join(f'{one}[^a-zA-Z0-9_:"]{other}' for one, other in pairwise(name.split("_")))
            scope.doubts.append(f"match({line}, {scope.bind(odd)})")
        # A key that is written with escapes is not found by its plain text.
        scope.doubts.append(f"(position({line}, '\\\\') > 0 AND match({line}, '\"[^\"]*\\\\\\\\[^\"]*\"\\\\s*:'))")
        return f"coalesce({', '.join(found)})" if len(found) > 1 else found[0]

    return extract


def _from_raw(raw: str) -> str:
    """A label's text from a JSON value's; arrays, objects and null are no label."""
    return (
        f"multiIf({raw} = '' OR {raw} = 'null' OR startsWith({raw}, '{{') OR startsWith({raw}, '['), NULL, "
        f"startsWith({raw}, '\"'), if(position({raw}, '\\\\') = 0, substring({raw}, 2, length({raw}) - 2), "
        f"JSONExtractString({raw})), {raw})"
    )


def _splits(name: str) -> Iterator[tuple[str, ...]]:
    """All ways in which keys joined by underscores give the name."""
    parts = name.split("_")
    for mask in range(2 ** (len(parts) - 1)):
        cuts = [place for place in range(1, len(parts)) if mask >> (place - 1) & 1]
        yield tuple("_".join(parts[start:end]) for start, end in pairwise([0, *cuts, len(parts)]))


def json_some(scope: Scope, expressions: tuple[tuple[str, str], ...]) -> Extract:
    """`| json label="path"`."""
    line = scope.line
    invalid = scope.alias(f"notEmpty({line}) AND NOT isValidJSON({line})")
    scope.errors(invalid)
    scope.doubts.append(f"({invalid} AND match({line}, '[0-9]{{19}}'))")
    known: dict[str, str] = {}
    for label, path in expressions:
        steps = parse_path(path)
        keys = ", ".join(scope.bind(step) if isinstance(step, str) else str(step + 1) for step in steps)
        raw = scope.alias(f"JSONExtractRaw({line}, {keys})")
        # An array or object is the text as it stands in the line, which the engine does not keep.
        scope.doubts.append(f"match({raw}, '^[\\\\[{{]')")
        scope.fractions.setdefault(label, []).append(
            f"(match({raw}, '^[-0-9]') AND JSONType({line}, {keys}) = 'Double')"
        )
        known.setdefault(label, f"if({invalid}, NULL, ifNull({_from_raw(raw)}, ''))")
    return lambda name: known.get(name, NOTHING)


def regexp(scope: Scope, expression: str) -> Extract:
    """`| regexp`: the groups by their places."""
    names = compiled(expression).groupindex
    groups = scope.alias(f"extractGroups({scope.line}, {scope.bind(f'(?-s){expression}')})")
    return lambda name: f"if(empty({groups}), NULL, {groups}[{names[name]}])" if name in names else NOTHING


def pattern(scope: Scope, expression: str) -> Extract:
    """`| pattern`: the walk of `LinePattern.captures`, each place named."""
    parts, line = parse_pattern(expression, captures=True).parts, scope.line
    place, alive = "toUInt64(1)", f"notEmpty({line})"
    known: dict[str, str] = {}
    for number, (text, is_capture) in enumerate(parts):
        if not is_capture:
            if number == 0:
                alive = f"startsWith({line}, {scope.bind(text)})"
                place = f"toUInt64({len(text.encode()) + 1})"
            continue
        alive = scope.alias(f"({alive})")
        literal = parts[number + 1][0] if number + 1 < len(parts) else None
        if literal is None:
            known[text] = f"if({alive}, substring({line}, {place}), NULL)"
            break
        found = scope.alias(f"position({line}, {scope.bind(literal)}, {place})")
        piece = f"if({found} = 0, substring({line}, {place}), substring({line}, {place}, {found} - {place}))"
        known[text] = f"if({alive}, {piece}, NULL)"
        alive = f"{alive} AND {found} > 0"
        place = scope.alias(f"toUInt64({found} + {len(literal.encode())})")
    return lambda name: known.get(name, NOTHING) if name != "_" else NOTHING


_WORD = r'[^\x00-\x20="]+'
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_VALUE = rf'(?:{_QUOTED}|[^\x00-\x20="]*)'


def logfmt(scope: Scope, keep_empty: bool) -> Extract:
    """`| logfmt` without `--strict`: the first pair with that key, if all pairs before it are well formed."""
    line = scope.line

    def extract(name: str) -> str:
        if name.startswith("_") or ":" in name:
            raise NotInSQLError(name)
        there = scope.alias(f"position({line}, {scope.bind(f'{name}=')}) > 0")
        wanted = (
            rf"^[\x00-\x20]*(?:{_WORD}(?:={_VALUE})?[\x00-\x20]+)*?{name}="
            rf'(?:"((?:[^"\\]|\\.)*)"|([^\x00-\x20="]*))(?:[\x00-\x20]|$)'
        )
        groups = scope.alias(f"if({there}, extractGroups({line}, {scope.bind(f'(?s){wanted}')}), [])")
        scope.doubts.append(f"({there} AND (empty({groups}) OR position({groups}[1], '\\\\') > 0))")
        if keep_empty:
            alone = rf"(?:^|[\x00-\x20]){name}(?:[\x00-\x20]|$)"
            scope.doubts.append(f"match({line}, {scope.bind(alone)})")
        if "_" in name:
            odd = name.replace("_", '[^a-zA-Z0-9:="\\x00-\\x20]')
            scope.doubts.append(f"(NOT {there} AND match({line}, {scope.bind(f'{odd}=')}))")
        value = scope.alias(f"concat({groups}[1], {groups}[2])")
        empty = "" if keep_empty else f" OR {value} = ''"
        return f"if(empty({groups}){empty}, NULL, {value})"

    return extract
