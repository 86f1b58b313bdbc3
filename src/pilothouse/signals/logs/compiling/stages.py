"""Stage by stage from the tree to a scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.signals.logs.compiling import extracting
from pilothouse.signals.logs.compiling.lines import line_filter
from pilothouse.signals.logs.compiling.scope import NotInSQLError, Scope
from pilothouse.signals.logs.compiling.testing import condition
from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.pipeline.building import COLOURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def compiled_stages(streams: Mapping[int, Mapping[str, str]], stages: Sequence[tree.Stage]) -> Scope:
    """The scope at the end of the pipeline; what comes after a stage that SQL cannot do is left out."""
    scope = Scope(streams)
    for stage in stages:
        if not scope.exact:
            _only_filters(scope, stage)
            continue
        try:
            _compile(scope, stage)
        except NotInSQLError:
            scope.exact = False
            if isinstance(stage, tree.LineFormat | tree.Unpack):
                scope.line = ""
    return scope


def _only_filters(scope: Scope, stage: tree.Stage) -> None:
    """After a stage that was left out, a filter of the untouched line still narrows."""
    if isinstance(stage, tree.LineFormat | tree.Unpack | tree.Decolorize):
        scope.line = ""
    if isinstance(stage, tree.LineFilter) and scope.line and (found := line_filter(scope, stage)):
        scope.add(found)


def _compile(scope: Scope, stage: tree.Stage) -> None:
    match stage:
        case tree.LineFilter():
            found = line_filter(scope, stage)
            if found is None:
                raise NotInSQLError("ip")
            scope.add(found)
        case tree.LabelFilter():
            scope.add(condition(scope, stage.test))
        case tree.Json() | tree.Logfmt() | tree.Regexp() | tree.Pattern():
            _parser(scope, stage)
        case tree.Decolorize():
            scope.line = scope.alias(f"replaceRegexpAll({scope.line}, {scope.bind(COLOURS)}, '')")
        case tree.Drop() | tree.Keep() if not stage.matchers:
            _names(scope, stage)
        case tree.LabelFormat():
            _label_format(scope, stage)
        case _:
            raise NotInSQLError(type(stage).__name__)


def _parser(scope: Scope, stage: tree.Json | tree.Logfmt | tree.Regexp | tree.Pattern) -> None:
    # What a stage set or took away is not known to a parser behind it: that is rare, and left to the slow path.
    if scope.set or scope.kept:
        raise NotInSQLError("a parser after a change of labels")
    match stage:
        case tree.Json():
            extract = (
                extracting.json_some(scope, stage.expressions) if stage.expressions else extracting.json_all(scope)
            )
        case tree.Logfmt():
            if stage.strict or stage.expressions:
                raise NotInSQLError("logfmt with flags or expressions")
            extract = extracting.logfmt(scope, stage.keep_empty)
        case tree.Regexp():
            extract = extracting.regexp(scope, stage.expression)
        case tree.Pattern():
            extract = extracting.pattern(scope, stage.expression)
    scope.extracts.append(extract)


def _names(scope: Scope, stage: tree.Drop | tree.Keep) -> None:
    if isinstance(stage, tree.Keep):
        scope.kept.append(frozenset(stage.names))
        scope.set = {name: value for name, value in scope.set.items() if name in stage.names}
        return
    for name in stage.names:
        if name == "__error__":
            scope.error = ""
        elif name != "__error_details__":
            scope.set[name] = None


def _label_format(scope: Scope, stage: tree.LabelFormat) -> None:
    """Renaming; a template is the slow path's."""
    if len(stage.items) != 1 or stage.items[0][2]:
        raise NotInSQLError("label_format with a template")
    target, source, _ = stage.items[0]
    if "__error" in target + source:
        raise NotInSQLError("label_format of an error")
    value = scope.label(source)
    before = scope.label(target)
    scope.set[target] = scope.alias(f"coalesce({value}, {before})")
    if source != target:
        scope.set[source] = None
