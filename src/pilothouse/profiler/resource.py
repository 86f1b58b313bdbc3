"""Who is profiled: the OpenTelemetry resource of this process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote


def resource_of_process() -> dict[str, str]:
    """Of the SDK's tracer provider if one is set, else of the environment (OpenTelemetry's `OTEL_*` variables)."""
    trace = sys.modules.get("opentelemetry.trace")
    provider = trace.get_tracer_provider() if trace else None
    resource = getattr(provider, "resource", None)
    if resource is not None:
        return {str(name): _text(value) for name, value in resource.attributes.items()}
    return from_environment(os.environ)


def from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """As the OpenTelemetry specification reads `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`."""
    found: dict[str, str] = {}
    for pair in environment.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        name, equals, value = pair.partition("=")
        if equals and name.strip():
            found[name.strip()] = unquote(value.strip())
    if service := environment.get("OTEL_SERVICE_NAME"):
        found["service.name"] = service
    return found


def _text(value: Any) -> str:
    """As Pilothouse keeps an attribute's value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, list | tuple):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)
