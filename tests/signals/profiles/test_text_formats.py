"""perf script and speedscope: in, and out again."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.exporting import to_speedscope
from pilothouse.signals.profiles.model import Profile
from pilothouse.signals.receive.pprof_ingest import read_ingest
from tests.signals.profiles.building import go_heap, python_cpu
from tests.signals.profiles.test_pprof_reading import LIMITS, read, stacks_of
from tests.thorough import part_of

PERF = """# captured
swapper     0 [000]  1234.567890:     250000 cpu-clock:pppH:
\tffffffff8104f45a native_safe_halt+0xa ([kernel.kallsyms])
\tffffffff81000000 start_kernel ([kernel.kallsyms])

my app 4242/4243 [001]  1234.600000:     250000 cycles:
\t          7f12 std::vector<int, std::allocator<int> >::push_back(int const&)+0x12 (/usr/bin/app)
\t            aa [unknown] (/lib/libz.so)

my app 4242/4243 [001]  1234.700000:     250000 cycles:
\t          7f99 std::vector<int, std::allocator<int> >::push_back(int const&)+0x99 (/usr/bin/app)
\t            aa [unknown] (/lib/libz.so)
"""


def ingested(body: str, format: str, **query: str) -> Profile:
    now = int(time.time())
    said = {"name": "shop", "format": format, "from": str(now - 10), "until": str(now), **query}
    return read_ingest(said, "", body.encode(), LIMITS)


def values(profile: Profile, column: int = 0) -> dict[tuple[str, ...], int]:
    """Values by the functions of a stack, leaf first."""
    found: Counter[tuple[str, ...]] = Counter()
    for stack, value in zip(stacks_of(profile), profile.values[:, column].tolist(), strict=True):
        found[tuple(name for name, _, _ in stack)] += value
    return dict(found)


def test_perf_script() -> None:
    profile = ingested(PERF, "perf_script", sampleRate="50")
    assert values(profile) == {
        ("native_safe_halt", "start_kernel", "swapper"): 20_000_000,
        ("std::vector<int, std::allocator<int> >::push_back(int const&)", "libz.so+0xaa", "my app"): 40_000_000,
    }
    assert (profile.types[0].type, profile.types[0].unit, profile.duration) == ("cpu", "ns", 10_000_000_000)


def test_perf_of_a_deleted_binary() -> None:
    body = "app 1 1.0: 5 cycles:\n\tff operator()(int) const+0x5 (/tmp/a b (deleted))\n\tee main (/tmp/a b)\n"
    assert stacks_of(ingested(body, "perf"))[0][:2] == [
        ("operator()(int) const", "/tmp/a b", 0),
        ("main", "/tmp/a b", 0),
    ]


@pytest.mark.parametrize(
    ("body", "format"),
    [
        ("app 1 1.0: 5 c:\n\tff " + " (" * 500_000 + "x", "perf"),
        ("1 " * 500_000, "perf"),
        ("a" + " " * 1_000_000 + "1", "folded"),
        (".a" * 500_000 + ":1 - x 1", "folded"),
        (" (" * 500_000 + ") 1", "folded"),
        ("a" * 9_000, "x"),
    ],
)
def test_long_lines_take_no_longer_than_long(body: str, format: str) -> None:
    started = time.process_time()
    with contextlib.suppress(BadRequestError):
        if format == "x":
            read_ingest({"name": body.replace("a", "a ") + "{"}, "", b"a 1", LIMITS)
        ingested(body, format)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("text", "said"),
    [("nonsense", "line 1"), ("app 1 [0] 1.0: 5 cycles:\n\tnot a frame\n", "line 2"), ("\n\nx\n", "line 3")],
)
def test_bad_perf_is_named(text: str, said: str) -> None:
    with pytest.raises(BadRequestError, match=said):
        ingested(text, "perf")


@pytest.mark.parametrize(("build", "kind"), [(python_cpu, "cpu"), (go_heap, "alloc_space")])
def test_speedscope_comes_back(build: Any, kind: str) -> None:
    first = read(build().bytes())
    column = [one.type for one in first.types].index(kind)
    content = json.loads(to_speedscope(first, "x"))
    content["profiles"] = [content["profiles"][column]]
    again = ingested(json.dumps(content), "speedscope")
    assert again.types[0].type == kind
    assert values(again) == values(first, column)


def evented(*events: tuple[str, int, float]) -> str:
    said = [{"type": kind, "frame": frame, "at": at} for kind, frame, at in events]
    profile = {"type": "evented", "name": "t", "unit": "milliseconds", "startValue": 0, "endValue": 9, "events": said}
    return json.dumps({"shared": {"frames": [{"name": "a"}, {"name": "b"}]}, "profiles": [profile]})


def test_events_become_what_passed_between_them() -> None:
    body = evented(("O", 0, 1), ("O", 1, 3), ("C", 1, 4.5), ("C", 0, 5))
    assert values(ingested(body, "speedscope")) == {("a",): 2_500_000, ("b", "a"): 1_500_000}


BAD = [
    ("", "not a speedscope"),
    ("[]", "not a speedscope"),
    ('{"shared": {"frames": []}, "profiles": []}', "at least one"),
    (evented(("C", 0, 1)), "not open"),
    (evented(("O", 0, 5), ("C", 0, 1)), "before"),
    (evented(("O", 7, 1), ("C", 7, 2)), "frame 7 of 2"),
    (evented(("O", 0, 0), ("C", 0, 1e300)), "not a weight"),
    ('{"shared": {"frames": [{}]}, "profiles": []}', "not a speedscope"),
]


@pytest.mark.parametrize(("body", "said"), BAD)
def test_bad_speedscope_is_named(body: str, said: str) -> None:
    with pytest.raises(BadRequestError, match=said):
        ingested(body, "speedscope")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
FILES = st.fixed_dictionaries(
    {
        "shared": st.fixed_dictionaries({"frames": st.lists(st.fixed_dictionaries({"name": JSON}), max_size=2) | JSON}),
        "profiles": st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["sampled", "evented"]), "unit": st.sampled_from(["none", "bytes"]),
                 "samples": JSON, "weights": JSON, "events": JSON, "startValue": JSON}
            ), max_size=2,
        ),
    }
)  # fmt: skip


@given(FILES | JSON)
@settings(max_examples=part_of(300), deadline=None)
def test_any_json_is_taken_or_refused_in_words(content: Any) -> None:
    try:
        ingested(json.dumps(content), "speedscope")
    except BadRequestError as error:
        assert str(error)  # noqa: PT017 - either outcome is right, only another exception is not


@given(st.text(max_size=200))
@settings(max_examples=part_of(200), deadline=None)
def test_any_text_is_taken_or_refused_in_words(text: str) -> None:
    for format in ("perf", "folded", "lines"):
        try:
            ingested(text, format)
        except BadRequestError as error:
            assert str(error)  # noqa: PT017 - either outcome is right, only another exception is not
