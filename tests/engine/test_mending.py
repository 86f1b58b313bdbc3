"""Answers with bytes that are no text can be read, wherever in a row they are."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.engine import Engine
from pilothouse.engine.mending import mended


def test_bytes_that_are_no_text_are_replaced_and_the_rest_is_left(engine: Engine) -> None:
    table = engine.query(
        "SELECT unhex('61ff62') AS one, [unhex('ff'), 'ü', ''] AS list, "
        "map('k', unhex('fe'), unhex('fd'), 'v') AS pairs, "
        "(1, unhex('ff')) AS pair, [map('k', unhex('ff'))] AS deep, toFixedString(unhex('ff00'), 2) AS fixed, "
        "CAST(NULL, 'Nullable(String)') AS nothing, toLowCardinality(unhex('ff')) AS low, 5 AS number"
    )
    [row] = table.to_pylist()
    assert row.pop("pair") == {"1": 1, "2": "\ufffd"}
    assert row == {
        "one": "a\ufffdb",
        "list": ["\ufffd", "ü", ""],
        "pairs": [("k", "\ufffd"), ("\ufffd", "v")],
        "deep": [[("k", "\ufffd")]],
        "fixed": b"\xff\x00",
        "nothing": None,
        "low": "\ufffd",
        "number": 5,
    }


@given(st.lists(st.binary(max_size=6) | st.none(), min_size=1))
def test_any_bytes_become_text(values: list[bytes | None]) -> None:
    offsets = pa.array(values, pa.binary())
    strings = pa.StringArray.from_buffers(len(values), offsets.buffers()[1], offsets.buffers()[2], offsets.buffers()[0])
    found = mended(pa.table({"text": strings})).column("text").to_pylist()
    assert found == [value if value is None else value.decode(errors="replace") for value in values]


def test_text_is_not_copied() -> None:
    table = pa.table({"text": ["a", "ü", None]})
    assert mended(table) is table


@pytest.mark.parametrize("rows", [0, 1])
def test_an_empty_answer(engine: Engine, rows: int) -> None:
    assert engine.query(f"SELECT 'a' AS a FROM numbers({rows})").num_rows == rows
