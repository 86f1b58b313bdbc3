"""Lines that differ in their ids and numbers alone have one shape."""

from __future__ import annotations

import random
import uuid

import pytest

from pilothouse.engine import Engine
from pilothouse.engine.model import Parameter
from pilothouse.signals.logs.patterns import masked_sql

_CHANCE = random.Random(4)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _some(count: int, letters: str = "0123456789abcdef") -> str:
    return "".join(_CHANCE.choices(letters, k=count))


def _uuid() -> str:
    return str(uuid.UUID(int=_CHANCE.getrandbits(128)))


def _with_a_digit(count: int) -> str:
    """Hexadecimal digits as they are: all but one in a thousand of eight have one of ten."""
    return next(text for _ in range(100) if any(map(str.isdigit, text := _some(count))))


_FORMS = {
    "trace <_> done": lambda: f"trace {_some(32)} done",
    "<_>": lambda: _some(32),
    "id=<_>, span=<_>-<_>": lambda: f"id={_some(32)}, span={_some(16)}-{_some(12)}",
    "request <_> of user_<_> took <_>ms": lambda: (
        f"request {_uuid()} of user_{_with_a_digit(8)} took {_CHANCE.choice(['3', '12.5'])}ms"
    ),
    "key_<_>_ and <_>": lambda: f"key_{_uuid()}_ and {_uuid().upper()}",
    "commit <_> by 'x'": lambda: f"commit {_some(40)} by 'x'",
    "pod checkout<_> is up": lambda: (
        f"pod checkout-{_some(10, 'bcdfghjklmnpqrstvwxz2456789')}-{_some(5, 'bcdfghjklmnpqrstvwxz2456789')} is up"
    ),
    "order 01<_>": lambda: f"order 01{_some(24, _CROCKFORD)}",
    "change <_> at node<_>": lambda: f"change {_CHANCE.randrange(-50, 50)} at node{_CHANCE.randrange(9)}",
    "mac <_> at <_> std::vector": lambda: (
        f"mac {':'.join(_some(2) for _ in range(6))} at 2001:db8::{_some(3)} std::vector"
    ),
}


@pytest.mark.parametrize("form", _FORMS)
def test_one_shape_whatever_the_ids_are(engine: Engine, form: str) -> None:
    lines = [_FORMS[form]() for _ in range(200)]
    parameters: dict[str, Parameter] = {"lines": lines}
    found = engine.query(
        f"SELECT {masked_sql('line', parameters)} AS shape, count() AS lines "
        "FROM (SELECT arrayJoin({lines:Array(String)}) AS line) GROUP BY shape",
        parameters,
    ).to_pylist()
    expected = form.replace("'x'", "<_>").replace("01<_>", "<_>")
    assert found == [{"shape": expected, "lines": 200}]


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ('GET "/x" HTTP/1.1 200', "GET <_> HTTP/<_> <_>"),
        ("2026-11-26T10:00:00.123Z level=info", "<_> level=info"),
        ("10.0.0.1:80 [::] add::Foo", "<_> [::] add::Foo"),
        ("at 0xdeadbeef of node1 in face", "at <_> of node<_> in face"),
        ("no digits at all, user_name", "no digits at all, user_name"),
    ],
)
def test_what_is_left_of_a_line(engine: Engine, line: str, shape: str) -> None:
    parameters: dict[str, Parameter] = {"line": line}
    found = engine.query(f"SELECT {masked_sql('{line:String}', parameters)} AS shape", parameters).to_pylist()
    assert found == [{"shape": shape}]
