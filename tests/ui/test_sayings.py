"""What the mesh, delivery, objectives and errors say without its parts has its Japanese.

That of rules is held in tests/hazards/test_rules.py, where they speak.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pilothouse
from tests.ui.sayings import JA, holes, interpreter, texts_of
from tests.ui.spoken_rooms import ALSO, REFUSING, SAYING, UNSAID, Values

SOURCE = Path(pilothouse.__file__).parent
_WORD = re.compile(r"[A-Za-z]{2,}")


def said() -> Iterator[tuple[str, str]]:
    """Place and text of all that is said."""
    rooms: list[tuple[str, Values, bool]] = [(pattern, values, False) for pattern, values in SAYING.items()]
    rooms += [(pattern, {}, True) for pattern in REFUSING]
    for pattern, values, raised in rooms:
        files = sorted(SOURCE.glob(pattern))
        assert files, pattern
        for file in files:
            for line, text in texts_of(file, values, raised=raised):
                # The page's own policy is no text for people.
                if not text.startswith("default-src "):
                    yield f"{file.relative_to(SOURCE)}:{line}", text
    yield from (("together", text) for text in ALSO)


def test_all_that_is_said_without_its_parts_has_a_pattern() -> None:
    table: dict[str, str] = json.loads((JA / "sayings.json").read_text())
    tell = interpreter(table)
    used, missing = set(), []
    for place, text in said():
        if (pattern := tell(text)) is not None:
            used.add(pattern)
        elif text not in UNSAID and len(_WORD.findall(text.replace("X1", ""))) > 1:
            missing.append(f"{place}: {text}")
    assert missing == [], "add their Japanese to ui/src/words/ja/sayings.json, or, if no page shows them, to UNSAID"
    assert [one for one in table if one not in used] == [], "nobody says this any more"
    assert [one for one, other in table.items() if holes(one) != holes(other)] == [], "other values than the English"


def test_japanese_is_typeset_as_it_is_read() -> None:
    texts = [
        text
        for file in ("sayings.json", "rules.json", "sentences.json")
        for text in re.findall(r'"((?:[^"\\]|\\.)*)"', (JA / file).read_text())
        if re.search(r"[\u3040-\u30ff]", text)
    ]
    # No space beside what is as wide as a space by itself; around holes the page sees to it.
    assert [text for text in texts if re.search(r"[、。（）：「」？] | [、。（）：「」？]", text)] == []
