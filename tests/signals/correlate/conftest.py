"""A checkout whose slow and failing requests have one thing in common, with all four signals tied together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from pilothouse.engine import Engine, open_engine
from pilothouse.signals.identity import identity_of
from tests.releases.serving import serving
from tests.releases.world import SECOND, START, Rows, maps, milliseconds, nanoseconds

COUNT = 600
CHECKOUT = {"service.name": "checkout", "service.version": "1.0.0", "service.instance.id": "a", "region": "eu"}
PROFILER = {"service.name": "checkout", "service.instance.id": "a", "profiler": "sampling"}


def trace_of(number: int) -> bytes:
    """The trace id of a request."""
    return number.to_bytes(16, "big")


def span_of(number: int) -> bytes:
    """The span id of a request's only span."""
    return (number + 1_000_000).to_bytes(8, "big")


def odd(number: int) -> bool:
    """Every twentieth request pays with a gift card: it is slow, and half of them fail."""
    return number % 20 == 7


@pytest.fixture(scope="package")
def correlated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The store; the request `n` comes `n / 10` seconds after START."""
    engine = open_engine(tmp_path_factory.mktemp("correlated") / "store")
    rows = Rows()
    identity = identity_of(CHECKOUT)
    _resources(rows)
    _spans(rows, identity)
    _lines(rows, identity)
    _metrics(rows, identity)
    _profiles(rows)
    rows.insert(engine)
    yield engine
    engine.close()


@pytest.fixture(scope="package")
def address(correlated: Engine) -> Iterator[str]:
    """The questions on a real port."""
    from pilothouse.signals.correlate.api import routes

    with serving(routes(correlated)) as address:
        yield address


def _resources(rows: Rows) -> None:
    for attributes, signals in ((CHECKOUT, ["logs", "metrics", "traces"]), (PROFILER, ["profiles"])):
        count = len(signals)
        rows.add(
            "resources", identity=pa.array([identity_of(attributes)] * count, pa.uint64()), signal=signals,
            attributes=maps([attributes] * count), kinds=["s" * len(attributes)] * count,
            first_seen=milliseconds(np.zeros(count)), last_seen=milliseconds(np.full(count, 60.0)),
        )  # fmt: skip


def _spans(rows: Rows, identity: int) -> None:
    random = np.random.default_rng(3)
    slow = np.array([odd(n) for n in range(COUNT)])
    attributes = [
        {
            "payment.method": "gift_card" if slow[n] else ("card", "invoice")[n % 2],
            "http.route": "/checkout", "request.id": f"r-{n}",
            "cart.items": str(int(random.integers(60, 99) if slow[n] else random.integers(1, 59))),
        }
        for n in range(COUNT)
    ]  # fmt: skip
    rows.add(
        "spans", identity=pa.array([identity] * COUNT, pa.uint64()),
        trace_id=pa.array([trace_of(n) for n in range(COUNT)], pa.binary(16)),
        span_id=pa.array([span_of(n) for n in range(COUNT)], pa.binary(8)),
        name=["POST /checkout"] * COUNT, kind=pa.array([2] * COUNT, pa.uint8()),
        time=nanoseconds(np.arange(COUNT) / 10),
        duration=pa.array((np.where(slow, 0.5, 0.01) * SECOND).astype(np.uint64)),
        status_code=pa.array(np.where(slow & (np.arange(COUNT) % 40 == 7), 2, 0).astype(np.uint8)),
        attributes=maps(attributes),
    )  # fmt: skip


def _lines(rows: Rows, identity: int) -> None:
    numbers = np.arange(COUNT)
    attributes = [{"payment.method": "gift_card" if odd(n) else "card", "line": str(n)} for n in range(COUNT)]
    rows.add(
        "logs", identity=pa.array([identity] * COUNT, pa.uint64()), time=nanoseconds(numbers / 10 + 0.001),
        severity_number=pa.array([17 if odd(n) else 9 for n in range(COUNT)], pa.uint8()),
        body=[f"gift card {n} locked" if odd(n) else f"order {n} placed" for n in range(COUNT)],
        trace_id=pa.array([trace_of(n) for n in range(COUNT)], pa.binary(16)),
        span_id=pa.array([span_of(n) for n in range(COUNT)], pa.binary(8)), attributes=maps(attributes),
    )  # fmt: skip


def _metrics(rows: Rows, identity: int) -> None:
    """A queue that jumps at 50 s, a level that never does, a histogram with an exemplar."""
    every = np.arange(0.0, 60.0)
    values = {1: 5 + every % 3 + np.where(every >= 50, 100, 0), 2: 10 + every % 2}
    for number, name, kind in ((1, "queue.size", "gauge"), (2, "threads", "gauge"), (3, "latency", "histogram")):
        rows.add(
            "series", name=[name], series=pa.array([number], pa.uint64()),
            identity=pa.array([identity], pa.uint64()), attributes=maps([{}]), kinds=[""], type=[kind], unit=["1"],
            temporality=pa.array([2], pa.uint8()), is_monotonic=[False], first_seen=milliseconds(np.zeros(1)),
            last_seen=milliseconds(np.full(1, 60.0)),
        )  # fmt: skip
        if number in values:
            rows.add(
                "samples", series=pa.array([number] * len(every), pa.uint64()), time=milliseconds(every),
                start_time=milliseconds(np.zeros(len(every))), value=values[number],
            )  # fmt: skip
    rows.add(
        "exemplars", series=pa.array([3], pa.uint64()), time=milliseconds(np.array([50.7])), value=[0.5],
        trace_id=pa.array([trace_of(507)], pa.binary(16)), span_id=pa.array([span_of(507)], pa.binary(8)),
    )  # fmt: skip


def _profiles(rows: Rows) -> None:
    """Two stacks, of which one was sampled in the span of a gift card."""
    month = pa.array([START // SECOND // 86400] * 2, pa.date32())
    rows.add(
        "profile_stacks", stack=pa.array([1, 2], pa.uint64()), month=month,
        functions=[["unlock", "pay", "main"], ["place", "main"]], files=[["a.py"] * 3, ["a.py"] * 2],
        lines=pa.array([[1, 1, 1], [1, 1]], pa.list_(pa.uint32())),
    )  # fmt: skip
    rows.add(
        "profile_samples", identity=pa.array([identity_of(PROFILER)] * 2, pa.uint64()), type=["cpu"] * 2,
        time=milliseconds(np.array([50.0, 50.0])), stack=pa.array([1, 2], pa.uint64()),
        value=pa.array([3_000_000, 7_000_000]), attributes=maps([{"span_id": span_of(507).hex()}, {}]),
    )  # fmt: skip
