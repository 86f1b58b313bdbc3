"""What is looked for before an expression is matched: no match may be without it."""

from __future__ import annotations

import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.engine import Engine
from pilothouse.engine.model import Parameter
from pilothouse.signals.logs.compiling.literals import Needed, needed
from pilothouse.signals.logs.compiling.scanning import scannable
from tests.thorough import part_of

_ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "k",
        "s",
        "abc",
        "def",
        "ghi",
        ".",
        r"\.",
        r"\d",
        "[a-c]",
        "[bk]",
        "[^a]",
        "[|]",
        r"\|",
        "^",
        "$",
        "é",
        "|",
    ]
)
_TIMES = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{0,2}"])


def _joined(parts: list[tuple[str, str]]) -> str:
    return "".join(atom + (times if atom not in "^$|" else "") for atom, times in parts)


_PLAIN = st.lists(st.tuples(_ATOMS, _TIMES), min_size=1, max_size=5).map(_joined)
_GROUPED = st.tuples(_PLAIN, st.sampled_from(["(", "(?:"]), _PLAIN, _TIMES, _PLAIN).map(
    lambda parts: f"{parts[0]}{parts[1]}{parts[2]}){parts[3]}{parts[4]}"
)
_EXPRESSIONS = st.tuples(st.sampled_from(["", "(?i)"]), _PLAIN | _GROUPED).map("".join)
_LINES = st.text("abcdefghiABCksKS\u212a\u017f.|1éÉ\n", max_size=12)


@settings(max_examples=part_of(400), deadline=None)
@given(expression=_EXPRESSIONS, lines=st.lists(_LINES, max_size=20))
def test_each_match_has_what_is_needed(expression: str, lines: list[str]) -> None:
    found = needed(expression)
    if found is None:
        return
    for line in lines:
        matched = bool(re2.search(f"(?s){expression}", line))
        text = _lower(line) if found.ignores_case else line
        there = all(any((_lower(one) if found.ignores_case else one) in text for one in texts) for texts in found.sets)
        assert there or not matched, (expression, line)
        assert not (there and found.whole) or matched, (expression, line)


def test_what_is_found_in_usual_expressions() -> None:
    assert needed("timeout") == Needed((("timeout",),), ignores_case=False, whole=True)
    assert needed("error|warn") == Needed((("error", "warn"),), ignores_case=False, whole=True)
    assert needed("(?i)(error|fail)") == Needed((("error", "fail"),), ignores_case=True, whole=True)
    assert needed("status=5[0-9]+ bytes") == Needed((("status=5",), (" bytes",)), ignores_case=False, whole=False)
    assert needed("(?i)SocketTimeout") == Needed((("etTimeout",),), ignores_case=True, whole=False)
    assert needed("Order (new|old) accepted") == Needed(
        (("Order new accepted", "Order old accepted"),), ignores_case=False, whole=True
    )
    assert needed("[0-9]+") is None
    calls = needed("(GET|PUT) /[a-z]+/v[0-9]/(cart|stock)")
    assert calls == Needed((("GET /", "PUT /"), ("/cart", "/stock")), ignores_case=False, whole=False)
    assert needed("status=5[03]") == Needed((("status=50", "status=53"),), ignores_case=False, whole=True)
    assert needed("(" * 1000 + "abc" + ")" * 1000) is None
    assert needed("^(ab|cd)+e") == Needed((("abe", "cde"),), ignores_case=False, whole=False)
    assert needed("^(ab|cd)*e") is None
    assert needed("(abc|x[0-9]def)*g") is None
    assert needed("(abc|x[0-9]def)g") == Needed((("abc", "def"),), ignores_case=False, whole=False)


def _lower(text: str) -> str:
    """As ClickHouse's searches that ignore the case of ASCII letters."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


_SCANNED_ATOMS = (
    "a", "k", "s", "0", "-", " ", r"\.", r"\d", r"\w", "[ab]", "[0-9]", r"[\d.]", "(a|0)", "(?:b-|)", ".", "[^a]",
    r"\s", r"\W",
)  # fmt: skip
_SCANNED = st.tuples(
    st.sampled_from(["", "^"]),
    st.lists(
        st.tuples(
            st.sampled_from(_SCANNED_ATOMS),
            st.sampled_from(["", "", "*", "+", "?", "{2}", "{0,2}"]),
        ),
        min_size=1,
        max_size=5,
    ).map(lambda parts: "".join(atom + times for atom, times in parts)),
    st.sampled_from(["", "$"]),
).map("".join)  # fmt: skip


def test_vectorscan_finds_all_that_re2_matches_where_it_is_asked_first(engine: Engine) -> None:
    @settings(max_examples=part_of(60), deadline=None)
    @given(
        expression=_SCANNED,
        lines=st.lists(st.text("abk01-. s\u212a\u017fé\n", max_size=9), max_size=30),
    )
    def agree(expression: str, lines: list[str]) -> None:
        assert scannable(expression)
        parameters: dict[str, Parameter] = {"re2": f"(?s){expression}", "all": [expression], "lines": lines}
        differ = engine.query(
            "SELECT line, match(line, {re2:String}) AS matched FROM (SELECT arrayJoin({lines:Array(String)}) AS line) "
            "WHERE matched != multiMatchAny(line, {all:Array(String)})",
            parameters,
        ).to_pylist()
        assert not any(row["matched"] for row in differ), (expression, differ)
        assert not (differ and scannable(expression, exactly=True)), (expression, differ)

    agree()


def test_what_vectorscan_is_asked() -> None:
    assert scannable("[0-9]{3}-[a-z]+-[0-9]")
    assert scannable(r"\d+ms|\d+us")
    assert scannable(r"^(\d{1,3}\.){3}\d{1,3} .*[0-9a-f]{32}$")
    assert scannable(r"^[0-9]{3}-[\w.]+ (a|b)*\.x", exactly=True)
    for expression in (".", "a$", r"\s", "[^a]", r"\D", r"[\s]"):
        assert scannable(expression)
        assert not scannable(expression, exactly=True)
    assert not scannable("[" + "a-" * 90)
    # Where the two differ, or would need much room.
    others = (
        r"[^\x09\x0a ]",
        "é",
        "[é]",
        "(?i)a",
        r"\pL",
        "a$*",
        "a|^b",
        "a$|b",
        "a{500}",
        "(a{9}){9}",
        "a**",
        "(a",
        "a)",
        "[a",
    )
    assert not any(map(scannable, others))
