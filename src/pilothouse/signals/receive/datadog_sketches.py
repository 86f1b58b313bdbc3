"""Datadog's sketches, as its agent sends what it was told as distributions: `/api/beta/sketches`.

A sketch counts values by keys. Key 0 is about zero; key k > 0 stands for the values around GAMMA ** (k - BIAS), and -k
for the same below zero. Messages and constants are those of the agent's `quantile` package and of
https://github.com/DataDog/agent-payload/blob/master/proto/metrics/agent_payload.proto
"""

from __future__ import annotations

import math
from typing import Any

from google.protobuf.message import DecodeError

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.metrics.protobuf import message_classes
from pilothouse.signals.receive.datadog_tags import resource_of, tags_of
from pilothouse.signals.receive.metric_requests import DELTA, Distribution, MetricRequest

_SCHEMA = """
message Quantiles { int64 ts = 1; }
message Dogsketch { int64 ts = 1; int64 cnt = 2; double min = 3; double max = 4; double avg = 5; double sum = 6;
  repeated sint32 k = 7; repeated uint32 n = 8; }
message Sketch { string metric = 1; string host = 2; repeated Quantiles distributions = 3; repeated string tags = 4;
  repeated Dogsketch dogsketches = 7; }
message SketchPayload { repeated Sketch sketches = 1; }
"""
_Payload = message_classes("datadog.agentpayload.sketches", _SCHEMA)["SketchPayload"]
_GAMMA = 1 + 2 / 128
_BIAS = 1338
_MOST_KEY = 32_767
_MOST_KEYS = 4_096
# Buckets 1.1 % wide, narrower than a sketch's 1.6 %: nothing of what a sketch tells is lost.
_SCALE = 6
# What the agent adds up before it sends.
_INTERVAL = 10


def sketches(body: bytes, _: str) -> MetricRequest:
    """Each sketch as an exponential histogram of ten seconds. Raises `BadRequestError`."""
    try:
        payload = _Payload.FromString(body)
    except DecodeError:
        raise BadRequestError("body: this is not a datadog.agentpayload.SketchPayload") from None
    made = MetricRequest("datadog")
    for place, one in enumerate(payload.sketches):
        if not one.metric:
            raise BadRequestError(f"sketches[{place}].metric is empty")
        if one.distributions:
            raise BadRequestError(f"sketches[{place}].distributions: only dogsketches are known")
        tags = tags_of(one.tags)
        if one.host:
            tags.setdefault("host", one.host)
        for number, sketch in enumerate(one.dogsketches):
            found = _distribution(sketch, f"sketches[{place}].dogsketches[{number}]")
            if found.count:
                start = (sketch.ts - _INTERVAL) * 1_000_000_000
                made.histogram(resource_of(tags), one.metric, "", tags, sketch.ts * 1_000_000_000, found, start, DELTA)
    return made


def _distribution(sketch: Any, where: str) -> Distribution:
    keys, counts = sketch.k, sketch.n
    if len(keys) != len(counts):
        raise BadRequestError(f"{where}: {len(keys)} keys k and {len(counts)} counts n")
    if len(keys) > _MOST_KEYS:
        raise BadRequestError(f"{where}: more than {_MOST_KEYS} keys")
    if not 0 <= sketch.ts < 1 << 33:
        raise BadRequestError(f"{where}.ts: {sketch.ts} is no time in seconds")
    found = Distribution(scale=_SCALE)
    for key, count in zip(keys, counts, strict=True):
        if abs(key) > _MOST_KEY:
            raise BadRequestError(f"{where}.k: there is no key {key}")
        found.add(_value(key), count)
    if not all(map(math.isfinite, (sketch.sum, sketch.min, sketch.max))):
        raise BadRequestError(f"{where}: sum, min and max must be finite")
    # Known better than keys can tell.
    found.sum, found.least, found.most = sketch.sum, sketch.min, sketch.max
    return found


def _value(key: int) -> float:
    """What a key stands for."""
    return math.copysign(_GAMMA ** (abs(key) - _BIAS), key) if key else 0.0
