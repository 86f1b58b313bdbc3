"""The text formats, line by line."""

from __future__ import annotations

import pytest

from pilothouse.signals.metrics.scraping.exposition import ExpositionError, Lines, labels_of_head


@pytest.mark.parametrize(
    ("head", "labels"),
    [
        (b"up", {"__name__": "up"}),
        (b'a{b="c",d="e"}', {"__name__": "a", "b": "c", "d": "e"}),
        (b'a{b="c",}', {"__name__": "a", "b": "c"}),
        (b"a{}", {"__name__": "a"}),
        (b'a { b = "c" , d = "e" }', {"__name__": "a", "b": "c", "d": "e"}),
        (rb'a{b="x\"y\\z\n}"}', {"__name__": "a", "b": 'x"y\\z\n}'}),
        (b'{"my.metric",b="c"}', {"__name__": "my.metric", "b": "c"}),
        (b'{"my.metric","a.b"="c"}', {"__name__": "my.metric", "a.b": "c"}),
        ('a{b="é"}'.encode(), {"__name__": "a", "b": "é"}),
    ],
)
def test_heads(head: bytes, labels: dict[str, str]) -> None:
    assert labels_of_head(head) == labels


@pytest.mark.parametrize(
    "head", [b"a{b}", b'a{b="c"', b'a{b="c"}}', b"a{b=c}", b'a{b="c",b="d"}', b'a{b="\xff"}', b"1a{"]
)
def test_heads_that_are_none(head: bytes) -> None:
    with pytest.raises(ExpositionError):
        labels_of_head(head)


def test_a_body() -> None:
    body = b"""# HELP a Says \\\\ what.\n# TYPE a counter\na{b="}"} 1 1000\na 2\n\n# something else\nb\t+Inf\n"""
    lines = Lines(body)
    assert [line[:3] for line in lines] == [(b'a{b="}"}', b"1", b"1000"), (b"a", b"2", b""), (b"b", b"+Inf", b"")]
    assert lines.described["a"].type == "counter"
    assert lines.described["a"].help == "Says \\ what."


def test_exemplars_of_open_metrics() -> None:
    body = b'a_total{b=" # {x"} 3 # {trace_id="ab",c="# {"} 0.5 12.5\n# EOF\n'
    ((head, value, stamp, exemplar),) = Lines(body, True)
    assert (head, value, stamp) == (b'a_total{b=" # {x"}', b"3", b"")
    assert exemplar is not None
    assert (exemplar.labels, exemplar.value, exemplar.time) == ({"trace_id": "ab", "c": "# {"}, 0.5, 12500)


@pytest.mark.parametrize("body", [b"a\n", b"a 1 2 3\n", b"a{} \n"])
def test_lines_that_are_none(body: bytes) -> None:
    with pytest.raises(ExpositionError):
        list(Lines(body))


def test_open_metrics_must_end() -> None:
    with pytest.raises(ExpositionError, match="EOF"):
        list(Lines(b"a 1\n", True))
