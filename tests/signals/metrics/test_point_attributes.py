"""Attributes read from their bytes: what protobuf writes is what the SQL reads, at each length of a length."""

from __future__ import annotations

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from pilothouse.engine import Engine
from pilothouse.signals.metrics.point_attributes import pairs_sql


def test_keys_and_values(engine: Engine) -> None:
    for key_size in (0, 1, 127, 128, 300, 16_383, 16_384, 20_000, 60_000):
        for value_size in (None, 0, 1, 123, 124, 130, 16_500):
            pair = KeyValue(key="ü" * (key_size // 2) + "k" * (key_size % 2))
            if value_size is not None:
                pair.value.string_value = "v" * value_size
            assert _read(engine, pair.SerializeToString()) == (
                pair.key.encode(), pair.value.SerializeToString()
            ), (key_size, value_size)  # fmt: skip


def _read(engine: Engine, raw: bytes) -> tuple[bytes, bytes]:
    pairs = pairs_sql("[unhex({raw:String})]")
    table = engine.query(
        f"WITH {pairs} AS pairs SELECT hex(pairs[1].key) AS key, hex(pairs[1].value) AS value", {"raw": raw.hex()}
    )
    (row,) = table.to_pylist()
    return bytes.fromhex(row["key"]), bytes.fromhex(row["value"])
