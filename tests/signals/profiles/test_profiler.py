"""`pilothouse.profiler` in this process, against a real server."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from pilothouse import profiler
from pilothouse.profiler import heap_sampled
from pilothouse.profiler.cpu import CpuSampler
from pilothouse.profiler.heap import heap
from pilothouse.profiler.heap_sampled import SampledHeap
from pilothouse.profiler.heap_traced import TracedHeap
from pilothouse.profiler.pprof_writing import Frame, pprof
from pilothouse.profiler.resource import from_environment
from pilothouse.profiler.spans import SpanIds
from tests.signals.profiles.busy import leaf_work, outer_work
from tests.signals.profiles.serving import House
from tests.signals.profiles.test_pprof_reading import read


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    yield
    profiler.stop()


def test_cpu_by_function_and_release(house: House) -> None:
    profiler.start(house.address, service="busy", version="2.0.0", labels={"k8s.pod.name": "busy-1"}, period=60)
    began = time.thread_time()
    outer_work(time.monotonic() + 0.5)
    used = time.thread_time() - began
    profiler.stop()
    house.wait_for("busy", "cpu")
    labels = f'thread_name="{threading.current_thread().name}"'
    top = house.get("/api/profiles/top", selector='service_name="busy",service_version="2.0.0"', labels=labels)
    found = {one["function"]: one for one in top["functions"]}
    # The clocks are the kernel's: what is shown is what was used, within two samples.
    assert found["leaf_work"]["self"] == pytest.approx(used * 1e9, rel=0.2, abs=6e7)
    assert found["outer_work"]["total"] == found["leaf_work"]["total"]
    assert found["leaf_work"]["file"].endswith("busy.py")


def test_samples_name_the_span(house: House) -> None:
    provider = TracerProvider(resource=Resource({"service.name": "spanned"}))
    spans = SpanIds()
    provider.add_span_processor(spans)
    running = profiler.Profiler(house.address, {"service.name": "spanned"}, period=60, spans=spans)
    running.start()
    with provider.get_tracer("t").start_as_current_span("work") as span:
        outer_work(time.monotonic() + 0.3)
    outer_work(time.monotonic() + 0.1)
    running.stop()
    house.wait_for("spanned", "cpu")
    labels = f'span_id="{span.get_span_context().span_id:016x}"'
    inside = house.get("/api/profiles/top", service="spanned", labels=labels)["total"]
    assert 0 < inside < house.get("/api/profiles/top", service="spanned")["total"]


def test_spans_that_are_not_nested_have_no_samples() -> None:
    spans, tracer = SpanIds(), TracerProvider().get_tracer("t")
    here = threading.get_ident()
    first, second = tracer.start_span("a"), tracer.start_span("b")
    spans.on_start(first)
    assert dict(spans.labels_of(here))["span_id"] == f"{first.get_span_context().span_id:016x}"
    spans.on_start(second)
    assert spans.labels_of(here) == ()
    spans.on_end(first)
    assert dict(spans.labels_of(here))["span_id"] == f"{second.get_span_context().span_id:016x}"
    spans.on_end(second)
    assert spans.labels_of(here) == ()


def hold(number: int, size: int) -> list[bytearray]:
    return [bytearray(size) for _ in range(number)]


@pytest.fixture
def sampled() -> None:
    if not heap_sampled.is_there():
        pytest.skip("the sampler of the heap was not compiled: python native/build_native.py says why")


@pytest.mark.parametrize("compiled", [True, False])
def test_the_heap_names_the_call_site_that_holds_most(
    house: House, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if compiled and not heap_sampled.is_there():
        pytest.skip("the sampler of the heap was not compiled: python native/build_native.py says why")
    if not compiled:
        monkeypatch.setattr(heap_sampled, "native", None)
    service = f"holder-{compiled}"
    running = profiler.Profiler(house.address, {"service.name": service}, cpu=False, heap=True, period=60)
    running.start()
    kept = hold(60, 1_000_000)
    running.stop()
    house.wait_for(service, "inuse_space")
    first = house.get("/api/profiles/top", service=service, type="inuse_space")["functions"][0]
    assert len(kept) == 60
    assert (first["function"].partition(".")[0], Path(first["file"]).name) == ("hold", "test_profiler.py")
    # Traced exactly; sampled, a block of 1 MB is noted with 85 per cent: within four standard deviations of 60.
    assert first["self"] == pytest.approx(60_000_000, rel=0.22 if compiled else 0.01)


def hold_elsewhere(size: int) -> bytearray:
    return bytearray(size)


@pytest.mark.usefixtures("sampled")
def test_twenty_megabytes_more_at_one_place_are_named_first(house: House) -> None:
    """Five profiles of each release, by the sampler itself: some 1,200 blocks of each place are noted."""
    for version, size in (("1", 10_000), ("2", 20_000)):
        watcher = SampledHeap(16 * 1024)
        running = profiler.Profiler(house.address, {"service.name": "grew", "service.version": version}, cpu=False)
        watcher.start()
        kept = [hold(2_000, size), [hold_elsewhere(10_000) for _ in range(2_000)]]
        for turn in range(5):
            began = time.time_ns() - (60 - 10 * turn) * 1_000_000_000
            running._send(running._held(watcher, began, began + 10_000_000_000), "memory")
        watcher.stop()
        assert [len(many) for many in kept] == [2_000, 2_000]
    house.wait_for("grew", "inuse_space", 10)
    asked = {"service": "grew", "baseline": "1", "candidate": "2", "type": "inuse_space"}
    first = house.get("/api/profiles/diff", **asked)["functions"][0]
    assert (first["function"].partition(".")[0], first["self_found"]) == ("hold", True)
    assert first["self_interval"][0] < 20_000_000 < first["self_interval"][1]


def test_the_heap_of_a_function_in_a_function() -> None:
    def outer() -> bytearray:
        def inner() -> bytearray:
            return bytearray(300_000)

        return inner()

    watcher = TracedHeap(3)
    watcher.start()
    kept = outer()
    held = watcher.take()
    watcher.stop()
    stack = max(held, key=lambda stack: held[stack][1])
    assert [frame[0] for frame in stack[:2]] == ["inner", "outer"]
    assert len(kept) == 300_000
    assert watcher.take() == {}, "nobody traces now"


def of(taken: Mapping[tuple[Frame, ...], tuple[int, ...]], function: str) -> list[int]:
    """The sums of the stacks that a function is in."""
    rows = [values for stack, values in taken.items() if any(function in name for name, _, _ in stack)]
    return [sum(values) for values in zip(*rows, strict=True)] or [0, 0, 0, 0]


@pytest.mark.usefixtures("sampled")
def test_what_is_freed_is_no_longer_held_and_what_was_allocated_is_told_once() -> None:
    watcher = SampledHeap(1)
    watcher.start()
    kept = hold(100, 10_000)
    first = of(watcher.take(), "hold")
    second = of(watcher.take(), "hold")
    del kept[:50]
    third = of(watcher.take(), "hold")
    del kept
    fourth = of(watcher.take(), "hold")
    watcher.stop()
    # Each bytearray is an object and its bytes; the list of them grows.
    assert 1_000_000 <= first[3] < 1_020_000
    assert first[1] >= first[3], "all that is held was allocated"
    assert second == [0, 0, *first[2:]]
    assert third[3] == pytest.approx(first[3] / 2, rel=0.02)
    assert fourth == [0, 0, 0, 0]
    assert watcher.take() == {}, "nobody watches now"


@pytest.mark.usefixtures("sampled")
def test_a_sample_says_what_all_would_say() -> None:
    """Sixteen places that hold 1 MB each, in blocks of 16 bytes to 512 kB: all of it within four standard errors."""
    watcher = SampledHeap(8_192)
    watcher.start()
    kept = [hold(1_000_000 // size, size) for size in (4_096, 512_000, 65_536, 16) for _ in range(4)]
    held = of(watcher.take(), "hold")
    watcher.stop()
    true = sum(sys.getsizeof(one) for many in kept for one in (many, *many))
    assert held[3] == pytest.approx(true, rel=0.1)


_HOLDS = """
from pilothouse.profiler.heap_sampled import SampledHeap
def hold(number, size):
    return [bytearray(size) for _ in range(number)]
watcher = SampledHeap(1)
watcher.start()
kept = hold(100, 100)
held = [sum(row[3] for stack, row in watcher.take().items() if stack[0][0].startswith("hold"))]
del kept[:50]
held += [sum(row[3] for stack, row in watcher.take().items() if stack[0][0].startswith("hold"))]
watcher.stop()
print(*held)
"""


@pytest.mark.usefixtures("sampled")
@pytest.mark.parametrize("allocator", ["pymalloc", "pymalloc_debug", "malloc"])
def test_releases_are_seen_whatever_lies_below(allocator: str) -> None:
    """Python's own allocator hands large blocks on to the one below; the others do not, or not where they lie."""
    environment = {**os.environ, "PYTHONPATH": "src", "PYTHONMALLOC": allocator}
    done = subprocess.run([sys.executable, "-c", _HOLDS], check=True, capture_output=True, text=True, env=environment)
    first, second = map(int, done.stdout.split())
    # A hundred objects with their bytes, and the list; an object is 56 bytes, a debugging allocator sees the same.
    assert 100 * (56 + 100) <= first < 100 * (56 + 100 + 40)
    assert first / 2 <= second + 600
    assert second <= first / 2 + 1_000


@pytest.mark.usefixtures("sampled")
def test_many_threads_generators_and_finalizers_are_watched_and_nothing_breaks() -> None:
    class Node:
        def __init__(self) -> None:
            self.me, self.data = self, bytearray(200)

        def __del__(self) -> None:
            self.data = bytearray(100)

    def generated() -> Iterator[list[Node]]:
        for _ in range(20):
            yield [Node() for _ in range(50)]

    def work() -> None:
        for nodes in generated():
            sorted(nodes, key=id)

    watcher = SampledHeap(64)
    watcher.start()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    taken = [watcher.take() for _ in range(10)]
    for thread in threads:
        thread.join()
    taken.append(watcher.take())
    gc.collect()
    left = of(watcher.take(), "generated")
    watcher.stop()
    assert sum(of(one, "generated")[1] for one in taken) > 4 * 20 * 50 * 300
    assert left[3] < 20_000, "what was collected is not held"


@pytest.mark.usefixtures("sampled")
def test_tracing_that_begins_and_ends_in_between_is_no_trouble() -> None:
    watcher = SampledHeap(1)
    watcher.start()
    tracemalloc.start()
    kept = hold(10, 1_000)
    watcher.stop()
    kept += hold(10, 1_000)
    tracemalloc.stop()
    watcher.start()
    kept += hold(10, 1_000)
    held = of(watcher.take(), "hold")
    watcher.stop()
    assert 10_000 <= held[3] < 14_000
    assert len(kept) == 30


@pytest.mark.usefixtures("sampled")
def test_tracing_that_began_before_puts_back_what_it_found_and_is_survived() -> None:
    watcher = SampledHeap(1)
    tracemalloc.start()
    watcher.start()
    kept = hold(10, 1_000)
    tracemalloc.stop()
    unseen = hold(10, 1_000)
    assert of(watcher.take(), "hold")[3] == 0, "what was freed meanwhile was not seen, so nothing is said to be held"
    del kept, unseen
    kept = hold(10, 1_000)
    assert 10_000 <= of(watcher.take(), "hold")[3] < 14_000
    watcher.stop()
    assert len(kept) == 10


def test_memory_is_watched_unasked_only_where_that_is_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    assert heap(False, 1) is None
    assert (heap(None, 1) is not None) is heap_sampled.is_there()
    monkeypatch.setattr(heap_sampled, "native", None)
    assert heap(None, 1) is None
    assert isinstance(heap(True, 1), TracedHeap)


def test_an_idle_thread_costs_nothing() -> None:
    sampler = CpuSampler(100)
    ended = threading.Event()
    waiting = threading.Thread(target=ended.wait, name="waits", daemon=True)
    waiting.start()
    sampler.start()
    outer_work(time.monotonic() + 0.2)
    ended.set()
    sampler.stop()
    names = {dict(labels)["thread_name"] for _, labels in sampler.take()}
    assert threading.current_thread().name in names
    assert "waits" not in names


def sampling_cost() -> float:
    """What the sampling thread itself uses of a core at the default rate, while another works."""
    sampler, cost = CpuSampler(25), [0.0]
    run = sampler._run

    def measured() -> None:
        run()
        cost[0] = time.thread_time()

    sampler._thread = threading.Thread(target=measured, daemon=True)
    sampler.start()
    began = time.perf_counter()
    outer_work(time.monotonic() + 0.7)
    sampler.stop()
    return cost[0] / (time.perf_counter() - began)


@pytest.mark.alone
def test_sampling_is_cheap() -> None:
    """Under two per cent of a core: the least of some tries, since what runs beside it can only add to it."""
    costs = [sampling_cost()]
    while costs[-1] >= 0.02 and len(costs) < 20:
        costs.append(sampling_cost())
    assert 0 < min(costs) < 0.02


def test_a_server_that_is_away_is_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    running = profiler.start("http://127.0.0.1:9", service="lonely", period=0.05)
    outer_work(time.monotonic() + 0.3)
    profiler.stop()
    assert running.spans.labels_of(0) == ()
    assert len([one for one in caplog.records if "not taken by" in one.message]) == 1


def test_nobody_says_which_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    monkeypatch.delenv("OTEL_RESOURCE_ATTRIBUTES", raising=False)
    with pytest.raises(ValueError, match="OTEL_SERVICE_NAME"):
        profiler.Profiler("http://127.0.0.1:9", {})


def test_the_environment_as_opentelemetry_reads_it() -> None:
    said = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=a,service.version=1%2C2, x = y ,bad", "OTEL_SERVICE_NAME": "b"}
    assert from_environment(said) == {"service.name": "b", "service.version": "1,2", "x": "y"}


def test_what_is_written_is_pprof() -> None:
    frames = (("leaf", "/a.py", 3), ("ünï", "/a.py", 300))
    body = pprof(
        {(frames, (("span_id", "ab"),)): [2**40]}, [("cpu", "nanoseconds")], time.time_ns(), 5, (7, "cpu", "ns")
    )
    profile = read(body)
    assert profile.values.tolist() == [[2**40]]
    assert profile.stacks.frames.functions == ["leaf", "ünï"]
    assert profile.stacks.frames.lines.tolist() == [3, 300]
    assert profile.label_sets[int(profile.labels_of[0])] == {"span_id": "ab"}


def test_a_forked_process_is_profiled_too(house: House, tmp_path: Path) -> None:
    script = tmp_path / "forks.py"
    script.write_text(
        "import os, time\nfrom pilothouse import profiler\n"
        "def child_work():\n    end = time.monotonic() + 0.4\n    while time.monotonic() < end: sum(range(500))\n"
        f"profiler.start({house.address!r}, service='forks', period=60)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    child_work()\n    profiler.stop()\n    os._exit(0)\n"
        "os.waitpid(pid, 0)\nprofiler.stop()\n"
    )
    subprocess.run([sys.executable, script], check=True, timeout=60, env={**os.environ, "PYTHONPATH": "src"})
    house.wait_for("forks", "cpu")
    functions = house.get("/api/profiles/top", service="forks")["functions"]
    assert "child_work" in {one["function"] for one in functions}
    assert leaf_work(0) == 0
