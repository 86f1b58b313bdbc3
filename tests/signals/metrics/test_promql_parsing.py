"""Queries are read and written again; what is no query is refused at its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.signals.metrics.promql.errors import ParseError
from pilothouse.signals.metrics.promql.nodes import VectorSelector, walk
from pilothouse.signals.metrics.promql.parser import parse, parse_selector
from pilothouse.signals.metrics.promql.pretty import pretty
from pilothouse.signals.metrics.promql.printing import write
from tests.signals.metrics.query_corpus import Corpus


@pytest.mark.parametrize(
    ("query", "written"),
    [
        ("1", "1"),
        ("-1^2", "-1 ^ 2"),
        ("0x1f", "31"),
        ("1m", "1m"),
        ("5m30s", "5m30s"),
        ("Inf", "+Inf"),
        ('"a\\nb"', '"a\\nb"'),
        ("'it'", '"it"'),
        ("foo", "foo"),
        ("foo{}", "foo"),
        ('foo{b="2",a=~"1"}', 'foo{a=~"1",b="2"}'),
        ('{"a.b", c!="d"}', '{__name__="a.b",c!="d"}'),
        ('{__name__="foo"}', '{__name__="foo"}'),
        ("foo offset 5m", "foo offset 5m"),
        ("foo offset -1h30m", "foo offset -1h30m"),
        ("foo @ 1.5", "foo @ 1.500"),
        ("foo @ end() offset 5m", "foo @ end() offset 5m"),
        ("foo offset 5m @ start()", "foo @ start() offset 5m"),
        ("rate(foo[5m] offset 1w)", "rate(foo[5m] offset 1w)"),
        ("foo[5m:30s]", "foo[5m:30s]"),
        ("foo[5m:]", "foo[5m:]"),
        ("sum by(a)(foo)", "sum by (a) (foo)"),
        ("sum(foo) without (a,b)", "sum without (a, b) (foo)"),
        ("topk(3, foo) by (x)", "topk by (x) (3, foo)"),
        ("a+on(x)group_left(y)b", "a + on (x) group_left (y) b"),
        ("a == bool b", "a == bool b"),
        ("a and ignoring(x) b", "a and ignoring (x) b"),
        ("a + fill(0) b", "a + fill (0) b"),
        ("a + on(x) fill_left(1) fill_right(2) b", "a + on (x) fill_left (1) fill_right (2) b"),
        ("foo[5m] anchored", "foo[5m] anchored"),
        ("foo smoothed", "foo smoothed"),
        ("foo[2*(5m+step())]", "foo[2 * (5m + step())]"),
        ("foo offset (1m+1m)", "foo offset (1m + 1m)"),
        ("sum(sum)", "sum(sum)"),
        ("# remark\nfoo # more", "foo"),
        ("(a)", "(a)"),
    ],
)
def test_queries_are_written_as_prometheus_does(query: str, written: str) -> None:
    node = parse(query)
    assert write(node) == written
    assert write(parse(written)) == written


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "1:1: parse error: no expression found in input"),
        ("sum(", "1:5: parse error: unclosed left parenthesis"),
        ("foo)", "1:4: parse error: unexpected right parenthesis ')'"),
        ("foo{", "1:5: parse error: unexpected end of input inside braces"),
        ("foo bar", '1:5: parse error: unexpected identifier "bar"'),
        ("foo\n + ", "2:4: parse error: unexpected end of input"),
        ("1 == 2", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
        ("a + bool b", "1:3: parse error: bool modifier can only be used on comparison operators"),
        ("nope(foo)", '1:1: parse error: unknown function with name "nope"'),
        ("rate(foo)", '1:6: parse error: expected type range vector in call to function "rate", got instant vector'),
        ("abs()", '1:1: parse error: expected 1 argument(s) in call to "abs", got 0'),
        ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ('foo{a="b}', "1:7: parse error: unterminated quoted string"),
        ('foo{a=~"("}', "1:5: parse error: error parsing regexp: missing ): `(`"),
        ("foo offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"),
        ("foo @ 1 @ 2", "1:1: parse error: @ <timestamp> may not be set multiple times"),
        ("1 offset 1m", "1:1: parse error: offset modifier must be preceded by an instant vector selector or "
                        "range vector selector or a subquery"),
        ("foo[5m][5m]", "1:8: parse error: ranges only allowed for vector selectors"),
        ("foo and 1", '1:1: parse error: set operator "and" not allowed in binary scalar expression'),
        ("a and on(x) group_left() b", '1:1: parse error: no grouping allowed for "and" operation'),
        ("a + on(x) group_left(x) b", '1:3: parse error: label "x" must not occur in ON and GROUP clause at once'),
        ("sum(a, b)", "1:1: parse error: wrong number of arguments for aggregate expression provided, "
                      "expected 1, got 2"),
        ("5q", '1:1: parse error: bad number or duration syntax: "5q"'),
        ("foo[0s]", "1:5: parse error: duration must be greater than 0"),
        ("foo[5m/0]", "1:7: parse error: division by zero"),
        ("a,b", '1:2: parse error: unexpected ","'),
        ("a !~ b", "1:3: parse error: unexpected character after '!': '~'"),
        ("$", "1:1: parse error: unexpected character: '$'"),
    ],
)  # fmt: skip
def test_what_is_no_query_is_refused_at_its_place(query: str, message: str) -> None:
    with pytest.raises(ParseError) as refused:
        parse(query)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "name", ["sum", "by", "offset", "bottomk", "or", "and", "start", "end", "fill", "step", "group"]
)
def test_keywords_may_name_metrics(name: str) -> None:
    node = parse(f"{name} + {name}{{a='b'}}")
    assert [part.name for part in walk(node) if isinstance(part, VectorSelector)] == [name, name]


def test_a_selector_alone() -> None:
    assert [str(matcher) for matcher in parse_selector('up{job=~"a|b"}')] == ['job=~"a|b"', '__name__="up"']
    with pytest.raises(ParseError):
        parse_selector("rate(up[5m])")


@pytest.mark.parametrize("seed", range(5))
def test_generated_queries_survive_writing(seed: int) -> None:
    corpus = Corpus(seed)
    for _ in range(200):
        try:
            node = parse(corpus.query())
        except ParseError:
            continue
        assert write(parse(write(node))) == write(node)
        assert write(parse(pretty(node))) == write(node)


def test_a_long_query_takes_several_lines() -> None:
    query = " + ".join(f"sum by (job) (rate(requests_total{{code='{code}'}}[5m]))" for code in range(3))
    lines = pretty(parse(query)).split("\n")
    assert lines[0].startswith("    sum by (job)")
    assert lines[1] == "  +"
    assert max(map(len, lines)) <= 100


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        node = parse(text)
    except ParseError:
        return
    assert write(parse(write(node))) == write(node)


def test_nesting_has_an_end() -> None:
    with pytest.raises(ParseError, match="nested too deeply"):
        parse("(" * 5000 + "1" + ")" * 5000)
