"""Who sends: several hundred instances of a few dozen services, as the Kubernetes resource detectors describe them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

RESOURCES = 400
_SERVICES = (
    "frontend", "cart", "checkout", "payment", "shipping", "currency", "catalog", "recommendation", "ad", "email",
    "inventory", "pricing", "search", "session", "account", "orders", "returns", "reviews", "gateway", "fraud",
)  # fmt: skip


def attributes(number: int) -> dict[str, str | int]:
    """The resource attributes of instance `number`."""
    service, pod = _SERVICES[number % len(_SERVICES)], number // len(_SERVICES)
    chosen = random.Random(number)
    return {
        "service.name": service,
        "service.namespace": "shop",
        "service.version": f"2.{chosen.randrange(3)}.{chosen.randrange(9)}",
        "service.instance.id": f"{chosen.getrandbits(128):032x}",
        "deployment.environment.name": "production",
        "k8s.namespace.name": "shop",
        "k8s.deployment.name": service,
        "k8s.pod.name": f"{service}-{chosen.getrandbits(36):09x}-{pod:05d}",
        "k8s.node.name": f"ip-10-0-{number % 7}-{number % 23}.ec2.internal",
        "telemetry.sdk.language": "java",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.52.0",
        "process.pid": 1 + chosen.randrange(400),
    }


def put(attributes_field: Any, values: Mapping[str, str | int | float | bool]) -> None:
    """Append attributes to a repeated KeyValue field."""
    for key, value in values.items():
        pair = attributes_field.add()
        pair.key = key
        match value:
            case bool():
                pair.value.bool_value = value
            case int():
                pair.value.int_value = value
            case float():
                pair.value.double_value = value
            case _:
                pair.value.string_value = value
