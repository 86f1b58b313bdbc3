"""A profiler for Python services: what burns CPU, and what holds memory, sent to Pilothouse by release.

    from pilothouse import profiler

    profiler.start("http://127.0.0.1:4000")

Who speaks is taken from the OpenTelemetry resource (of the SDK's tracer provider, or of `OTEL_SERVICE_NAME` and
`OTEL_RESOURCE_ATTRIBUTES`), so that profiles, logs, metrics and traces name the same process. Samples carry the id of
the span that was running. Nothing but Python's standard library is imported here.
"""

from pilothouse.profiler.profiling import Profiler, start, stop
from pilothouse.profiler.spans import SpanIds

__all__ = ["Profiler", "SpanIds", "start", "stop"]
