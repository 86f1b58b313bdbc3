"""Pyroscope's tries and trees: written here as its agents write them, and broken in all ways."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.exporting import to_folded
from pilothouse.signals.profiles.model import SampleType
from pilothouse.signals.receive.pprof_limits import ProfileLimits
from pilothouse.signals.receive.pprof_reading import Sender
from pilothouse.signals.receive.pprof_trie import read_trie
from tests.signals.profiles.serving import House
from tests.thorough import part_of

SENDER = Sender({"service.name": "s"}, {})


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def node(name: bytes, value: int, *children: bytes) -> bytes:
    return varint(len(name)) + name + varint(value) + varint(len(children)) + b"".join(children)


TRIE = node(b"", 0, node(b"main;", 0, node(b"work", 5, node(b";leaf", 300)), node(b"wait", 2)))
TREE = node(b"", 0, node(b"main", 0, node(b"work", 5, node(b"leaf", 300)), node(b"wait", 2)))


def read(body: bytes, whole_names: bool = False, limits: ProfileLimits | None = None) -> Any:
    return read_trie(body, whole_names, SampleType("samples", "1"), 1, SENDER, limits or ProfileLimits())


@pytest.mark.parametrize(("body", "whole_names"), [(TRIE, False), (TREE, True)])
def test_stacks_and_values(body: bytes, whole_names: bool) -> None:
    folded = to_folded(read(body, whole_names))
    assert sorted(folded.splitlines()) == ["main;wait 2", "main;work 5", "main;work;leaf 300"]


@pytest.mark.parametrize("form", ["trie", "tree"])
def test_ingest(house: House, form: str) -> None:
    query = {"name": f"form-{form}.cpu{{}}", "format": form}
    response = house.client.post("/pyroscope/ingest", params=query, content=TRIE if form == "trie" else TREE)
    assert response.status_code == 200, response.text
    house.wait_for(f"form-{form}", "cpu")
    top = house.get("/api/profiles/top", service=f"form-{form}", by="total")["functions"]
    assert [(one["function"], one["total"]) for one in top][:2] == [("main", 3_070_000_000), ("work", 3_050_000_000)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (TRIE[:-1], "cut short"),
        (TRIE[:-3], "ends within the name of node 5"),
        (TRIE + b"x", "1 bytes after the last node"),
        (b"", "no number at byte 0"),
        (varint(50) + b"short", "ends within the name of node 1"),
        (b"\xff" * 12, "no number at byte 0"),
        (node(b"\xff\xfe", 1), "not UTF-8"),
        (varint(0) + varint(0) + varint(2**62), "no number"),
    ],
)
def test_what_is_broken_is_named(body: bytes, said: str) -> None:
    with pytest.raises(BadRequestError, match=said):
        read(body)


def test_limits() -> None:
    many = node(b"", 0, *[node(b"a", 1)] * 50)
    with pytest.raises(BadRequestError, match="more than 10 nodes"):
        read(many, limits=ProfileLimits(records=10))


@given(st.binary(max_size=60))
@settings(max_examples=part_of(200), deadline=None)
def test_random_bytes_are_taken_or_refused_in_words(body: bytes) -> None:
    with suppress(BadRequestError):
        read(body)
