"""OTLP log requests as a busy shop's services send them."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

from bench.filling import Filling
from bench.resources import put

FREQUENT, RARE = "status=200", "java.lang.OutOfMemoryError: Java heap space"
ABSENT = "segmentation fault in libcrypto"
# A line a shape: weight, severity number, body. {dN} is N digits, {hN} N hexadecimal digits, {word} one of its list.
_LINES = [line.split(" ", 2) for line in Path(__file__).with_name("log_shapes.txt").read_text().splitlines()]
_WEIGHTS = [int(weight) for weight, _, _ in _LINES]
_SHAPES = [(int(severity), body) for _, severity, body in _LINES]
_WORDS = {
    "method": ("GET", "GET", "GET", "POST", "PUT", "DELETE"),
    "path": ("/api/v2/cart", "/api/v2/orders", "/api/v1/catalog/products", "/api/v1/customers", "/internal/stock"),
    "thread": ("http-nio-8080-exec", "grpc-default-executor", "kafka-consumer", "scheduler"),
    "service": ("checkout", "payment", "inventory", "pricing", "catalog", "orders"),
    "carrier": ("stripe", "adyen", "klarna", "dhl", "ups", "dpd"),
}
_PLACE = re.compile(r"\{(?:([dh])(\d+)|([a-z]+))\}")
_NAMES = {5: "DEBUG", 9: "INFO", 13: "WARN", 17: "ERROR"}


def add_record(record: Any, filling: Filling, chosen: random.Random, which: int, records: int) -> None:
    """Fill in one LogRecord, number `which` of a request."""
    offset = which * 1_000_000_000 // records + chosen.randrange(500_000)
    severity, shape = chosen.choices(_SHAPES, _WEIGHTS)[0]
    record.time_unix_nano = filling.time(offset)
    record.severity_number, record.severity_text = severity, _NAMES[severity]
    record.body.string_value = filling.line(written(shape, filling, chosen))
    put(
        record.attributes,
        {
            "log.logger": f"com.example.shop.{chosen.choice(_WORDS['service'])}",
            "thread.name": f"{chosen.choice(_WORDS['thread'])}-{chosen.randrange(64)}",
            "http.request.method": chosen.choice(_WORDS["method"]),
            "http.response.status_code": 502 if severity == 17 else 200,
            "enduser.id": f"u-{filling.digits(7)}",
        },
    )
    if which % 10 < 7:
        record.trace_id = filling.identifier(2 * which, 16)
        record.span_id = filling.identifier(2 * which + 1, 8)
    record.observed_time_unix_nano = filling.time(offset + 40_000)


def written(shape: str, filling: Filling, chosen: random.Random) -> str:
    """The shape with its places filled in."""

    def put_in(place: re.Match[str]) -> str:
        kind, count, word = place.groups()
        if word:
            return chosen.choice(_WORDS[word])
        return filling.digits(int(count)) if kind == "d" else filling.hexadecimal(int(count))

    return _PLACE.sub(put_in, shape)
