"""The messages of the OpenCensus agent protocol (opencensus-proto 0.1), as far as they are read.

On the wire a map is a repeated message of key and value, and a wrapped number a message of one field. The value of an
attribute is left as bytes: which of its members is set shows in the first of them.
"""

from __future__ import annotations

from pilothouse.signals.profiles.messages import message_classes

_SHARED = """
message Time { int64 seconds = 1; int32 nanos = 2; }
message Label { string key = 1; string value = 2; }
message Resource { string type = 1; repeated Label labels = 2; }
message ProcessIdentifier { string host_name = 1; uint32 pid = 2; }
message LibraryInfo { int32 language = 1; string exporter_version = 2; string core_library_version = 3; }
message ServiceInfo { string name = 1; }
message Node { ProcessIdentifier identifier = 1; LibraryInfo library_info = 2; ServiceInfo service_info = 3;
  repeated Label attributes = 4; }
"""
_TRACES = """
message Text { string value = 1; }
message AttributeValue { Text string_value = 1; int64 int_value = 2; bool bool_value = 3; double double_value = 4; }
message Attribute { string key = 1; bytes value = 2; }
message Attributes { repeated Attribute attribute_map = 1; int32 dropped_attributes_count = 2; }
message Tracestate { repeated Label entries = 1; }
message Annotation { Text description = 1; Attributes attributes = 2; }
message MessageEvent { int32 type = 1; uint64 id = 2; uint64 uncompressed_size = 3; uint64 compressed_size = 4; }
message TimeEvent { Time time = 1; Annotation annotation = 2; MessageEvent message_event = 3; }
message TimeEvents { repeated TimeEvent time_event = 1; int32 dropped_annotations_count = 2;
  int32 dropped_message_events_count = 3; }
message Link { bytes trace_id = 1; bytes span_id = 2; int32 type = 3; Attributes attributes = 4; }
message Links { repeated Link link = 1; int32 dropped_links_count = 2; }
message Status { int32 code = 1; string message = 2; }
message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 3; Text name = 4; Time start_time = 5;
  Time end_time = 6; Attributes attributes = 7; TimeEvents time_events = 9; Links links = 10; Status status = 11;
  int32 kind = 14; Tracestate tracestate = 15; Resource resource = 16; }
message ExportTraceServiceRequest { Node node = 1; repeated Span spans = 2; Resource resource = 3; }
"""
_METRICS = """
message LabelKey { string key = 1; }
message LabelValue { string value = 1; bool has_value = 2; }
message MetricDescriptor { string name = 1; string description = 2; string unit = 3; int32 type = 4;
  repeated LabelKey label_keys = 5; }
message Explicit { repeated double bounds = 1; }
message BucketOptions { Explicit explicit = 1; }
message Exemplar { double value = 1; Time timestamp = 2; repeated Label attachments = 3; }
message Bucket { int64 count = 1; Exemplar exemplar = 2; }
message DistributionValue { int64 count = 1; double sum = 2; BucketOptions bucket_options = 4;
  repeated Bucket buckets = 5; }
message Int64Value { int64 value = 1; }
message DoubleValue { double value = 1; }
message ValueAtPercentile { double percentile = 1; double value = 2; }
message Snapshot { Int64Value count = 1; DoubleValue sum = 2; repeated ValueAtPercentile percentile_values = 3; }
message SummaryValue { Int64Value count = 1; DoubleValue sum = 2; Snapshot snapshot = 3; }
message Point { Time timestamp = 1; int64 int64_value = 2; double double_value = 3;
  DistributionValue distribution_value = 4; SummaryValue summary_value = 5; }
message TimeSeries { Time start_timestamp = 1; repeated LabelValue label_values = 2; repeated Point points = 3; }
message Metric { MetricDescriptor metric_descriptor = 1; repeated TimeSeries timeseries = 2; Resource resource = 3; }
message ExportMetricsServiceRequest { Node node = 1; repeated Metric metrics = 2; Resource resource = 3; }
"""
TRACES = message_classes("pilothouse.opencensus.traces", _SHARED + _TRACES)
METRICS = message_classes("pilothouse.opencensus.metrics", _SHARED + _METRICS)
