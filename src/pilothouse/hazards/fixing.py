"""Fixes: a rule's patch applied to the YAML it was found in, with comments, order and quotes kept."""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilothouse.hazards.model import Finding
from pilothouse.hazards.writing import written
from pilothouse.kube.objects import KubeObject
from pilothouse.kube.objects import Path as FieldPath


@dataclass(slots=True)
class Fixed:
    """What was changed: rewritten files with how many findings each, and why others were left."""

    files: dict[str, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def diff(one: KubeObject, finding: Finding) -> str:
    """The fix as a unified diff of the document; empty when the rule has none or it cannot be shown.

    A live object has no document: what is changed is what somebody would have written to get it.
    """
    if finding.rule.patch is None:
        return ""
    if not (one.text or one.file or one.at):
        one = written(one)
    changed = patched(one.text, [(one, finding)]) if one.text else None
    if changed is None or changed == one.text:
        return ""
    before, after = one.text.splitlines(), changed.splitlines()
    lines = list(difflib.unified_diff(before, after, one.file, one.file, lineterm="", n=2))
    return "\n".join(_moved(line, one.line - 1) for line in lines)


def _moved(line: str, by: int) -> str:
    """A hunk's head with the line numbers of the file instead of the document's."""
    if not line.startswith("@@") or not by:
        return line
    import re

    return re.sub(r"([-+])(\d+)", lambda found: f"{found[1]}{int(found[2]) + by}", line, count=2)


def apply(pairs: Iterable[tuple[KubeObject, Finding]]) -> Fixed:
    """Apply the safe fixes to the files; a file is replaced whole or not at all."""
    result = Fixed()
    by_file: dict[str, dict[int, list[tuple[KubeObject, Finding]]]] = {}
    for one, finding in pairs:
        if not finding.rule.safe or finding.rule.patch is None or finding.excepted:
            continue
        if not one.text or not Path(one.file).is_file():
            result.left.append(f"{finding.rule.id} {finding.subject}: not in a file of its own")
            continue
        by_file.setdefault(one.file, {}).setdefault(one.line, []).append((one, finding))
    for file, documents in by_file.items():
        text = Path(file).read_text()
        for line in sorted(documents, reverse=True):
            given = documents[line]
            changed = patched(given[0][0].text, given)
            if changed is None or text.count(given[0][0].text) != 1:
                result.left.append(f"{given[0][1].rule.id} {given[0][1].subject}: {file}:{line} is not plain YAML")
                continue
            text = text.replace(given[0][0].text, changed)
            result.files[file] = result.files.get(file, 0) + len(given)
        Path(file).write_text(text)
    return result


def patched(document: str, pairs: Iterable[tuple[KubeObject, Finding]]) -> str | None:
    """The document with all patches in it; None when it cannot be written back as it was."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 10_000
    indented = _indented_lists(document)
    editor.indent(
        mapping=_step(document), sequence=_step(document) + (2 if indented else 0), offset=2 if indented else 0
    )
    try:
        content = editor.load(document)
        unchanged = _dumped(editor, content)
        for one, finding in pairs:
            place, change = _target(content, one, finding)
            if place is None:
                return None
            _merge(place, change)
        return _onto(document, unchanged, _dumped(editor, content))
    except (YAMLError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


def _dumped(editor: Any, content: Any) -> str:
    out = io.StringIO()
    editor.dump(content, out)
    return out.getvalue()


def _onto(original: str, unchanged: str, changed: str) -> str:
    """The change alone on the original text, where the editor would have written other parts differently as well."""
    body = original.removeprefix("\n")
    head = original[: len(original) - len(body)]
    if unchanged == body:
        return head + changed
    before, plain, after = body.splitlines(True), unchanged.splitlines(True), changed.splitlines(True)
    if len(before) != len(plain):
        return head + changed
    made: list[str] = []
    for kind, start, end, new_start, new_end in difflib.SequenceMatcher(None, plain, after, False).get_opcodes():
        made += before[start:end] if kind == "equal" else after[new_start:new_end]
    return head + "".join(made)


def _step(document: str) -> int:
    """How far mappings are indented."""
    for line in document.splitlines():
        stripped = line.lstrip(" ")
        if stripped and not stripped.startswith(("#", "-")) and len(line) > len(stripped):
            return max(2, min(len(line) - len(stripped), 8))
    return 2


def _indented_lists(document: str) -> bool:
    """Whether lists are indented below their key."""
    previous = ""
    for line in document.splitlines():
        if line.lstrip(" ").startswith("- ") and previous.rstrip().endswith(":"):
            return len(line) - len(line.lstrip(" ")) > len(previous) - len(previous.lstrip(" "))
        if line.strip() and not line.lstrip().startswith("#"):
            previous = line
    return False


def _target(content: Any, one: KubeObject, finding: Finding) -> tuple[Any, Any]:
    """Where the patch goes: the container, the pod spec, or the whole object for a patch of `spec`."""
    change = finding.rule.patch
    path: FieldPath = one.at + (() if "spec" in change else finding.at)
    place = content
    for step in path:
        place = place[step]
    return place, change


def _merge(place: Any, change: Any) -> None:
    """A merge patch in place; items of a list of mappings are found by their name, or all are meant."""
    for name, value in change.items():
        there = place.get(name)
        if value is None:
            place.pop(name, None)
        elif isinstance(value, dict) and isinstance(there, dict):
            _merge(there, value)
        elif isinstance(value, list) and isinstance(there, list) and value and isinstance(value[0], dict):
            _merge_items(there, value)
        else:
            place[name] = _without_nulls(value)


def _merge_items(there: Any, items: list[Any]) -> None:
    for item in items:
        same = [other for other in there if "name" not in item or other.get("name") == item["name"]]
        for other in same:
            _merge(other, item)
        if not same:
            there.append(item)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return value
