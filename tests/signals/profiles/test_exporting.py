"""Out and in again is the same profile."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings

from pilothouse.signals.profiles.exporting import to_folded, to_pprof, to_speedscope
from pilothouse.signals.profiles.model import Profile
from pilothouse.signals.receive.pprof_reading import read_pprof
from tests.signals.profiles.building import PprofBuilder, go_heap, java_cpu, native_cpu, python_cpu
from tests.signals.profiles.serving import House
from tests.signals.profiles.test_pprof_reading import LIMITS, SAMPLES, SENDER, read
from tests.signals.profiles.test_pyroscope import PROTO, PUSH, pushed
from tests.thorough import part_of


def rows_of(profile: Profile, column: int = 0) -> Counter[Any]:
    """Values by labels and frames in full."""
    frames, stacks, rows = profile.stacks.frames, profile.stacks, Counter[Any]()
    for row, stack in enumerate(profile.stack_of.tolist()):
        places = stacks.places[stacks.offsets[stack] : stacks.offsets[stack + 1]].tolist()
        full = tuple(
            (
                frames.functions[at],
                frames.files[at],
                int(frames.lines[at]),
                frames.mappings[at],
                bool(frames.inlined[at]),
            )
            for at in places
        )
        labels = tuple(sorted(profile.label_sets[int(profile.labels_of[row])].items()))
        rows[labels, full] += int(profile.values[row, column])
    return rows


@pytest.mark.parametrize("build", [python_cpu, go_heap, java_cpu, native_cpu])
def test_pprof_round_trip(build: Any) -> None:
    first = read(build().bytes())
    second = read(to_pprof(first))
    assert second.types == first.types
    assert (second.time, second.duration) == (first.time, first.duration)
    for column in range(len(first.types)):
        assert rows_of(second, column) == rows_of(first, column)


@given(SAMPLES)
@settings(max_examples=part_of(60), deadline=None)
def test_any_profile_makes_the_round_trip(samples: Any) -> None:
    builder = PprofBuilder()
    for stack, value, labels in samples:
        builder.add(stack, value, labels=labels)
    first = read(builder.bytes())
    assert rows_of(read(to_pprof(first))) == rows_of(first)


def test_folded() -> None:
    builder = PprofBuilder().add([("a;b", "", 1), ("main", "", 1)], 3).add([("a;b", "", 2), ("main", "", 1)], 4)
    assert to_folded(read(builder.bytes())) == "main;a:b 7\n"


def test_speedscope() -> None:
    content = json.loads(to_speedscope(read(python_cpu().bytes()), "shop"))
    names = [frame["name"] for frame in content["shared"]["frames"]]
    [profile] = content["profiles"]
    assert (profile["type"], profile["unit"], profile["endValue"]) == ("sampled", "nanoseconds", 1_000_000_000)
    assert [[names[place] for place in stack] for stack in profile["samples"]] == [
        ["<module>", "serve", "parse"], ["<module>", "serve", "render"], ["<module>", "serve", "render", "escape"],
    ]  # fmt: skip
    assert sum(profile["weights"]) == profile["endValue"]


def exported(house: House, **query: str) -> httpx.Response:
    response = house.client.get("/api/profiles/export", params={"since": "1h", **query})
    assert response.status_code == 200, response.text
    return response


def test_export_of_a_store_is_what_went_in(house: House) -> None:
    for build in (python_cpu, go_heap):
        content = pushed("out", build().bytes()).SerializeToString()
        assert house.client.post(PUSH, content=content, headers=PROTO).is_success
    house.wait_for("out", "inuse_space")
    house.wait_for("out", "cpu")
    response = exported(house, service="out", type="cpu")
    assert response.headers["content-disposition"] == 'attachment; filename="cpu.pb.gz"'
    there = read_pprof(response.content, SENDER, LIMITS)
    assert rows_of(there) == rows_of(read(python_cpu().bytes()))
    assert there.types == read(python_cpu().bytes()).types
    heap = read_pprof(exported(house, service="out", type="inuse_space").content, SENDER, LIMITS)
    assert rows_of(heap) == rows_of(read(go_heap().bytes()), 3)
    folded = exported(house, service="out", type="cpu", format="folded").text
    assert folded.splitlines()[0] == "<module>;serve;render 500000000"
    assert exported(house, service="out", format="speedscope").json()["exporter"] == "pilothouse"


def test_export_of_nothing_is_an_empty_profile(house: House) -> None:
    assert len(read_pprof(exported(house, service="nobody").content, SENDER, LIMITS).values) == 0
    assert exported(house, service="nobody", format="folded").text == ""
    assert house.client.get("/api/profiles/export", params={"format": "svg"}).status_code == 400


@pytest.mark.skipif(not shutil.which("pprof"), reason="needs pprof: go install github.com/google/pprof@latest")
def test_pprof_reads_the_export(tmp_path: Path) -> None:
    path = tmp_path / "cpu.pb.gz"
    path.write_bytes(to_pprof(read(python_cpu().bytes())))
    found = subprocess.run(["pprof", "-top", str(path)], capture_output=True, text=True, check=True)
    assert "render" in found.stdout


def test_the_same_profile_gives_the_same_bytes() -> None:
    profile = read(go_heap().bytes())
    assert to_pprof(profile) == to_pprof(profile)
    assert gzip.decompress(to_pprof(profile))
