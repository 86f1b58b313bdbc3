"""Selectors: what they mean is tried on the engine itself."""

from __future__ import annotations

import pytest

from pilothouse.engine import Engine
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.selector import Matcher, parse_selector

LABELS = {"service.name": "checkout", "env": "prod", "odd": 'a"b\\c'}


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ("", ()),
        ("{}", ()),
        ('service_name="checkout"', (Matcher("service_name", "=", "checkout"),)),
        ('{service.name="checkout",}', (Matcher("service.name", "=", "checkout"),)),
        (
            '{"service.name"="a", env!~"p.*"}',
            (Matcher("service.name", "=", "a"), Matcher("env", "!~", "p.*")),
        ),
        (r'a="quote \" backslash \\ newline \n"', (Matcher("a", "=", 'quote " backslash \\ newline \n'),)),
        (r"a=~`\d+`", (Matcher("a", "=~", r"\d+"),)),
    ],
)
def test_parsing(text: str, matchers: tuple[Matcher, ...]) -> None:
    assert parse_selector(text).matchers == matchers


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("service_name", "service_name"),
        ("{a='b'}", "a='b'"),
        ('{a="b"', "brace"),
        ('a="b" b="c"', "comma"),
        ('a=="b"', 'a=="b"'),
        ('a=~"("', "regular expression"),
        ('="b"', '="b"'),
    ],
)
def test_what_does_not_parse_is_refused_with_the_place(text: str, place: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        parse_selector(text)
    assert place in str(caught.value)
    assert caught.value.field == "selector"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ('service_name="checkout"', True),
        ('service.name="checkout"', True),
        ('service_name="check"', False),
        ('service_name=~"check"', False),
        ('service_name=~"check.*"', True),
        ('service_name=~"a|checkout"', True),
        ('env!="prod"', False),
        ('env!~"dev|test"', True),
        ('missing=""', True),
        ('missing!=""', False),
        ('missing!="x"', True),
        (r'odd="a\"b\\c"', True),
        ('env="prod\') OR 1=1 --"', False),
        ('env="prod",service_name="other"', False),
    ],
)
def test_meaning(engine: Engine, text: str, holds: bool) -> None:
    condition, parameters = parse_selector(text).condition("attributes")
    pairs = "map(" + ", ".join(f"{{k{n}:String}}, {{v{n}:String}}" for n in range(len(LABELS))) + ")"
    for number, (key, value) in enumerate(LABELS.items()):
        parameters |= {f"k{number}": key, f"v{number}": value}
    table = engine.query(f"SELECT count() AS n FROM (SELECT {pairs} AS attributes) WHERE {condition}", parameters)
    assert table.to_pylist() == [{"n": int(holds)}]
