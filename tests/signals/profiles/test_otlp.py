"""OTLP profiles over HTTP."""

from __future__ import annotations

import base64
import gzip
import time
from collections.abc import Callable
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import ExportProfilesServiceRequest

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.receive.pprof_limits import ProfileLimits
from pilothouse.signals.receive.pprof_otlp import read_otlp
from tests.running import RunningServer
from tests.signals.profiles.building import SECOND
from tests.signals.profiles.serving import House
from tests.signals.profiles.test_pyroscope import top_of
from tests.thorough import part_of

PATH = "/otlp/v1development/profiles"
PROTOBUF = {"content-type": "application/x-protobuf"}
TRACE, SPAN = bytes.fromhex("5b8aa5a2d2c872e8321cf37308d69df2"), bytes.fromhex("00f067aa0ba902b7")


def request_of(service: str) -> Any:
    """Two stacks; parse is inlined into serve; one location without a function."""
    request = ExportProfilesServiceRequest()
    tables, strings = request.dictionary, [""]

    def text(said: str) -> int:
        if said not in strings:
            strings.append(said)
        return strings.index(said)

    for table in ("mapping", "location", "function", "link", "attribute", "stack"):
        getattr(tables, f"{table}_table").add()
    tables.mapping_table.add(memory_start=0x1000, file_offset=0x100, filename_strindex=text("/lib/libz.so"))
    for name in ("main", "serve", "parse"):
        tables.function_table.add(name_strindex=text(name), filename_strindex=text("/app/m.py"))
    tables.location_table.add().lines.add(function_index=1, line=1)
    both = tables.location_table.add()
    both.lines.add(function_index=3, line=30)
    both.lines.add(function_index=2, line=20)
    tables.location_table.add(mapping_index=1, address=0x1234)
    tables.stack_table.add(location_indices=[2, 1])
    tables.stack_table.add(location_indices=[3, 1])
    tables.link_table.add(trace_id=TRACE, span_id=SPAN)
    thread = tables.attribute_table.add(key_strindex=text("thread.id"))
    thread.value.int_value = 7
    found = request.resource_profiles.add()
    for key, said in (("service.name", service), ("service.version", "4")):
        found.resource.attributes.add(key=key).value.string_value = said
    # A sender may put the texts of a resource into the dictionary as well.
    pod = found.resource.attributes.add(key_strindex=text("k8s.pod.name"))
    pod.value.string_value_strindex = text("shop-1")
    found.resource.attributes.add(key="process.pid").value.int_value = 12
    scope = found.scope_profiles.add()
    scope.scope.name = "profiler"
    profile = scope.profiles.add(time_unix_nano=time.time_ns() - 30 * SECOND, duration_nano=10 * SECOND, period=1000)
    profile.sample_type.type_strindex, profile.sample_type.unit_strindex = text("cpu"), text("nanoseconds")
    profile.samples.add(stack_index=1, values=[5, 6], timestamps_unix_nano=[1, 2], link_index=1, attribute_indices=[1])
    profile.samples.add(stack_index=2, values=[20])
    profile.samples.add(stack_index=0, timestamps_unix_nano=[1, 2, 3])
    tables.string_table.extend(strings)
    return request


@pytest.mark.parametrize("path", [PATH, "/v1development/profiles"])
def test_protobuf(house: House, path: str) -> None:
    service = f"otlp{len(path)}"
    content = gzip.compress(request_of(service).SerializeToString())
    response = house.client.post(path, content=content, headers={**PROTOBUF, "content-encoding": "gzip"})
    assert (response.status_code, response.content) == (200, b"")
    row = house.wait_for(service, "cpu")
    assert (row["total"], row["unit"], row["seconds"]) == (34, "ns", 10)
    assert top_of(house, service) == {"libz.so+0x334": (20, 20), "parse": (11, 11), "main": (0, 31), "serve": (0, 11)}
    assert top_of(house, service, labels=f'span_id="{SPAN.hex()}",thread_id="7"')["parse"] == (11, 11)
    assert top_of(house, service, selector='process_pid="12",k8s_pod_name="shop-1"')["main"] == (0, 31)


def test_otlps_own_ports(server: RunningServer) -> None:
    answer = httpx.post(
        f"{server.otlp}/v1development/profiles", content=request_of("own-http").SerializeToString(), headers=PROTOBUF
    )
    assert (answer.status_code, answer.content) == (200, b"")
    method = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
    with grpc.insecure_channel(server.grpc) as channel:
        export = channel.unary_unary(method)
        assert export(request_of("own-grpc").SerializeToString()) == b""
        with pytest.raises(grpc.RpcError) as refused:
            export(b"not a profile")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "ExportProfilesServiceRequest" in refused.value.details()
    for service in ("own-http", "own-grpc"):
        server.wait_for("/api/profiles/top", "functions", 1, selector=f'service_name="{service}"')


def test_json(house: House) -> None:
    content = json_format.MessageToDict(request_of("otlp-json"))
    link = content["dictionary"]["linkTable"][1]
    for name in ("traceId", "spanId"):
        link[name] = base64.b64decode(link[name]).hex()
    response = house.client.post(PATH, json=content)
    assert (response.status_code, response.json()) == (200, {})
    house.wait_for("otlp-json", "cpu")
    assert top_of(house, "otlp-json", labels=f'trace_id="{TRACE.hex()}"')["parse"] == (11, 11)


def profile_in(request: Any) -> Any:
    return request.resource_profiles[0].scope_profiles[0].profiles[0]


BAD: dict[str, tuple[Callable[[Any], Any], str]] = {
    "stack": (lambda r: setattr(profile_in(r).samples[0], "stack_index", 9), "samples[0].stack_index: 9 of 3"),
    "negative stack": (lambda r: setattr(profile_in(r).samples[0], "stack_index", -1), "samples[0].stack_index"),
    "location": (lambda r: r.dictionary.stack_table[1].location_indices.append(99), "stack_table[1].location_indices"),
    "function": (lambda r: setattr(r.dictionary.location_table[1].lines[0], "function_index", 9), "location_table[1]"),
    "mapping": (
        lambda r: setattr(r.dictionary.location_table[1], "mapping_index", 9),
        "location_table[1].mapping_index",
    ),
    "string": (lambda r: setattr(r.dictionary.function_table[1], "name_strindex", 99), "name_strindex"),
    "resource": (
        lambda r: r.resource_profiles[0].resource.attributes.add(key_strindex=99),
        "attributes[4].key_strindex: 99 of",
    ),
    "link": (lambda r: setattr(profile_in(r).samples[0], "link_index", 9), "samples[0].link_index"),
    "attribute": (lambda r: profile_in(r).samples[0].attribute_indices.append(9), "samples[0].attribute_indices"),
    "type": (lambda r: setattr(profile_in(r).sample_type, "type_strindex", 0), "sample_type"),
    "line": (lambda r: setattr(r.dictionary.location_table[1].lines[0], "line", -1), "location_table[1].lines[0].line"),
    "negative": (lambda r: profile_in(r).samples[1].values.append(-1), "samples[1].values: negative"),
    "shapes": (lambda r: profile_in(r).samples[0].values.append(1), "3 values for 2 timestamps"),
    "time": (lambda r: setattr(profile_in(r), "time_unix_nano", 0), "time_unix_nano"),
    "too much": (lambda r: profile_in(r).samples[1].values.extend([2**62, 2**62]), "64 bits"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_profiles_are_named(house: House, name: str) -> None:
    change, said = BAD[name]
    request = request_of("bad")
    change(request)
    response = house.client.post(PATH, content=request.SerializeToString(), headers=PROTOBUF)
    assert response.status_code == 400, response.text
    assert said in response.json()["message"]


def test_bad_bodies(house: House) -> None:
    for content, media, status in (
        (b"\xff\xff", "application/x-protobuf", 400), (b"[]", "application/json", 400),
        (b'{"dictionary":{"linkTable":[{"traceId":"zz"}]}}', "application/json", 400), (b"", "text/plain", 415),
    ):  # fmt: skip
        assert house.client.post(PATH, content=content, headers={"content-type": media}).status_code == status


@given(st.data())
@settings(max_examples=part_of(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_requests_are_refused_in_words(data: st.DataObject) -> None:
    body = bytearray(request_of("damaged").SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        profiles = read_otlp(bytes(body), False, ProfileLimits())
    except BadRequestError:
        return
    assert all((profile.values >= 0).all() for profile in profiles)
