"""The environment of the demo's processes: nothing of the user's that would bend their telemetry."""

import os
from uuid import uuid4

FOREIGN = ("OTEL_", "PYROSCOPE_", "PILOTHOUSE_", "SHOP_")
PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}
INTERVALS_MS = {
    "OTEL_METRIC_EXPORT_INTERVAL": "1000",
    "OTEL_BSP_SCHEDULE_DELAY": "500",
    "OTEL_BLRP_SCHEDULE_DELAY": "500",
}


def clean() -> dict[str, str]:
    """The user's environment without proxies (all is on loopback) and without others' telemetry settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in PROXIES and not name.startswith(FOREIGN)
    }


def telemetry(service: str, version: str, otlp: tuple[str, str], pyroscope: str, stage: str = "demo") -> dict[str, str]:
    """Says who speaks and where to send it. `otlp` is the protocol and the address."""
    protocol, endpoint = otlp
    instance = f"{service}-{uuid4().hex[:8]}"
    return {
        "OTEL_SERVICE_NAME": service,
        "OTEL_RESOURCE_ATTRIBUTES": f"service.namespace=shop,service.version={version},"
        f"service.instance.id={instance},deployment.environment.name={stage}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "PYROSCOPE_SERVER_ADDRESS": pyroscope,
        **INTERVALS_MS,
    }
