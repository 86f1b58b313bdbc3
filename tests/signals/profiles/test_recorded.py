"""Profiles that real profilers wrote: nothing of them is lost or changed."""

from __future__ import annotations

import gzip
import time
from collections import Counter
from pathlib import Path

from pilothouse.signals.profiles.exporting import to_pprof_message
from pilothouse.signals.profiles.pprof import PprofProfile
from tests.signals.profiles.serving import House
from tests.signals.profiles.test_pprof_reading import read
from tests.signals.profiles.test_pyroscope import PROTO, PUSH, pushed

# Three seconds of Go's own compiler: `go build -gcflags=net/http=-cpuprofile=FILE net/http`.
GO = Path(__file__).parent / "recorded" / "go_compiler.pb.gz"


def go_profile() -> bytes:
    message = PprofProfile.FromString(gzip.decompress(GO.read_bytes()))
    message.time_nanos = time.time_ns() - 60_000_000_000
    content: bytes = message.SerializeToString()
    return content


def stacks_of(message: object) -> Counter[tuple[object, ...]]:
    """Values by the functions, files and lines of a stack, inlined ones as well."""
    texts = [text.decode() for text in message.string_table]  # type: ignore[attr-defined]
    functions = {one.id: (texts[one.name], texts[one.filename]) for one in message.function}  # type: ignore[attr-defined]
    places = {
        one.id: [(*functions[line.function_id], line.line) for line in one.line]
        for one in message.location  # type: ignore[attr-defined]
    }
    found: Counter[tuple[object, ...]] = Counter()
    for sample in message.sample:  # type: ignore[attr-defined]
        found[tuple(place for id in sample.location_id for place in places[id])] += sample.value[1]
    return found


def test_a_go_profile_makes_the_round_trip() -> None:
    body = go_profile()
    assert stacks_of(to_pprof_message(read(body))) == stacks_of(PprofProfile.FromString(body))


def test_totals_of_a_go_profile_are_exact(house: House) -> None:
    body = go_profile()
    message = PprofProfile.FromString(body)
    content = pushed("compiler", body).SerializeToString()
    assert house.client.post(PUSH, content=content, headers=PROTO).is_success
    house.wait_for("compiler", "cpu")
    for place, kind in enumerate(("samples", "cpu")):
        whole = sum(sample.value[place] for sample in message.sample)
        flame = house.get("/api/profiles/flame", service="compiler", type=kind)
        assert flame["total"] == flame["root"]["value"] == whole
        assert sum(child["value"] for child in flame["root"]["children"]) == whole
    assert any(len(one.line) > 1 for one in message.location), "it has inlined frames"
