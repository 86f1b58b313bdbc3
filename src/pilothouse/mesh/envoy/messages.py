"""Envoy's messages, as far as we use them, from a table of their fields (`api.json`; envoyproxy/data-plane-api, v3).

The package that has all of them also brings older copies of OpenTelemetry's and Google's, over those of their own
packages. What is here are 60 messages with the fields that we set: number and type of each.
"""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from importlib import resources
from typing import Any

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    json_format,
    message_factory,
    wrappers_pb2,
)
from google.rpc import status_pb2

_DISCOVERY = "envoy.service.discovery.v3"
_SCALARS = {"bool": 8, "string": 9, "uint32": 13}
_MESSAGE, _ENUM, _ONE, _MANY = 11, 14, 1, 3
_GOOGLE = (any_pb2, duration_pb2, wrappers_pb2, status_pb2)


def packed(content: dict[str, Any]) -> Any:
    """A resource, whose `@type` says what it is, as google.protobuf.Any; raises `json_format.ParseError`."""
    found: Any = message_factory.GetMessageClass(_pool().FindMessageTypeByName("google.protobuf.Any"))()
    json_format.ParseDict(content, found, descriptor_pool=_pool())
    return found


@cache
def discovery(name: str) -> Any:
    """The class of a message of the discovery service, such as `DiscoveryRequest`."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{_DISCOVERY}.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    """All messages in one file a package; the files know all of Google's and each other, in one order that works."""
    table = json.loads(resources.files("pilothouse.mesh.envoy").joinpath("api.json").read_text())
    pool = descriptor_pool.DescriptorPool()
    for module in _GOOGLE:
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    files: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    needs: dict[str, set[str]] = defaultdict(set)
    for name, members in sorted(table.items()):
        plain = name.removeprefix("enum ")
        package, nesting = _package(plain)
        file = files.setdefault(
            package, descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
        )
        if plain != name:
            _add_enum(file, nesting, members)
        else:
            needs[package] |= _add_message(_nested(file, nesting), members, plain)
    for package, file in files.items():
        file.dependency.extend(module.DESCRIPTOR.name for module in _GOOGLE)
        file.dependency.extend(f"{other}.proto" for other in sorted(needs[package] - {package}))
    for package in _in_order(needs, set(files)):
        pool.AddSerializedFile(files[package].SerializeToString())
    return pool


def _in_order(needs: dict[str, set[str]], left: set[str]) -> list[str]:
    order: list[str] = []
    while left:
        ready = sorted(package for package in left if not (needs[package] - {package}) & left)
        order += ready
        left = left - set(ready)
    return order


def _package(name: str) -> tuple[str, list[str]]:
    """`envoy.config.rbac.v3.RBAC.Action` is `RBAC`, `Action` in `envoy.config.rbac.v3`."""
    parts = name.split(".")
    first = next(place for place, part in enumerate(parts) if part[:1].isupper())
    return ".".join(parts[:first]), parts[first:]


def _nested(file: descriptor_pb2.FileDescriptorProto, names: list[str]) -> descriptor_pb2.DescriptorProto:
    """The message of that name, made with those around it when they are not there."""
    among: Any = file.message_type
    found = descriptor_pb2.DescriptorProto()
    for name in names:
        found = next((message for message in among if message.name == name), None) or among.add(name=name)
        among = found.nested_type
    return found


def _add_enum(file: descriptor_pb2.FileDescriptorProto, names: list[str], values: dict[str, int]) -> None:
    among = _nested(file, names[:-1]).enum_type if names[1:] else file.enum_type
    enum = among.add(name=names[-1])
    for name, number in sorted(values.items(), key=lambda pair: pair[1]):
        enum.value.add(name=name, number=number)


def _add_message(message: descriptor_pb2.DescriptorProto, members: dict[str, list[Any]], full_name: str) -> set[str]:
    """Add the fields; returns the packages that they need."""
    needs = set()
    for name, (number, type_) in members.items():
        label, _, plain = type_.rpartition(" ")
        if plain[:1].islower() and "." in plain and not plain.startswith("google."):
            needs.add(_package(plain)[0])
        if label == "map":
            entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, label=_ONE, type=9)
            _add_field(entry, "value", 2, _ONE, plain, enum=False)
            _add_field(message, name, number, _MANY, f"{full_name}.{entry.name}", enum=False)
        else:
            _add_field(message, name, number, _MANY if "repeated" in label else _ONE, plain, "enum" in label)
    return needs


def _add_field(
    message: descriptor_pb2.DescriptorProto, name: str, number: int, label: int, type_: str, enum: bool
) -> None:
    if type_ in _SCALARS:
        message.field.add(name=name, number=number, label=label, type=_SCALARS[type_])
    else:
        kind = _ENUM if enum else _MESSAGE
        message.field.add(name=name, number=number, label=label, type=kind, type_name=f".{type_}")
