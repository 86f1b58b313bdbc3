"""How OpenTelemetry metrics are called in Prometheus.

The rules of "OTLP Metric points to Prometheus" (OpenTelemetry specification, compatibility/prometheus_and_openmetrics)
as Prometheus' own OTLP receiver applies them with `translation_strategy: UnderscoreEscapingWithSuffixes`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from pilothouse.signals.identity import INSTANCE, NAMESPACE, SERVICE

_UNITS = {
    "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds",
    "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes",
    "TiBy": "tibibytes", "KBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes",
    "m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius",
    "Hz": "hertz", "1": "", "%": "percent",
}  # fmt: skip
_PER = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
_NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9:]+")
_NOT_IN_LABEL = re.compile(r"[^a-zA-Z0-9_]")


@lru_cache(maxsize=65536)
def metric_name(name: str, unit: str = "", is_counter: bool = False, is_gauge: bool = False) -> str:
    """The Prometheus name of a metric, with the suffixes of its unit and type."""
    tokens = [token for token in _NOT_IN_NAME.split(name) if token]
    main, _, per = unit.partition("/")
    for token in _unit_tokens(main.strip(), per.strip()):
        if token not in tokens:
            tokens.append(token)
    if is_counter:
        tokens = _last(tokens, "total")
    if unit == "1" and is_gauge:
        tokens = _last(tokens, "ratio")
    joined = "_".join(tokens)
    return f"_{joined}" if joined[:1].isdigit() else joined


def _last(tokens: list[str], suffix: str) -> list[str]:
    return [*(word for word in tokens if word != suffix), suffix]


def _unit_tokens(main: str, per: str) -> list[str]:
    tokens = []
    if main and not any(brace in main for brace in "{}"):
        tokens += [token for token in _NOT_IN_NAME.split(_UNITS.get(main, main)) if token]
    if per and not any(brace in per for brace in "{}"):
        tokens += ["per", *(token for token in _NOT_IN_NAME.split(_PER.get(per, per)) if token)]
    return tokens


@lru_cache(maxsize=65536)
def label_name(attribute: str) -> str:
    """The Prometheus label of an attribute."""
    label = _NOT_IN_LABEL.sub("_", attribute)
    return f"key_{label}" if label[:1].isdigit() else label


def target_labels(resource: Mapping[str, str]) -> dict[str, str]:
    """`job` and `instance` of a resource; those that are not known are left out."""
    labels = {}
    if service := resource.get(SERVICE, ""):
        namespace = resource.get(NAMESPACE, "")
        labels["job"] = f"{namespace}/{service}" if namespace else service
    if instance := resource.get(INSTANCE, ""):
        labels["instance"] = instance
    return labels


def attribute_labels(attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes as labels; those that become the same label are joined with semicolons, in the order of their keys."""
    labels: dict[str, str] = {}
    for key in sorted(attributes):
        label = label_name(key)
        labels[label] = f"{labels[label]};{attributes[key]}" if label in labels else attributes[key]
    return labels
