"""Remote write requests with what node_exporter would say of many machines."""

from __future__ import annotations

from collections.abc import Iterator

import cramjam
import numpy as np

from pilothouse.signals.metrics.protobuf import field, varint

_MODES = ("idle", "user", "system", "iowait")
_HUNDREDTHS = {"idle": 1380, "user": 90, "system": 28, "iowait": 2}
_EVERY = 15_000
# As Prometheus sends: so many samples a request, of one time each.
_A_REQUEST = 10_000


def batches(series: int, hours: float, end: int) -> Iterator[bytes]:
    """Requests in order of time, compressed. Counters grow by noisy steps, loads wander.

    They are written out as protobuf here: with its Python classes a day of 50,000 series would take hours to make.
    """
    labels = list(_labels(series))
    chance = np.random.default_rng(1)
    kinds = [dict(one) for one in labels]
    is_load = np.array([one["__name__"] == "node_load1" for one in kinds])
    # Hundredths: of a load, and of the seconds that a core spends in each mode, fifteen a scrape in all.
    values = np.where(is_load, 100, chance.integers(0, 10_000_000, series))
    typical = np.array([_HUNDREDTHS.get(one.get("mode", ""), 0) for one in kinds])
    moments = range(end - int(hours * 3_600_000) + _EVERY, end + 1, _EVERY)
    together = moments_together(series)
    heads = [b"".join(field(0x0A, field(0x0A, n.encode()) + field(0x12, v.encode())) for n, v in one) for one in labels]
    for place in range(0, len(moments), together):
        now = moments[place : place + together]
        samples = np.empty((series, len(now)), _SAMPLE)
        samples["head"] = _HEAD
        for column, moment in enumerate(now):
            spread = chance.normal(0, np.sqrt(typical + 1)).round().astype(np.int64)
            steps = np.where(is_load, chance.integers(-5, 6, series), np.maximum(typical + spread, 0))
            values = np.abs(values + steps)
            samples["value"][:, column] = values / 100
            samples["time"][:, column] = np.frombuffer(b"\x10" + varint(moment), np.uint8)
        rows = [field(0x0A, head + row.tobytes()) for head, row in zip(heads, samples, strict=True)]
        yield bytes(cramjam.snappy.compress_raw(b"".join(rows)))


def moments_together(series: int) -> int:
    """How many times of all series are in a request."""
    return max(1, _A_REQUEST // series)


# A sample as protobuf has it: its field and size, its value, its time (six bytes of varint until the year 2109).
_SAMPLE = np.dtype([("head", "u1", 3), ("value", "<f8"), ("time", "u1", 7)])
_HEAD = np.array([0x12, 16, 0x09], np.uint8)


def _labels(series: int) -> Iterator[list[tuple[str, str]]]:
    """A load and the CPU times of eight cores for each machine."""
    made = 0
    machine = 0
    while made < series:
        target = {"instance": f"node-{machine:05d}:9100", "job": "node", "region": f"r{machine % 5}"}
        kinds = [{"__name__": "node_load1"}]
        kinds += [
            {"__name__": "node_cpu_seconds_total", "cpu": str(cpu), "mode": mode} for cpu in range(8) for mode in _MODES
        ]
        for kind in kinds[: series - made]:
            yield sorted((kind | target).items())
            made += 1
        machine += 1
