"""Loki's PushRequest as the door reads and writes it: the same text from which the engine reads it."""

from __future__ import annotations

from pilothouse.signals.logs.loki_storing import PROTO
from pilothouse.signals.metrics.protobuf import message_classes

Push = message_classes("pilothouse.loki", PROTO)["Push"]
