"""Sets up the stock OpenTelemetry SDK and the profiler of one service, from the environment.

Everything a user would set is read by the SDK itself: `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_PROTOCOL` (`grpc` or `http/protobuf`), the intervals.
The profiler is tagged with the resource's attributes, so that all four signals name the same speaker.
"""

import logging
import os
import platform

import pyroscope
from opentelemetry import _logs, metrics, trace
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from pilothouse.demo.shop.process_metrics import observe_process

PROFILE_SECONDS = 2
"""How often the profiler uploads: `pyroscope-io` takes whole seconds, and 0 means at every sample."""


class Telemetry:
    """The providers of one service, set as the process's global ones."""

    def __init__(self, profiler: str) -> None:
        self.resource = Resource.create(_runtime())
        spans, readings, records = _exporters(os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"))
        self._traces = TracerProvider(resource=self.resource)
        self._traces.add_span_processor(BatchSpanProcessor(spans))
        self._metrics = MeterProvider([PeriodicExportingMetricReader(readings)], resource=self.resource)
        self._logs = LoggerProvider(resource=self.resource)
        self._logs.add_log_record_processor(BatchLogRecordProcessor(records))
        trace.set_tracer_provider(self._traces)
        metrics.set_meter_provider(self._metrics)
        _logs.set_logger_provider(self._logs)
        observe_process(metrics.get_meter("shop.process"))
        _log_to(self._logs)
        self._profiling = bool(profiler) and _profile(profiler, self.resource)

    @property
    def version(self) -> str:
        """The service's `service.version`, "" when none is set."""
        return str(self.resource.attributes.get("service.version", ""))

    def shutdown(self) -> None:
        """Sends what is left of every signal."""
        if self._profiling:
            pyroscope.shutdown()
        self._traces.shutdown()
        self._logs.shutdown()
        self._metrics.shutdown()


def _runtime() -> dict[str, str]:
    return {
        "process.runtime.name": platform.python_implementation().lower(),
        "process.runtime.version": platform.python_version(),
    }


def _exporters(protocol: str) -> tuple[SpanExporter, MetricExporter, LogRecordExporter]:
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as logs
        from opentelemetry.exporter.otlp.proto.grpc import metric_exporter, trace_exporter

        return trace_exporter.OTLPSpanExporter(), metric_exporter.OTLPMetricExporter(), logs.OTLPLogExporter()
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(), OTLPMetricExporter(), OTLPLogExporter()


def _log_to(provider: LoggerProvider) -> None:
    console = logging.StreamHandler()
    console.setLevel(logging.WARNING)
    console.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.handlers = [console, LoggingHandler(logger_provider=provider)]
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _profile(address: str, resource: Resource) -> bool:
    started: bool = pyroscope.configure(
        application_name=str(resource.attributes["service.name"]),
        server_address=address,
        upload_interval=PROFILE_SECONDS,
        tags={name: str(value) for name, value in resource.attributes.items()},
    )
    if not started:
        logging.getLogger("shop.profiler").warning("the profiler cannot read this process; there are no profiles")
    return started
