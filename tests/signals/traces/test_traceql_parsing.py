"""The lists of queries that must and must not be accepted; the runner says what is not so; hostile queries end."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.signals.traces.traceql import TraceqlError, check, parse, tree
from pilothouse.signals.traces.traceql.writing import written
from tests.signals.receive.conftest import examples
from tests.traceqltest.__main__ import main
from tests.traceqltest.running import run

CASES = sorted((Path(__file__).parents[2] / "traceqltest" / "cases").glob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_the_lists_hold(path: Path) -> None:
    results = list(run(path.read_text()))
    assert len(results) > 30
    assert [(result.query, result.failure) for result in results if result.failure] == []


def test_the_runner_fails_what_is_listed_wrongly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("valid: ['{ a }', '{ }']\nparse_fails: ['{ .a }', '{ name = 1 }']\nvalidate_fails: ['{', '{ }']\n")
    assert main([str(wrong)]) == 1
    assert capsys.readouterr().out.endswith("1 passed, 5 failed\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ 1 + 2 * 3 ^ 2 ^ 2 = .a }", "(1 + (2 * (3 ^ (2 ^ 2)))) = .a"),
        ("{ -.a + 1 = 2 }", "(-.a + 1) = 2"),
        ("{ !.a = .b && .c }", "(!.a = .b) && .c"),
        ("{ .a || .b && .c }", "(.a || .b) && .c"),
        ("{ .a+b = 1 }", ".a+b = 1"),
        ('{ span."a b".c = 1h30m }', 'span."a b.c" = 90m'),
    ],
)
def test_operators_bind_as_tempo_has_them(text: str, expected: str) -> None:
    [stage] = parse(text).root.stages  # type: ignore[union-attr]
    assert written(stage.condition) == expected
    assert parse("{ " + expected + " }") == parse(text)


def test_series_keep_what_follows_them_apart() -> None:
    root = parse("({ } | rate() > 6) * 100 > 5 | topk(2)").root
    assert isinstance(root, tree.SeriesOperation)
    assert root.after == (tree.Threshold(">", 5.0), tree.Ranking("topk", 2))
    assert isinstance(root.left, tree.Measure)
    assert root.left.after == (tree.Threshold(">", 6.0),)


@pytest.mark.parametrize(
    "text", ["(" * 100_000, "{ " + "!" * 5000 + ".a }", "{ " + "-" * 90_000, "{ .a = 1" + " && .a = 1" * 9000]
)
def test_deep_and_long_queries_end_in_words(text: str) -> None:
    with pytest.raises(TraceqlError):
        parse(text)


@examples(200)
@given(st.text(st.sampled_from(list('{}()|&<>=~!. "`+-*/%^,a1snil:\\\n')), max_size=40))
def test_any_text_is_a_query_or_an_error(text: str) -> None:
    accepted: tree.Query | None = None
    with suppress(TraceqlError):
        accepted = parse(text)
        check(accepted)
    assert accepted is None or accepted.root is not None
