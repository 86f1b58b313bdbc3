"""Objects in Kubernetes' protobuf, as far as Helm sends them: a Namespace, and Secrets with its releases.

https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding; the numbers of the fields are those of
`k8s.io/api/core/v1/generated.proto` and `k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

_MAGIC = b"k8s\x00"
_TYPE, _RAW = 1, 2
_META = {1: "name", 2: "generateName", 3: "namespace", 6: "resourceVersion"}
_META_MAPS = {11: "labels", 12: "annotations"}
_DATA, _SECRET_TYPE = 2, 3


def decoded(data: bytes) -> dict[str, Any] | None:
    """The object; None for a kind that nobody has sent yet."""
    whole = dict(_fields(data.removeprefix(_MAGIC)))
    about = {number: text.decode() for number, text in _fields(whole[_TYPE])}
    version, kind = about[1], about[2]
    if (version, kind) not in (("v1", "Secret"), ("v1", "Namespace")):
        return None
    content: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {}}
    for number, value in _fields(whole.get(_RAW, b"")):
        if number == 1:
            content["metadata"] = _metadata(value)
        elif kind == "Secret" and number == _DATA:
            name, secret = _pair(value)
            content.setdefault("data", {})[name] = base64.b64encode(secret).decode()
        elif kind == "Secret" and number == _SECRET_TYPE:
            content["type"] = value.decode()
    return content


def _metadata(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, value in _fields(data):
        if number in _META and value:
            found[_META[number]] = value.decode()
        elif number in _META_MAPS:
            name, text = _pair(value)
            found.setdefault(_META_MAPS[number], {})[name] = text.decode()
    return found


def _pair(data: bytes) -> tuple[str, bytes]:
    fields = dict(_fields(data))
    return fields.get(1, b"").decode(), fields.get(2, b"")


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each field that has bytes; numbers are passed over."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        if key & 7 == 2:
            size, place = _varint(data, place)
            yield key >> 3, data[place : place + size]
            place += size
        elif key & 7 == 0:
            _, place = _varint(data, place)
        else:
            place += 8 if key & 7 == 1 else 4


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[place] & 0x7F) << shift
        shift += 7
        place += 1
        if data[place - 1] < 0x80:
            return value, place
