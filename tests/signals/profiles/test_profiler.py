"""`pilothouse.profiler` in this process, against a real server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from pilothouse import profiler
from pilothouse.profiler.cpu import CpuSampler
from pilothouse.profiler.heap import HeapWatcher
from pilothouse.profiler.pprof_writing import pprof
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


def test_the_heap_names_the_call_site_that_holds_most(house: House) -> None:
    def hold() -> list[bytearray]:
        return [bytearray(1_000_000) for _ in range(20)]

    running = profiler.Profiler(house.address, {"service.name": "holder"}, cpu=False, heap=True, period=60)
    running.start()
    kept = hold()
    running.stop()
    house.wait_for("holder", "inuse_space")
    first = house.get("/api/profiles/top", service="holder", type="inuse_space")["functions"][0]
    assert len(kept) == 20
    assert (first["function"], Path(first["file"]).name) == ("hold", "test_profiler.py")
    assert first["self"] == pytest.approx(20_000_000, rel=0.01)


def test_the_heap_of_a_function_in_a_function() -> None:
    def outer() -> bytearray:
        def inner() -> bytearray:
            return bytearray(300_000)

        return inner()

    watcher = HeapWatcher(3)
    watcher.start()
    kept = outer()
    held = watcher.take()
    watcher.stop()
    stack = max(held, key=lambda stack: held[stack][1])
    assert [frame[0] for frame in stack[:2]] == ["inner", "outer"]
    assert len(kept) == 300_000
    assert watcher.take() == {}, "nobody traces now"


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


@pytest.mark.alone
def test_sampling_is_cheap() -> None:
    """Under two per cent of a core at the default rate: measured as what the sampling thread itself uses."""
    sampler, cost = CpuSampler(25), [0.0]
    run = sampler._run

    def measured() -> None:
        run()
        cost[0] = time.thread_time()

    sampler._thread = threading.Thread(target=measured, daemon=True)
    sampler.start()
    began = time.perf_counter()
    outer_work(time.monotonic() + 1.5)
    sampler.stop()
    assert 0 < cost[0] < 0.02 * (time.perf_counter() - began)


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
