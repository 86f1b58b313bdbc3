"""A service with its caller and its dependency, whose spans, lines and samples carry each other's ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pilothouse.engine import Engine
from pilothouse.signals.identity import identity_of
from tests.releases.world import SECOND, START, Rows, maps, milliseconds, nanoseconds

SERVER, CLIENT, INTERNAL = 2, 3, 1


@dataclass(frozen=True)
class Linked:
    """One version of a service (named by `prefix`) under its gateway, over its store; milliseconds for each part.

    `stalled` is the share of requests that log a line of trouble and take `stall` longer in `lookup` itself; `burn`
    the CPU of the function `sort_all` in each request, `store_version` what the dependency runs.
    """

    prefix: str
    version: str
    begins: float = 0.0
    ends: float = 60.0
    rate: float = 30.0
    own: float = 10.0
    query: float = 5.0
    burn: float = 1.0
    stalled: float = 0.0
    stall: float = 60.0
    store_version: str = "5"
    gate_version: str = "1"
    stacks: dict[str, int] = field(default_factory=lambda: {"sort_all": 11, "render": 12})


def resource(name: str, version: str) -> dict[str, str]:
    """An instance of a service."""
    return {"service.name": name, "service.version": version, "service.instance.id": f"{name}-{version}"}


def fill_linked(engine: Engine, *versions: Linked, seed: int = 5) -> None:
    """Spans, lines and profiles of all of them."""
    rows, random = Rows(), np.random.default_rng(seed)
    for one in versions:
        _fill(rows, random, one)
    rows.insert(engine)


def _fill(rows: Rows, random: np.random.Generator, one: Linked) -> None:
    gate, mine, store = (
        resource(f"{one.prefix}-gate", one.gate_version), resource(one.prefix, one.version),
        resource(f"{one.prefix}-store", one.store_version),
    )  # fmt: skip
    for attributes in (gate, mine, store):
        for signal in ("traces", "logs", "profiles"):
            rows.add(
                "resources", identity=pa.array([identity_of(attributes)], pa.uint64()), signal=[signal],
                attributes=maps([attributes]), kinds=["sss"], first_seen=milliseconds(np.array([one.begins])),
                last_seen=milliseconds(np.array([one.ends])),
            )  # fmt: skip
    count = int(one.rate * (one.ends - one.begins))
    times = np.sort(random.uniform(one.begins, one.ends, count))
    ids = _Ids(random, count)
    stalled = random.random(count) < one.stalled
    noise = random.lognormal(0, 0.3, (4, count))
    query, own = one.query * noise[0], (one.own + one.burn) * noise[1] + np.where(stalled, one.stall, 0.0)
    asked, whole = query + 1, query + 1 + own
    parts: list[tuple[dict[str, str], str, int, str, str, Any]] = [
        (gate, "GET /", SERVER, "a", "", whole + 3), (gate, "call", CLIENT, "b", "a", whole + 1),
        (mine, "GET /items", SERVER, "c", "b", whole), (mine, "SELECT", CLIENT, "d", "c", asked),
        (store, "query", SERVER, "e", "d", query),
    ]  # fmt: skip
    for attributes, name, kind, span, parent, took in parts:
        rows.add(
            "spans", identity=pa.array([identity_of(attributes)] * count, pa.uint64()), trace_id=ids.traces,
            span_id=ids.spans(span), parent_span_id=ids.spans(parent), name=[name] * count,
            kind=pa.array([kind] * count, pa.uint8()), time=nanoseconds(times),
            duration=pa.array((took * 1e6).astype(np.uint64)), status_code=pa.array([0] * count, pa.uint8()),
        )  # fmt: skip
    _lines(rows, mine, times, ids, stalled)
    _samples(rows, random, one, mine, times, ids)


class _Ids:
    """Ids of some requests, and of their spans by a letter each."""

    def __init__(self, random: np.random.Generator, count: int) -> None:
        self._raw = [random.bytes(16) for _ in range(count)]
        self.traces = pa.array(self._raw, pa.binary(16))

    def spans(self, letter: str) -> pa.Array:
        """The ids of one span of each request; no letter is no span."""
        made = [raw[:7] + letter.encode() if letter else bytes(8) for raw in self._raw]
        return pa.array(made, pa.binary(8))


def _lines(rows: Rows, mine: dict[str, str], times: np.ndarray, ids: _Ids, stalled: np.ndarray) -> None:
    numbers = np.arange(len(times))
    told = [(n, 9, f"served item {n}") for n in numbers] + [
        (n, 17, f"lock on item {n} waited too long") for n in numbers[stalled]
    ]
    rows.add(
        "logs", identity=pa.array([identity_of(mine)] * len(told), pa.uint64()),
        time=nanoseconds(times[[n for n, _, _ in told]]), body=[line for _, _, line in told],
        severity_number=pa.array([severity for _, severity, _ in told], pa.uint8()),
        trace_id=ids.traces.take(pa.array([n for n, _, _ in told])),
        span_id=ids.spans("c").take(pa.array([n for n, _, _ in told])),
    )  # fmt: skip


def _samples(
    rows: Rows, random: np.random.Generator, one: Linked, mine: dict[str, str], times: np.ndarray, ids: _Ids
) -> None:
    """A sample of 10 ms for every 10 ms of CPU, each in some request's span."""
    names = {11: ["sort_all", "items", "serve"], 12: ["render", "items", "serve"]}
    rows.add(
        "profile_stacks", stack=pa.array(list(names), pa.uint64()),
        month=pa.array([START // SECOND // 86400] * 2, pa.date32()), functions=list(names.values()),
        files=[["shop.py"] * 3] * 2, lines=pa.array([[1] * 3] * 2, pa.list_(pa.uint32())),
    )  # fmt: skip
    spans = [span.hex() for span in ids.spans("c").to_pylist()]
    every = np.arange(one.begins, one.ends - 4.9, 5.0)
    for begin in every:
        inside = np.flatnonzero((times >= begin) & (times < begin + 5))
        for stack, cost in ((11, one.burn), (12, 4.0)):
            hits = random.choice(inside, random.poisson(len(inside) * cost / 10))
            rows.add(
                "profile_samples", identity=pa.array([identity_of(mine)] * len(hits), pa.uint64()),
                type=["cpu"] * len(hits), time=milliseconds(np.full(len(hits), begin)),
                stack=pa.array([stack] * len(hits), pa.uint64()), value=pa.array([10_000_000] * len(hits)),
                attributes=maps([{"span_id": spans[hit]} for hit in hits]),
            )  # fmt: skip
    rows.add(
        "profiles", identity=pa.array([identity_of(mine)] * len(every), pa.uint64()), type=["cpu"] * len(every),
        unit=["ns"] * len(every), time=milliseconds(every),
        duration=pa.array([5 * SECOND] * len(every), pa.uint64()),
        period=pa.array([10_000_000] * len(every), pa.int64()),
        total=pa.array([0] * len(every)),
    )  # fmt: skip
