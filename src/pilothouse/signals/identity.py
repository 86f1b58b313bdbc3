"""Who speaks: one identity for each distinct set of resource attributes, the same in all four signals.

The identity is the first eight bytes (little endian) of MD5 over the attributes sorted by key, each written as key,
NUL, text, NUL. MD5 because Python's standard library and ClickHouse both have it; nothing here is a secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from pilothouse.signals.anyvalue import kinds_sql, map_sql, text_sql

# Prometheus and Loki name a target by `job` and `instance`; OpenTelemetry by these.
SERVICE = "service.name"
NAMESPACE = "service.namespace"
VERSION = "service.version"
INSTANCE = "service.instance.id"
ENVIRONMENT = "deployment.environment.name"


def identity_of(attributes: Mapping[str, str] | Iterable[tuple[str, str]]) -> int:
    """The identity of a set of attributes given as text."""
    given = attributes.items() if isinstance(attributes, Mapping) else attributes
    pairs = sorted((key.encode(), text.encode()) for key, text in given)
    digest = hashlib.md5(b"".join(key + b"\0" + text + b"\0" for key, text in pairs), usedforsecurity=False)
    return int.from_bytes(digest.digest()[:8], "little")


def identity_sql(attributes: str) -> str:
    """SQL for the identity of an array of key and AnyValue bytes."""
    pairs = f"arraySort(arrayMap(pair -> (pair.key, {text_sql('pair.value')}), {attributes}))"
    joined = f"arrayStringConcat(arrayMap(pair -> concat(pair.1, '\\0', pair.2, '\\0'), {pairs}))"
    return f"reinterpretAsUInt64(substring(MD5({joined}), 1, 8))"


def resources_sql(signal: str, source: str, attributes: str, times: str, identity: str = "") -> str:
    """A SELECT for the `resources` table.

    `source` is what comes after FROM, `attributes` its array of attributes, `times` an array of nanoseconds;
    `identity` is an expression where the door has already computed it.
    """
    return (
        f"SELECT {identity or identity_sql(attributes)} AS identity, '{signal}' AS signal, "
        f"CAST({map_sql(attributes)}, 'Map(String, String)') AS attributes, {kinds_sql(attributes)} AS kinds, "
        f"fromUnixTimestamp64Milli(toInt64(intDiv(arrayMin({times}), 1000000)), 'UTC') AS first_seen, "
        f"fromUnixTimestamp64Milli(toInt64(intDiv(arrayMax({times}), 1000000)), 'UTC') AS last_seen "
        f"FROM {source} WHERE notEmpty({times})"
    )


RESOURCE_COLUMNS = ("identity", "signal", "attributes", "kinds", "first_seen", "last_seen")
