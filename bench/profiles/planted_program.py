"""What `planted` profiles: the same work over and over, with one function and one call site that may be made larger.

Each function does one kind of work that services do; how much of it is a number of iterations, so that "5 % slower" is
5 % more of them, exactly.
"""

from __future__ import annotations

import json
import sys
import time
import zlib

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from pilothouse import profiler

_ORDER = {"lines": [{"item": number, "amount": number % 7, "note": "as before"} for number in range(40)]}
_TEXT = json.dumps(_ORDER).encode() * 3


def parse(rounds: int) -> int:
    """Reads JSON."""
    return sum(len(json.loads(_TEXT[: len(_TEXT) // 3])["lines"]) for _ in range(rounds))


def price(rounds: int) -> int:
    """Calculates: the function that a candidate makes slower."""
    cents = 0
    for number in range(rounds):
        cents += number * 199 % 1000 - number // 3
    return cents


def render(rounds: int) -> str:
    """Puts text together."""
    lines = ""
    for number in range(rounds):
        lines += f"{number:>8} {number * 0.19:10.2f} EUR\n"
    return lines


def index(rounds: int) -> int:
    """Fills and asks a dictionary."""
    found: dict[str, int] = {}
    for number in range(rounds):
        key = str(number % 97)
        found[key] = found.get(key, 0) + number
    return len(found)


def rank(rounds: int) -> int:
    """Sorts by a key."""
    values = [number * 7919 % 10007 for number in range(rounds)]
    return sorted(values, key=lambda value: -value)[0]


def pack(rounds: int) -> int:
    """Compresses."""
    return sum(len(zlib.compress(_TEXT)) for _ in range(rounds))


def handle(slower: float) -> None:
    """One request: a few milliseconds."""
    parse(12)
    price(round(15_000 * slower))
    render(1_000)
    index(4_000)
    rank(2_000)
    pack(4)


def sessions(size: int) -> list[bytes]:
    """Holds memory."""
    return [bytes(2_000) for _ in range(size // 2_000)]


def catalogue(size: int) -> list[str]:
    """Holds memory: the call site that a candidate makes larger."""
    return ["x" * 1_000 + str(number) for number in range(size // 1_050)]


def prices(size: int) -> dict[int, bytes]:
    """Holds memory."""
    return {number: bytes(400) for number in range(size // 480)}


def served(server: str, who: dict[str, str]) -> TracerProvider:
    """What records a span for each request, as a traced service does: the difference is per request."""
    provider = TracerProvider(resource=Resource(who))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{server}/v1/traces")))
    return provider


def main(server: str, traces: str, version: str, pod: str, slower: float, more: int, seconds: float) -> None:
    """Work for so many seconds of CPU under the profiler."""
    # Looked at often, so that this need not run for an hour: elsewhere threads give way after 1 ms.
    sys.setswitchinterval(0.0002)
    who = {"service.name": "planted", "service.version": version, "k8s.pod.name": pod}
    memory = profiler.Profiler(server, who, period=5.0, cpu=False, heap=True)
    memory.start()
    kept = [sessions(30_000_000), catalogue(20_000_000 + more), prices(10_000_000)]
    running = profiler.Profiler(server, who, rate=1000, period=5.0, heap=False)
    running.start()
    provider = served(traces, who)
    tracer = provider.get_tracer("planted")
    while time.thread_time() < seconds:
        for _ in range(20):
            with tracer.start_as_current_span("GET /order", kind=SpanKind.SERVER):
                handle(slower)
    running.stop()
    memory.stop()
    provider.shutdown()
    assert len(kept) == 3


if __name__ == "__main__":
    main(*sys.argv[1:5], float(sys.argv[5]), int(sys.argv[6]), float(sys.argv[7]))
