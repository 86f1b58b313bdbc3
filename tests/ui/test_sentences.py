"""What the server says in sentences can be said in Japanese: every template of the source is in the page's table."""

from __future__ import annotations

import ast
import json
import string
from collections.abc import Iterator
from pathlib import Path

import pilothouse
from pilothouse.signals.sentences import Sentence, from_parts, joined, sentence, sentences_in
from tests.ui.conftest import UI

SOURCE = Path(pilothouse.__file__).parent
JAPANESE = UI / "src" / "words" / "ja" / "sentences.json"


def templates() -> Iterator[tuple[str, str]]:
    """Every template with the place where a sentence is made of it."""
    for file in sorted(SOURCE.rglob("*.py")):
        text = file.read_text()
        if "import" not in text or "sentence(" not in text or file.name == "sentences.py":
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sentence":
                place = f"{file.relative_to(SOURCE)}:{node.lineno}"
                template = node.args[0]
                assert isinstance(template, ast.Constant), f"{place}: a template must be a literal"
                yield str(template.value), place


def holes(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_sentence_of_the_server_is_in_the_japanese_table() -> None:
    table: dict[str, str] = json.loads(JAPANESE.read_text())
    known = dict(templates())
    assert [f"{place}: {one}" for one, place in known.items() if one not in table] == []
    lists = {one for one in table if set(one) <= set("{abcd}; ,and")}
    assert [one for one in table if one not in known and one not in lists] == [], "nobody says this any more"
    assert [one for one, said in table.items() if holes(one) != holes(said)] == [], "other values than the English"


def test_a_sentence_is_text_with_its_parts() -> None:
    inner = sentence("{n} of {all}", n=1, all="{braces}")
    outer = sentence("only {said}", said=inner)
    assert (outer, type(outer)) == ("only 1 of {braces}", Sentence)
    assert json.dumps([outer]) == '["only 1 of {braces}"]'
    parts = {"template": "{n} of {all}", "values": {"n": "1", "all": "{braces}"}}
    assert outer.parts() == {"template": "only {said}", "values": {"said": parts}}
    assert sentences_in({"a": [outer, "text"], "b": {"c": (inner,)}}) == {outer: outer.parts(), inner: parts}
    again = from_parts(json.loads(json.dumps(outer.parts())))
    assert (again, again.parts()) == (outer, outer.parts())
    assert joined("; ", ["one"]) == "one"
    assert joined("; ", ["one", "two"]) == "one; two"
    assert joined("; ", []) == ""
