"""pprof in: nothing lost, and everything wrong named."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.model import Profile
from pilothouse.signals.profiles.segment import totals
from pilothouse.signals.receive.pprof_limits import ProfileLimits, inflated
from pilothouse.signals.receive.pprof_reading import Sender, read_pprof
from tests.signals.profiles.building import PprofBuilder, go_heap, native_cpu, python_cpu
from tests.thorough import part_of

SENDER = Sender({"service.name": "shop"}, {})
LIMITS = ProfileLimits()


def read(body: bytes, limits: ProfileLimits = LIMITS, family: str = "") -> Profile:
    return read_pprof(body, Sender(SENDER.resource, {}, family), limits)


def stacks_of(profile: Profile) -> list[list[tuple[str, str, int]]]:
    """Each row's frames, leaf first."""
    frames, stacks = profile.stacks.frames, profile.stacks
    return [
        [
            (frames.functions[place], frames.files[place], int(frames.lines[place]))
            for place in stacks.places[stacks.offsets[row] : stacks.offsets[row + 1]]
        ]
        for row in profile.stack_of.tolist()
    ]


def test_python_cpu() -> None:
    profile = read(python_cpu().gzipped())
    assert [(kind.type, kind.unit) for kind in profile.types] == [("cpu", "ns")]
    assert totals(profile) == [1_000_000_000]
    assert stacks_of(profile)[2] == [
        ("escape", "/app/web.py", 90), ("render", "/app/web.py", 88), ("serve", "/app/main.py", 12),
        ("<module>", "/app/main.py", 3),
    ]  # fmt: skip
    assert [profile.label_sets[place] for place in profile.labels_of.tolist()] == [{}, {"thread_name": "io-1"}, {}]
    assert profile.duration == 10_000_000_000


def test_go_heap_keeps_inlined_frames_and_mappings() -> None:
    profile = read(go_heap().bytes())
    assert totals(profile) == [13, 3_004_096, 5, 3_001_024]
    assert [kind.unit for kind in profile.types] == ["1", "By", "1", "By"]
    assert [name for name, _, _ in stacks_of(profile)[0]] == ["strings.Repeat", "main.fill", "main.main"]
    frames = profile.stacks.frames
    inlined = {name: bool(flag) for name, flag in zip(frames.functions, frames.inlined, strict=True)}
    assert inlined == {"strings.Repeat": True, "main.fill": False, "main.main": False, "main.cache": False}
    assert set(frames.mappings) == {"/usr/bin/shop"}
    assert profile.attributes["build_id"] == "go-build-1"


def test_addresses_stand_in_for_missing_functions() -> None:
    profile = read(native_cpu().bytes())
    assert [[name for name, _, _ in stack] for stack in stacks_of(profile)] == [
        ["libc.so.6+0x3a2b", "main"],
        ["0xdead"],
    ]
    assert totals(profile) == [5, 50_000_000]


def test_number_labels_become_text() -> None:
    builder = PprofBuilder().add([("f", "", 1)], 1, labels={"bytes": 64, "span_id": "00f067aa0ba902b7"})
    assert read(builder.bytes()).label_sets[1] == {"bytes": "64", "span_id": "00f067aa0ba902b7"}


def test_units_become_one() -> None:
    builder = PprofBuilder((("wall", "microseconds"), ("space", "kilobytes"))).add([("f", "", 1)], 3, 2)
    profile = read(builder.bytes())
    assert [(kind.type, kind.unit) for kind in profile.types] == [("wall", "ns"), ("inuse_space", "By")]
    assert totals(profile) == [3000, 2048]


@pytest.mark.parametrize("family", ["mutex", "block"])
def test_the_family_tells_contentions_apart(family: str) -> None:
    builder = PprofBuilder((("contentions", "count"), ("delay", "nanoseconds"))).add([("f", "", 1)], 1, 5)
    assert [kind.type for kind in read(builder.bytes(), family=family).types] == [
        f"{family}_contentions",
        f"{family}_delay",
    ]


def test_a_profile_without_a_time_is_of_now() -> None:
    builder = python_cpu()
    builder.message.time_nanos = 0
    assert abs(read(builder.bytes()).time + 10_000_000_000 - time.time_ns()) < 5_000_000_000


def test_a_sample_without_a_stack_counts() -> None:
    profile = read(PprofBuilder().add([], 7).bytes())
    assert totals(profile) == [7]
    assert stacks_of(profile) == [[]]


def _set(**values: Any) -> Callable[[PprofBuilder], None]:
    def change(builder: PprofBuilder) -> None:
        for name, value in values.items():
            setattr(builder.message, name, value)

    return change


BAD: dict[str, tuple[Callable[[PprofBuilder], None], str]] = {
    "no types": (lambda b: b.message.ClearField("sample_type"), "sample_type: 0 of them"),
    "same type twice": (lambda b: b.message.sample_type.append(b.message.sample_type[0]), "sample_type"),
    "type without a name": (lambda b: setattr(b.message.sample_type[0], "type", 0), "sample_type"),
    "string index too large": (lambda b: setattr(b.message.function[1], "name", 999), "function[1].name: string 999"),
    "string index negative": (lambda b: setattr(b.message.function[0], "filename", -1), "function[0].filename"),
    "unit out of the table": (lambda b: setattr(b.message.sample_type[0], "unit", 99), "sample_type[0].unit"),
    "first string": (lambda b: b.message.string_table.__setitem__(0, b"x"), "string_table[0]"),
    "not UTF-8": (lambda b: b.message.string_table.__setitem__(3, b"a\xff"), "string_table[3]: not UTF-8 at byte 1"),
    "function id zero": (lambda b: setattr(b.message.function[0], "id", 0), "function[0].id"),
    "function ids equal": (lambda b: setattr(b.message.function[0], "id", 2), "function: two with the same id"),
    "location id zero": (lambda b: setattr(b.message.location[1], "id", 0), "location[1].id"),
    "location missing": (lambda b: b.message.sample[1].location_id.append(77), "sample[1].location_id"),
    "function missing": (lambda b: setattr(b.message.location[0].line[0], "function_id", 77), "location[0].line"),
    "mapping missing": (lambda b: setattr(b.message.location[0], "mapping_id", 77), "location[0].mapping_id"),
    "line negative": (lambda b: setattr(b.message.location[0].line[0], "line", -4), "location[0].line.line: -4"),
    "line too large": (lambda b: setattr(b.message.location[0].line[0], "line", 2**40), "location[0].line.line"),
    "value negative": (lambda b: b.message.sample[1].value.__setitem__(0, -5), "sample[1].value: negative: -5"),
    "too many values": (lambda b: b.message.sample[2].value.append(5), "sample[2].value: 2 values for 1"),
    "no value": (lambda b: b.message.sample[0].ClearField("value"), "sample[0].value: 0 values"),
    "values over 64 bits": (lambda b: [s.value.__setitem__(0, 2**62) for s in b.message.sample], "64 bits"),
    "label without a name": (lambda b: b.message.sample[0].label.add(str=1), "sample.label.key"),
    "label out of the table": (lambda b: b.message.sample[0].label.add(key=1, str=99), "sample.label"),
    "long ago": (_set(time_nanos=1_000), "time_nanos"),
    "before 1970": (_set(time_nanos=-1), "time_nanos"),
    "in the future": (_set(time_nanos=2**62), "time_nanos"),
    "negative duration": (_set(duration_nanos=-1), "duration_nanos"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_messages_are_named(name: str) -> None:
    change, place = BAD[name]
    builder = python_cpu()
    change(builder)
    with pytest.raises(BadRequestError) as raised:
        read(builder.bytes())
    assert place in str(raised.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\xff\xff\xff", "not a pprof"),
        (b"\x1f\x8b\x08\x00broken", "gzip"),
        (python_cpu().gzipped()[:-12], "ends too early"),
        (b"\x28\xb5\x2f\xfd1234", "zstd"),
        (gzip.compress(bytes(40_000_000)), "more than 32 MB"),
        (gzip.compress(bytes(20_000_000)) * 2, "more than 32 MB"),
    ],
)
def test_bad_bodies_are_named(body: bytes, said: str) -> None:
    with pytest.raises(BadRequestError, match=said):
        read(body)


def test_gzip_may_have_members() -> None:
    whole = python_cpu().bytes()
    body = gzip.compress(whole[:50]) + gzip.compress(whole[50:])
    assert inflated(body, LIMITS) == whole


def test_limits_name_what_is_too_much() -> None:
    body = python_cpu().bytes()
    for limits, said in (
        (ProfileLimits(records=2), "sample: more than 2"),
        (ProfileLimits(frames=4), "sample.location_id: more than 4"),
        (ProfileLimits(types=0), "sample_type"),
    ):
        with pytest.raises(BadRequestError, match=said):
            read(body, limits)


def test_many_inlined_lines_are_no_bomb() -> None:
    """A few bytes a sample name a location with a thousand lines: the frames are counted before they are
    made.
    """
    builder = PprofBuilder()
    wide = tuple((f"f{n}", "", n) for n in range(1000))
    for _ in range(6000):
        builder.add([wide], 1)
    with pytest.raises(BadRequestError, match="inlined ones counted"):
        read(builder.bytes())


FRAMES = st.tuples(st.text(max_size=5), st.text(max_size=3), st.integers(0, 2**32 - 1))
LABELS = st.dictionaries(st.text(min_size=1, max_size=4), st.text(min_size=1, max_size=4), max_size=2)
SAMPLES = st.lists(st.tuples(st.lists(FRAMES, max_size=6), st.integers(0, 2**40), LABELS), max_size=12)


@given(SAMPLES)
@settings(max_examples=part_of(150), deadline=None)
def test_what_goes_in_comes_out(samples: list[tuple[list[tuple[str, str, int]], int, dict[str, str]]]) -> None:
    builder = PprofBuilder()
    for stack, value, labels in samples:
        builder.add(stack, value, labels=labels)
    profile = read(builder.gzipped())
    expected = [[(name or "?", file, line) for name, file, line in stack] for stack, _, _ in samples]
    assert stacks_of(profile) == expected
    assert profile.values[:, 0].tolist() == [value for _, value, _ in samples]
    assert [profile.label_sets[place] for place in profile.labels_of.tolist()] == [labels for _, _, labels in samples]
    assert totals(profile) == [sum(value for _, value, _ in samples)]


def survives(body: bytes) -> None:
    try:
        profile = read(body)
    except BadRequestError:
        return
    assert (profile.values >= 0).all()


@given(st.binary(max_size=400))
@settings(max_examples=part_of(300), deadline=None)
def test_random_bytes_are_refused_in_words(body: bytes) -> None:
    survives(body)
    survives(gzip.compress(body, 1))


@given(st.data())
@settings(max_examples=part_of(400), deadline=None)
def test_damaged_profiles_are_refused_in_words(data: st.DataObject) -> None:
    body = bytearray(go_heap().bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    survives(bytes(body))
    survives(bytes(body[: data.draw(st.integers(0, len(body)))]))


def test_values_are_a_matrix_of_64_bits() -> None:
    profile = read(go_heap().bytes())
    assert profile.values.shape == (2, 4)
    assert profile.values.dtype == np.int64
