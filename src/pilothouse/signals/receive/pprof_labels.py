"""Pyroscope's application names and tags as OpenTelemetry resource attributes: one identity in all signals."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.identity import SERVICE
from pilothouse.signals.receive.pprof_reading import Sender

FAMILY = "__name__"
"""The label that says what a profile as a whole is: `process_cpu`, `memory`, `mutex`, ..."""

_MAX_LABELS, _MAX_TEXT, _MAX_NAME = 128, 4096, 8192
_NAME = re.compile(r"\s*([^{}]+?)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_TAG = re.compile(r"""\s*([^=,{}\s"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]*?))\s*(?:,|$)""")
_FAMILIES = (
    "cpu", "itimer", "wall", "samples", "alloc_objects", "alloc_space", "inuse_objects", "inuse_space", "goroutines",
    "mutex", "block", "mutex_count", "mutex_duration", "block_count", "block_duration", "exceptions", "lock_count",
    "lock_duration",
)  # fmt: skip

# Resource attributes of the OpenTelemetry semantic conventions (1.36) whose names do not follow from the
# underscored form by turning every underscore into a dot.
_EXCEPTIONS = {
    name.replace(".", "_"): name
    for name in (
        "k8s.container.restart_count", "cloud.resource_id", "cloud.availability_zone", "process.parent_pid",
        "process.command_args", "process.command_line", "os.build_id", "container.image.repo_digests",
        "container.command_args", "container.command_line", "service.instance.id", "deployment.environment.name",
    )
} | {"deployment_environment": "deployment.environment.name", "k8s_namespace": "k8s.namespace.name"}  # fmt: skip
_ROOTS = (
    "service_",
    "deployment_",
    "k8s_",
    "host_",
    "container_",
    "cloud_",
    "process_",
    "telemetry_",
    "os_",
    "faas_",
)


def attribute_name(label: str) -> str:
    """`service_version` -> `service.version`; a label outside the conventions keeps its name."""
    if label in _EXCEPTIONS:
        return _EXCEPTIONS[label]
    return label.replace("_", ".") if label.startswith(_ROOTS) else label


def sender_of(labels: Iterable[tuple[str, str]], field: str, start: int = 0, end: int = 0) -> Sender:
    """Who sent a profile with these labels.

    A label written as OpenTelemetry names it wins over the same one with underscores. What is about the profiler
    (its scope, and names with two leading underscores) is no part of the identity.
    """
    resource: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for count, (label, text) in enumerate(labels):
        if count >= _MAX_LABELS or len(label) > _MAX_TEXT or len(text) > _MAX_TEXT:
            raise BadRequestError(
                f"{field}: more than {_MAX_LABELS} labels, or one of over {_MAX_TEXT} characters", field
            )
        if not label or not text:
            continue
        name = attribute_name(label)
        about_profiler = label.startswith(("__", "otel.scope.", "otel_scope_", "pyroscope_"))
        target = attributes if about_profiler else resource
        if name == label or name not in target:
            target[name] = text
    if SERVICE not in resource:
        raise BadRequestError(f"{field}: no service_name", field)
    return Sender(resource, attributes, attributes.get(FAMILY, ""), start, end)


def parse_name(text: str, field: str = "name") -> tuple[str, list[tuple[str, str]]]:
    """The family and the labels of `shop.cpu{service_version=1.0.0,env="prod"}`."""
    found = _NAME.fullmatch(text) if len(text) <= _MAX_NAME else None
    if not found:
        raise BadRequestError(f"{field}: {text[:80]!r} is not NAME or NAME{{tag=value,...}}", field)
    application, family = found[1], ""
    head, _, last = application.rpartition(".")
    if head and last in _FAMILIES:
        application, family = head, last
    return family, [("service_name", application), *_tags(found[2] or "", field)]


def _tags(text: str, field: str) -> list[tuple[str, str]]:
    tags, place = [], 0
    while text[place:].strip(" ,"):
        found = _TAG.match(text, place)
        if not found:
            raise BadRequestError(f"{field}: expected tag=value at {text[place : place + 40]!r}", field)
        value = re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3]
        tags.append((found[1], value))
        place = found.end()
    return tags
