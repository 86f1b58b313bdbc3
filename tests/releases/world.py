"""A service as the tables would know it, made with numpy: what the tests of this room fill a real store with."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pilothouse.engine import Engine
from pilothouse.signals.identity import identity_of

START = 1_780_000_000 * 1_000_000_000
SECOND = 1_000_000_000
SERVER, CLIENT = 2, 3

Functions = tuple[str, ...]


@dataclass(frozen=True)
class Version:
    """One instance of a version: when it lives (seconds after START) and how it behaves.

    `slow` multiplies the latency of a share of the requests; `stacks` are CPU seconds per request, root first.
    """

    version: str
    begins: float = 0.0
    ends: float = 30.0
    rate: float = 25.0
    instance: str = "a"
    median: float = 0.009
    slow: tuple[float, float] = (1.0, 0.0)
    failing: float = 0.01
    memory: float = 100e6
    growth: float = 0.0
    errors: tuple[tuple[str, float], ...] = ()
    stacks: dict[Functions, float] = field(
        default_factory=lambda: {
            ("main", "serve", "checkout", "parse"): 0.004,
            ("main", "serve", "checkout", "price"): 0.006,
            ("main", "serve", "render"): 0.005,
        }
    )
    profile_seconds: float = 5.0
    operation: str = "POST /checkout"
    service: str = "checkout"
    traced: bool = True
    named: bool = True

    @property
    def attributes(self) -> dict[str, str]:
        """Its resource."""
        instance = {"service.instance.id": f"{self.version}-{self.instance}"} if self.named else {}
        return {"service.name": self.service, "service.version": self.version, "region": "eu"} | instance

    @property
    def identity(self) -> int:
        """As the tables know it."""
        return identity_of(self.attributes)


def regressed(version: Version) -> Version:
    """The same service with all that the demo plants."""
    return replace(
        version,
        slow=(4.0, 0.5),
        memory=version.memory + 60e6,
        errors=(("coupon {n} could not be combined for order ord-{n:x}", 0.2),),
        stacks=version.stacks | {("main", "serve", "checkout", "try_all", "combine"): 0.012},
    )


def fill(engine: Engine, *versions: Version, seed: int = 1) -> None:
    """All four signals of some instances, one statement a table."""
    random = np.random.default_rng(seed)
    rows = Rows()
    for one in versions:
        times = _arrivals(random, one)
        add_resources(rows, one)
        if one.traced:
            _spans(rows, random, one, times)
        _logs(rows, random, one, times)
        _metrics(rows, random, one, times)
        add_profiles(rows, one, random)
    rows.insert(engine)


class Rows:
    """Rows to be, by table."""

    def __init__(self) -> None:
        self._tables: dict[str, list[pa.Table]] = {}

    def add(self, table: str, **columns: Any) -> None:
        """Some rows by columns."""
        if len(next(iter(columns.values()))):
            self._tables.setdefault(table, []).append(pa.table(columns))

    def insert(self, engine: Engine) -> None:
        """All of them, through Parquet files."""
        for table, parts in self._tables.items():
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "rows.parquet"
                pq.write_table(pa.concat_tables(parts), file)
                names, read = list(parts[0].column_names), list(parts[0].column_names)
                if table == "samples":
                    # Numbers are kept by their bits where the divisor is 0.
                    names[names.index("value")], read[read.index("value")] = "number", "reinterpretAsInt64(value)"
                engine.command(
                    f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(read)} FROM file('{file}', 'Parquet')"
                )


def nanoseconds(seconds: np.ndarray) -> pa.Array:
    """Times after START as DateTime64(9)."""
    return pa.array(START + (np.asarray(seconds) * SECOND).astype(np.int64), pa.timestamp("ns", "UTC"))


def milliseconds(seconds: np.ndarray) -> pa.Array:
    """Times after START as DateTime64(3)."""
    return pa.array((START + (np.asarray(seconds) * SECOND).astype(np.int64)) // 1_000_000, pa.timestamp("ms", "UTC"))


def maps(rows: list[dict[str, str]]) -> pa.Array:
    """Attribute maps."""
    return pa.array([list(row.items()) for row in rows], pa.map_(pa.string(), pa.string()))


def _arrivals(random: np.random.Generator, one: Version) -> np.ndarray:
    count = random.poisson(one.rate * (one.ends - one.begins))
    return np.sort(random.uniform(one.begins, one.ends, count))


def add_resources(rows: Rows, one: Version, *signals: str) -> None:
    """The identity, as some signals (or all four) speak for it."""
    speak = list(signals or ("logs", "metrics", "traces", "profiles")[: 4 if one.traced else 2])
    count = len(speak)
    rows.add(
        "resources", identity=pa.array([one.identity] * count, pa.uint64()), signal=speak,
        attributes=maps([one.attributes] * count), kinds=["ssss"] * count,
        first_seen=milliseconds(np.full(count, one.begins)), last_seen=milliseconds(np.full(count, one.ends)),
    )  # fmt: skip


def _spans(rows: Rows, random: np.random.Generator, one: Version, times: np.ndarray) -> None:
    slow = random.random(len(times)) < one.slow[1]
    seconds = random.lognormal(np.log(one.median), 0.5, len(times)) * np.where(slow, one.slow[0], 1.0)
    failed = random.random(len(times)) < one.failing
    listed = random.lognormal(np.log(0.003), 0.4, len(times))
    _span_rows(rows, random, one, one.operation, SERVER, times, seconds, failed)
    _span_rows(rows, random, one, "GET /prices", CLIENT, times, listed, np.zeros(len(times), bool))


def _span_rows(
    rows: Rows, random: np.random.Generator, one: Version, name: str, kind: int, times: np.ndarray,
    seconds: np.ndarray, failed: np.ndarray,
) -> None:  # fmt: skip
    count = len(times)
    ids = random.bytes(24 * count)
    rows.add(
        "spans", identity=pa.array([one.identity] * count, pa.uint64()),
        trace_id=pa.array([ids[24 * n : 24 * n + 16] for n in range(count)], pa.binary(16)),
        span_id=pa.array([ids[24 * n + 16 : 24 * n + 24] for n in range(count)], pa.binary(8)),
        name=[name] * count, kind=pa.array([kind] * count, pa.uint8()), time=nanoseconds(times),
        duration=pa.array((seconds * SECOND).astype(np.uint64)),
        status_code=pa.array(np.where(failed, 2, 0).astype(np.uint8)),
    )  # fmt: skip


def _logs(rows: Rows, random: np.random.Generator, one: Version, times: np.ndarray) -> None:
    bodies = [
        f"order ord-{n:010x} placed: {n % 7} items for {n % 9999} cents" for n in random.integers(0, 2**39, len(times))
    ]
    severities, when = [9] * len(times), list(times)
    for text, share in (("payment for order ord-{n:x} failed with 502", 0.01), *one.errors):
        chosen = times[random.random(len(times)) < share]
        bodies += [text.format(n=int(n)) for n in random.integers(0, 2**39, len(chosen))]
        severities += [17] * len(chosen)
        when += list(chosen)
    bodies.append(f"listening on port {random.integers(30000, 60000)}")
    severities.append(9)
    when.append(one.begins)
    rows.add(
        "logs", identity=pa.array([one.identity] * len(when), pa.uint64()), time=nanoseconds(np.array(when)),
        severity_number=pa.array(severities, pa.uint8()), body=bodies,
    )  # fmt: skip


def _metrics(rows: Rows, random: np.random.Generator, one: Version, times: np.ndarray) -> None:
    every = np.arange(one.begins, one.ends, 1.0)
    served = np.searchsorted(times, every)
    noise = np.cumsum(random.normal(0, 0.1e6, len(every)))
    cost = sum(one.stacks.values())
    numbers = {
        ("process.memory.usage", "sum", "By", False): one.memory + one.growth * (every - one.begins) + noise,
        ("process.cpu.time", "sum", "s", True): np.cumsum(
            np.diff(served, prepend=0) * cost * random.gamma(20, 1 / 20, len(every))
        ),
        ("process.threads", "gauge", "{thread}", False): random.choice([11.0, 12.0, 13.0], len(every)),
    }
    for (name, kind, unit, monotonic), values in numbers.items():
        series = add_series(rows, one, name, kind, unit, monotonic)
        rows.add(
            "samples", series=pa.array([series] * len(every), pa.uint64()), time=milliseconds(every),
            start_time=milliseconds(np.full(len(every), one.begins)), value=values,
        )  # fmt: skip
    _histogram(rows, random, one, every, served)


def add_series(
    rows: Rows, one: Version, name: str, kind: str, unit: str, monotonic: bool, temporality: int = 2, **labels: str
) -> int:
    """A series of an instance; returns its number."""
    series = identity_of(one.attributes | {"metric": name} | labels)
    rows.add(
        "series", name=[name], series=pa.array([series], pa.uint64()),
        identity=pa.array([one.identity], pa.uint64()), attributes=maps([labels]), kinds=["s" * len(labels)],
        type=[kind], unit=[unit], temporality=pa.array([temporality], pa.uint8()), is_monotonic=[monotonic],
        first_seen=milliseconds(np.array([one.begins])), last_seen=milliseconds(np.array([one.ends])),
    )  # fmt: skip
    return series


def _histogram(rows: Rows, random: np.random.Generator, one: Version, every: np.ndarray, served: np.ndarray) -> None:
    # The port differs between instances, as it does in the semantic conventions for servers.
    labels = {"http.request.method": "POST", "server.port": str(random.integers(30000, 60000))}
    series = add_series(rows, one, "http.server.request.duration", "histogram", "s", False, **labels)
    slower = 1 + (one.slow[0] - 1) * one.slow[1]
    means = one.median * 1.13 * slower * random.gamma(50, 1 / 50, len(every))
    rows.add(
        "distributions", series=pa.array([series] * len(every), pa.uint64()), time=milliseconds(every),
        start_time=milliseconds(np.full(len(every), one.begins)), count=pa.array(served.astype(np.uint64)),
        sum=np.cumsum(np.diff(served, prepend=0) * means), bounds=pa.array([[0.01, 0.1]] * len(every)),
        bucket_counts=pa.array([[int(n), 0, 0] for n in served], pa.list_(pa.uint64())),
    )  # fmt: skip


def add_profiles(rows: Rows, one: Version, random: np.random.Generator | None = None) -> None:
    """CPU profiles of an instance."""
    random = random or np.random.default_rng(2)
    begins = np.arange(one.begins, one.ends - one.profile_seconds + 0.01, one.profile_seconds)
    stacks = {identity_of({"stack": ";".join(names)}): names for names in one.stacks}
    hashes = list(stacks)
    rows.add(
        "profile_stacks", stack=pa.array(hashes, pa.uint64()),
        month=pa.array([START // SECOND // 86400] * len(hashes), pa.date32()),
        functions=[list(names[::-1]) for names in stacks.values()],
        files=[[f"/app/{one.version}/shop.py"] * len(names) for names in stacks.values()],
        lines=pa.array([[1] * len(names) for names in stacks.values()], pa.list_(pa.uint32())),
    )  # fmt: skip
    costs = np.array(list(one.stacks.values())) * one.rate * one.profile_seconds * 100
    values = random.poisson(costs * random.gamma(50, 1 / 50, (len(begins), 1))) * 10_000_000
    count = values.size
    rows.add(
        "profile_samples", identity=pa.array([one.identity] * count, pa.uint64()), type=["cpu"] * count,
        time=milliseconds(np.repeat(begins, len(hashes))), stack=pa.array(hashes * len(begins), pa.uint64()),
        value=pa.array(values.ravel()),
    )  # fmt: skip
    rows.add(
        "profiles", identity=pa.array([one.identity] * len(begins), pa.uint64()), type=["cpu"] * len(begins),
        unit=["ns"] * len(begins), time=milliseconds(begins),
        duration=pa.array([int(one.profile_seconds * SECOND)] * len(begins), pa.uint64()),
        period=pa.array([10_000_000] * len(begins), pa.int64()), total=pa.array(values.sum(1)),
    )  # fmt: skip
