"""Rate, errors and duration of each service's operations, counted from all spans and written as metrics.

The engine counts spans as it stores them (`span_calls`, migration 20); a thread adds the counts up and sends them
through the door as OTLP metrics every 15 seconds, under the names of Tempo's metrics generator and of the OpenTelemetry
collector's span metrics connector. An exemplar of each bucket leads back to a trace. The metrics speak for the resource
that the spans speak for, so that they can be told apart by version, and be compared.
"""

from pilothouse.signals.spanmetrics.running import SpanMetrics

__all__ = ["SpanMetrics"]
