"""From the journal's message to rows, by the engine alone."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.engine import Engine
from pilothouse.signals.identity import identity_of
from pilothouse.signals.profiles.asking import Selection, costs
from pilothouse.signals.profiles.hashing import stack_hashes
from pilothouse.signals.profiles.model import Frames, Profile, SampleType, Stacks
from pilothouse.signals.profiles.segment import KnownStacks, Profiles, samples_payload, stacks_payload, totals
from pilothouse.signals.profiles.storing import MARKED, STATEMENTS
from pilothouse.signals.receive.pprof_reading import read_pprof
from pilothouse.signals.timerange import TimeRange
from tests.signals.profiles.building import SECOND, go_heap, native_cpu, python_cpu
from tests.signals.profiles.test_pprof_reading import LIMITS, SENDER, stacks_of
from tests.thorough import part_of


def read(builder: Any) -> Profile:
    return read_pprof(builder.bytes(), SENDER, LIMITS)


def store(engine: Engine, path: Path, token: str, *payloads: bytes) -> None:
    path.write_bytes(b"".join(payloads))
    for statement in STATEMENTS:
        engine.store_segment(statement, path, f"{token}-{statement.table}")


def all_payloads(*profiles: Profile) -> list[bytes]:
    return [stacks_payload(profiles, KnownStacks())[0], samples_payload(profiles)]


def rows(engine: Engine, sql: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = engine.query(sql).to_pylist()
    return found


def test_every_value_of_every_stack_is_kept(engine: Engine, tmp_path: Path) -> None:
    profiles = [read(python_cpu()), read(go_heap()), read(native_cpu())]
    store(engine, tmp_path / "s", "t", *all_payloads(*profiles))
    expected: Counter[Any] = Counter()
    for profile in profiles:
        for row, stack in enumerate(stacks_of(profile)):
            labels = tuple(profile.label_sets[profile.labels_of[row]].items())
            for column, kind in enumerate(profile.types):
                expected[(kind.type, labels, tuple(stack))] += int(profile.values[row, column])
    found = Counter()
    for row in rows(
        engine,
        "SELECT type, value, attributes, functions, files, lines FROM profile_samples "
        "LEFT JOIN profile_stacks USING (stack)",
    ):
        frames = tuple(zip(row["functions"], row["files"], row["lines"], strict=True))
        found[(row["type"], tuple(row["attributes"]), frames)] += row["value"]
    assert found == expected
    assert {(row["type"], row["total"]) for row in rows(engine, "SELECT type, total FROM profiles")} == {
        (kind.type, total) for profile in profiles for kind, total in zip(profile.types, totals(profile), strict=True)
    }


def test_frames_keep_what_the_profiler_said(engine: Engine, tmp_path: Path) -> None:
    store(engine, tmp_path / "s", "t", *all_payloads(read(go_heap())))
    [row] = rows(engine, "SELECT * FROM profile_stacks WHERE has(functions, 'main.fill')")
    assert row["functions"] == ["strings.Repeat", "main.fill", "main.main"]
    assert row["files"] == ["strings/strings.go", "shop/main.go", "shop/main.go"]
    assert row["lines"] == [600, 31, 10]
    assert row["mappings"] == ["/usr/bin/shop"] * 3
    assert row["inlined"] == [True, False, False]
    assert row["month"].day == 1


def test_a_profile_is_described(engine: Engine, tmp_path: Path) -> None:
    profile = dataclasses.replace(read(python_cpu()), resource={"service.name": "shop", "service.version": "ü" * 200})
    store(engine, tmp_path / "s", "t", *all_payloads(profile))
    [row] = rows(engine, "SELECT * FROM profiles")
    assert row["identity"] == identity_of(profile.resource)
    assert (row["type"], row["unit"], row["period"], row["period_type"]) == ("cpu", "ns", 10_000_000, "cpu")
    assert (row["duration"], row["samples"], row["total"]) == (10 * SECOND, 3, 1_000_000_000)
    assert round(row["time"].timestamp() * 1000) == profile.time // 1_000_000
    [resource] = rows(engine, "SELECT * FROM resources")
    assert (resource["identity"], resource["signal"]) == (row["identity"], "profiles")
    assert dict(resource["attributes"]) == profile.resource


def test_a_replay_stores_nothing_twice(engine: Engine, tmp_path: Path) -> None:
    payloads = all_payloads(read(python_cpu()))
    for _ in range(2):
        store(engine, tmp_path / "s", "same", *payloads)
    assert rows(engine, "SELECT count() AS c, sum(value) AS v FROM profile_samples") == [{"c": 3, "v": 1_000_000_000}]


def test_segments_of_either_kind_alone_are_fine(engine: Engine, tmp_path: Path) -> None:
    stacks, samples = all_payloads(read(python_cpu()))
    store(engine, tmp_path / "a", "a", samples)
    store(engine, tmp_path / "b", "b", stacks)
    assert rows(engine, "SELECT count() AS c FROM profile_samples SEMI LEFT JOIN profile_stacks USING (stack)") == [
        {"c": 3}
    ]


def test_a_stack_stored_many_times_counts_once(engine: Engine, tmp_path: Path) -> None:
    """Each process sends a stack's frames, each month again; the values of its samples stay what they were."""
    profile = read(python_cpu())
    month_before = dataclasses.replace(profile, time=profile.time - 31 * 86400 * SECOND)
    stacks, samples = all_payloads(profile)
    for token in ("a", "b", "c"):
        store(engine, tmp_path / "s", token, stacks, all_payloads(month_before)[0])
    store(engine, tmp_path / "s", "samples", samples)
    within = TimeRange(profile.time - SECOND, profile.time + SECOND)
    found = costs(engine, "cpu", [Selection([identity_of(profile.resource)], within)])
    assert sorted(found.values[:, 0].tolist()) == [200_000_000, 300_000_000, 500_000_000]
    assert sorted(found.depths.tolist()) == [3, 3, 4]


def test_a_sample_whose_stack_is_lost_still_counts(engine: Engine, tmp_path: Path) -> None:
    profile = read(python_cpu())
    store(engine, tmp_path / "s", "samples", samples_payload([profile]))
    within = TimeRange(profile.time - SECOND, profile.time + SECOND)
    found = costs(engine, "cpu", [Selection([identity_of(profile.resource)], within)])
    assert (int(found.values.sum()), found.depths.tolist()) == (1_000_000_000, [0, 0, 0])


def test_a_million_rows_are_stored_in_seconds(engine: Engine, tmp_path: Path) -> None:
    """Not a benchmark: a bound that only something quadratic breaks."""
    profile = wide_profile(20_000)
    many = [dataclasses.replace(profile, time=profile.time + place * SECOND) for place in range(20)]
    payloads = all_payloads(*many)
    started = time.process_time()
    store(engine, tmp_path / "s", "t", *payloads)
    assert time.process_time() - started < 20
    [row] = rows(engine, "SELECT count() AS c, sum(value) AS v, uniqExact(stack) AS s FROM profile_samples")
    assert row == {"c": 400_000, "v": 20 * sum(range(1, 20_001)), "s": 20_000}


def wide_profile(stacks: int) -> Profile:
    frames = Frames(["main", "leaf"], ["m.py", "m.py"], np.array([1, 2]), ["", ""], np.zeros(2, np.bool_))
    depths = np.full(stacks, 18)
    bits = (np.arange(stacks)[:, None] >> np.arange(18)[None, :]) & 1
    return Profile(
        resource={"service.name": "wide"}, time=time.time_ns() - 60 * SECOND, duration=SECOND,
        types=(SampleType("cpu", "ns"),),
        stacks=Stacks(frames, bits.ravel(), np.concatenate(([0], np.cumsum(depths)))),
        stack_of=np.arange(stacks), labels_of=np.zeros(stacks, np.int64), label_sets=[{}],
        values=np.arange(1, stacks + 1).reshape(-1, 1),
    )  # fmt: skip


def test_marks_are_about_all_statements() -> None:
    assert {statement.table for _, statement in MARKED} == {statement.table for statement in STATEMENTS}
    assert STATEMENTS[0].table == "resources"


# The names of stacks.


def test_a_stack_has_the_same_name_however_it_came() -> None:
    """The ids of locations and functions, and the order of samples, are the profiler's own affair."""
    there, back = python_cpu(), python_cpu()
    samples = list(back.message.sample)
    back.message.ClearField("sample")
    back.message.sample.extend(reversed(samples))
    for location in back.message.location:
        location.id += 100
    for sample in back.message.sample:
        sample.location_id[:] = [place + 100 for place in sample.location_id]
    assert set(stack_hashes(read(there).stacks).tolist()) == set(stack_hashes(read(back).stacks).tolist())


def test_names_do_not_change_between_versions() -> None:
    """Rows of earlier versions must keep finding their stacks."""
    assert stack_hashes(read(python_cpu()).stacks).tolist() == [
        14517352506804422383,
        15321660567546370560,
        15810263497470040993,
    ]


def test_every_detail_makes_another_stack() -> None:
    def named(
        functions: list[str], files: list[str], lines: list[int], mapping: str = "", inlined: bool = False
    ) -> int:
        count = len(functions)
        frames = Frames(functions, files, np.array(lines), [mapping] * count, np.full(count, inlined))
        return int(stack_hashes(Stacks(frames, np.arange(count), np.array([0, count])))[0])

    names = [
        named(["a", "b"], ["f", "f"], [1, 2]),
        named(["b", "a"], ["f", "f"], [1, 2]),
        named(["a", "b"], ["f", "f"], [2, 1]),
        named(["a", "b"], ["f", "g"], [1, 2]),
        named(["a"], ["f"], [1]),
        named(["a", "a"], ["f", "f"], [1, 1]),
        named(["a", "b"], ["f", "f"], [1, 2], "lib"),
        named(["a", "b"], ["f", "f"], [1, 2], inlined=True),
        named([], [], []),
    ]
    assert len(set(names)) == len(names)


@given(st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=1, max_size=30, unique_by=tuple))
@settings(max_examples=part_of(100), deadline=None)
def test_distinct_stacks_have_distinct_names(stacks: list[list[int]]) -> None:
    frames = Frames([f"f{n}" for n in range(6)], [""] * 6, np.zeros(6, np.int64), [""] * 6, np.zeros(6, np.bool_))
    places = np.array([place for stack in stacks for place in stack], np.int64)
    offsets = np.concatenate(([0], np.cumsum([len(stack) for stack in stacks]))).astype(np.int64)
    assert len(set(stack_hashes(Stacks(frames, places, offsets)).tolist())) == len(stacks)


# What goes into the journal.


def test_samples_always_give_the_same_bytes() -> None:
    """A request that comes again after a crash is recognised by its bytes."""
    assert samples_payload([read(go_heap())]) != b""
    profile = read(go_heap())
    assert samples_payload([profile]) == samples_payload([dataclasses.replace(profile)])


def test_known_stacks_do_not_go_again_until_the_month_ends() -> None:
    known, profile = KnownStacks(), read(python_cpu())
    first, new = stacks_payload([profile, profile], known)
    assert len(Profiles.FromString(first).stacks) == len(new) == 3
    assert stacks_payload([profile], known)[1] == new, "nothing is known before it is on disk"
    known.remember(new)
    assert stacks_payload([profile], known) == (b"", set())
    later = dataclasses.replace(profile, time=profile.time + 40 * 86400 * SECOND)
    assert len(stacks_payload([later], known)[1]) == 3


def test_forgetting_only_sends_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilothouse.signals.profiles.segment._KEPT", 2)
    known = KnownStacks()
    for number in range(7):
        known.remember({(0, number)})
    assert known.unknown((0, number) for number in range(7)) == {(0, 0), (0, 1), (0, 2)}
