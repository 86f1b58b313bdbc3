"""Pyroscope's ways in, over real HTTP into a real store: what is acknowledged is there, exactly."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import textwrap
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.signals.errors import OverloadedError
from pilothouse.signals.receive.pprof_push import PushRequest
from tests.signals.profiles.building import SECOND, PprofBuilder, go_heap, python_cpu
from tests.signals.profiles.serving import House
from tests.thorough import part_of

PUSH = "/push.v1.PusherService/Push"
PROTO = {"content-type": "application/proto"}


def pushed(service: str, *bodies: bytes, **labels: str) -> Any:
    request = PushRequest()
    series = request.series.add()
    for name, value in {"__name__": "process_cpu", "service_name": service, **labels}.items():
        series.labels.add(name=name, value=value)
    for body in bodies:
        series.samples.add(raw_profile=body, ID="1b4e28ba-2fa1-11d2-883f-0016d3cca427")
    return request


def top_of(house: House, service: str, **more: Any) -> dict[str, tuple[int, int]]:
    answer = house.get("/api/profiles/top", service=service, since="3h", limit=1000, **more)
    return {row["function"]: (row["self"], row["total"]) for row in answer["functions"]}


def resource_of(house: House, service: str) -> dict[str, str]:
    rows = house.engine.query("SELECT any(attributes) AS attributes FROM resources GROUP BY identity").to_pylist()
    return next(dict(row["attributes"]) for row in rows if dict(row["attributes"])["service.name"] == service)


@pytest.mark.parametrize("prefix", ["/pyroscope", "/pyroscope/", ""])
@pytest.mark.parametrize("inner", ["plain", "gzip"])
def test_push(house: House, prefix: str, inner: str) -> None:
    service = f"push-{inner}-{len(prefix)}"
    body = python_cpu().gzipped() if inner == "gzip" else python_cpu().bytes()
    content = gzip.compress(pushed(service, body, service_version="1.2.3").SerializeToString())
    response = house.client.post(f"{prefix}{PUSH}", content=content, headers={**PROTO, "content-encoding": "gzip"})
    assert (response.status_code, response.content) == (200, b"")
    assert house.wait_for(service, "cpu")["total"] == 1_000_000_000
    assert top_of(house, service) == {
        "render": (500_000_000, 700_000_000), "parse": (300_000_000, 300_000_000),
        "escape": (200_000_000, 200_000_000), "serve": (0, 1_000_000_000), "<module>": (0, 1_000_000_000),
    }  # fmt: skip
    assert resource_of(house, service) == {"service.name": service, "service.version": "1.2.3"}


def test_push_in_json(house: House) -> None:
    raw = base64.b64encode(python_cpu().gzipped()).decode()
    labels = [{"name": "service_name", "value": "push-json"}]
    content = {"series": [{"labels": labels, "samples": [{"rawProfile": raw, "ID": "x"}]}], "unknown": 1}
    response = house.client.post(f"/pyroscope{PUSH}", json=content)
    assert (response.status_code, response.json()) == (200, {})
    assert house.wait_for("push-json", "cpu")["total"] == 1_000_000_000


def test_all_types_of_a_heap_profile(house: House) -> None:
    house.client.post(PUSH, content=pushed("heap", go_heap().bytes()).SerializeToString(), headers=PROTO)
    house.wait_for("heap", "inuse_space")
    found = {
        row["type"]: (row["total"], row["unit"]) for row in house.get("/api/profiles/types", service="heap")["types"]
    }
    assert found == {
        "alloc_objects": (13, "1"), "alloc_space": (3_004_096, "By"), "inuse_objects": (5, "1"),
        "inuse_space": (3_001_024, "By"),
    }  # fmt: skip
    for kind, (total, _) in found.items():
        assert house.get("/api/profiles/flame", service="heap", type=kind)["root"]["value"] == total
    assert top_of(house, "heap", type="inuse_space")["main.cache"] == (3_000_000, 3_000_000)


def test_the_same_stacks_are_stored_once(house: House) -> None:
    body = python_cpu().bytes()
    for pod in ("a", "b"):
        content = pushed("once", body, k8s_pod_name=pod).SerializeToString()
        house.client.post(PUSH, content=content, headers=PROTO)
    house.wait_for("once", "cpu", 2)
    rows = house.engine.query(
        "SELECT count() AS c FROM profile_stacks WHERE has(functions, 'escape') AND service = 'once'"
    ).to_pylist()
    assert rows[0]["c"] == 1


INGEST = {"name": "shop.cpu{service_version=2.0.0,env=prod}", "spyName": "gospy", "sampleRate": "100"}


def ingest(house: House, content: bytes | str, headers: dict[str, str] | None = None, **query: str) -> Any:
    return house.client.post("/pyroscope/ingest", params={**INGEST, **query}, content=content, headers=headers)


def test_ingest_folded(house: House) -> None:
    now = int(time.time())
    response = ingest(
        house, "main;serve;parse 3\nmain;serve;render (web.py:12) 2\n\nmain;serve;parse 1\n",
        name="folded.cpu{version=7}", **{"from": str(now - 10), "until": str(now)},
    )  # fmt: skip
    assert response.status_code == 200, response.text
    row = house.wait_for("folded", "cpu")
    assert (row["total"], row["unit"], row["seconds"]) == (60_000_000, "ns", 10.0)
    assert top_of(house, "folded") == {
        "parse": (40_000_000, 40_000_000), "render": (20_000_000, 20_000_000),
        "serve": (0, 60_000_000), "main": (0, 60_000_000),
    }  # fmt: skip
    assert resource_of(house, "folded") == {"service.name": "folded", "version": "7"}


def test_an_end_without_a_beginning_is_no_duration(house: House) -> None:
    assert ingest(house, "a 1", name="ends.cpu", until=str(int(time.time()))).is_success
    assert house.wait_for("ends", "cpu")["seconds"] == 0


def test_ingest_lines_and_units(house: House) -> None:
    assert ingest(house, "a;b\na;b\na;c\n", name="lines.alloc_objects", format="lines", units="objects").is_success
    assert house.wait_for("lines", "alloc_objects")["total"] == 3


def test_ingest_pprof(house: House) -> None:
    response = ingest(house, python_cpu().gzipped(), name="plain", format="pprof")
    assert response.status_code == 200, response.text
    assert house.wait_for("plain", "cpu")["total"] == 1_000_000_000


def test_ingest_form_with_the_profile_before(house: House) -> None:
    """What only ever grows is what was spent since the profile before; what is in use stands."""
    before, after = go_heap(), go_heap()
    after.message.sample[0].value[:] = [15, 5000, 1, 900]
    files = {
        "profile": ("profile.pprof", after.gzipped()),
        "prev_profile": ("prev.pprof", before.gzipped()),
        "sample_type_config": ("config.json", json.dumps({"alloc_space": {"units": "bytes", "cumulative": True}})),
    }
    response = house.client.post("/pyroscope/ingest", params={"name": "form", "format": "pprof"}, files=files)
    assert response.status_code == 200, response.text
    house.wait_for("form", "inuse_space")
    types = {row["type"]: row["total"] for row in house.get("/api/profiles/types", service="form")["types"]}
    assert types == {"alloc_objects": 18, "alloc_space": 904, "inuse_objects": 4, "inuse_space": 3_000_900}


def test_tags_become_resource_attributes(house: House) -> None:
    tags = "service_version=1,service_instance_id=i-1,deployment_environment_name=prod,k8s_pod_name=p,k8s_namespace_name=n,host_name=h,region=eu,__session_id__=5"  # noqa: E501
    assert ingest(house, "f 1", name=f"tagged.cpu{{{tags}}}").is_success
    house.wait_for("tagged", "cpu")
    assert resource_of(house, "tagged") == {
        "service.name": "tagged", "service.version": "1", "service.instance.id": "i-1",
        "deployment.environment.name": "prod", "k8s.pod.name": "p", "k8s.namespace.name": "n", "host.name": "h",
        "region": "eu",
    }  # fmt: skip


def test_a_dotted_label_wins(house: House) -> None:
    request = pushed("wrong", python_cpu().bytes(), **{"service.name": "right"})
    assert house.client.post(PUSH, content=request.SerializeToString(), headers=PROTO).is_success
    house.wait_for("right", "cpu")


BAD_INGEST: list[tuple[dict[str, str], bytes, str]] = [
    ({"name": ""}, b"a 1", "name"),
    ({"name": "{a=b}"}, b"a 1", "name"),
    ({"name": "x{a=b"}, b"a 1", "name"),
    ({"name": "x{a}"}, b"a 1", "name"),
    ({"from": "yesterday"}, b"a 1", "from"),
    ({"from": "20", "until": "10"}, b"a 1", "until"),
    ({"from": "10"}, b"a 1", "from"),
    ({"sampleRate": "0"}, b"a 1", "sampleRate"),
    ({"sampleRate": "x"}, b"a 1", "sampleRate"),
    ({"format": "jfr"}, b"FLR", "format"),
    ({"format": "nonsense"}, b"a", "format"),
    ({"format": "pprof"}, b"\xff\xff", "body"),
    ({}, b"a;b", "body: line 1"),
    ({}, b"a;b 1\nc -2", "body: line 2"),
    ({}, b"a;b 99999999999999999999", "body: line 1"),
    ({}, b"a;\xff 1", "body: not UTF-8 at byte 2"),
    ({}, python_cpu().gzipped()[:40], "gzip"),
]


# Named by what is said: a gzip header has a time in it, and names must not change from run to run.
@pytest.mark.parametrize(("query", "body", "said"), BAD_INGEST, ids=[said for _, _, said in BAD_INGEST])
def test_bad_ingest(house: House, query: dict[str, str], body: bytes, said: str) -> None:
    response = ingest(house, body, **query)
    assert response.status_code == 400, response.text
    assert said in response.json()["message"]
    assert response.json()["error"]["code"] == "bad_request"


@pytest.mark.parametrize(
    ("content_type", "body", "said"),
    [
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n", "no end"),
        ("multipart/form-data; boundary=x", b"--x\r\nnothing\r\n--x--", "no header"),
        ("multipart/form-data; boundary=x", b"--x\r\nA: b\r\n\r\nc\r\n--x--", "no name"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\nc\r\n--x--',
            "profile: the form",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="profile"\r\n\r\n\xff\r\n--x\r\n'
            b'Content-Disposition: form-data; name="sample_type_config"\r\n\r\n[1]\r\n--x--',
            "sample_type_config",
        ),
    ],
)
def test_bad_forms(house: House, content_type: str, body: bytes, said: str) -> None:
    response = ingest(house, body, {"content-type": content_type})
    assert response.status_code == 400
    assert said in response.json()["message"]


def test_bad_pushes(house: House) -> None:
    broken = python_cpu()
    broken.message.location[0].id = 0
    nobody = PushRequest()
    nobody.series.add().samples.add(raw_profile=python_cpu().bytes())
    for content, media, status, said in (
        (b"\xff\xff", "application/proto", 400, "PushRequest"),
        (b"{", "application/json", 400, "PushRequest"),
        (b'{"series":[{"samples":[{"rawProfile":5}]}]}', "application/json", 400, "PushRequest"),
        (b"", "text/plain", 415, "content-type"),
        (nobody.SerializeToString(), "application/proto", 400, "series[0].labels: no service_name"),
        (
            pushed("bad", python_cpu().bytes(), broken.bytes()).SerializeToString(), "application/proto", 400,
            "series[0].samples[1].raw_profile: location[0].id: zero",
        ),
        (b"\0" * 16_000_001, "application/proto", 400, "larger than"),
    ):  # fmt: skip
        response = house.client.post(PUSH, content=content, headers={"content-type": media})
        assert response.status_code == status, response.text
        assert said in response.json()["message"]


def test_many_profiles_share_one_limit(house: House) -> None:
    """Ten small bodies that unpack to 40 MB are refused like one."""
    bomb = gzip.compress(python_cpu().bytes() + b"\x50\x01" * 2_000_000)
    response = house.client.post(PUSH, content=pushed("bomb", *[bomb] * 10).SerializeToString(), headers=PROTO)
    assert response.status_code == 400
    assert "samples[7].raw_profile: more than" in response.json()["message"]


def test_a_refused_call_stores_nothing(house: House) -> None:
    broken = python_cpu()
    broken.message.function[0].id = 0
    content = pushed("half", python_cpu().bytes(), broken.bytes()).SerializeToString()
    assert house.client.post(PUSH, content=content, headers=PROTO).status_code == 400
    time.sleep(0.2)
    assert house.get("/api/profiles/types", service="half")["types"] == []


def test_an_empty_push_is_fine(house: House) -> None:
    assert house.client.post(PUSH, content=b"", headers=PROTO).status_code == 200
    content = pushed("empty", PprofBuilder().bytes()).SerializeToString()
    assert house.client.post(PUSH, content=content, headers=PROTO).status_code == 200


def test_too_much_is_503(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OverloadedError("the journal is full", retry_after=5)

    monkeypatch.setattr(house.intake, "accept", refuse)
    content = pushed("full", python_cpu().bytes()).SerializeToString()
    response = house.client.post(PUSH, content=content, headers=PROTO)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert response.json()["code"] == "unavailable"


@given(body=st.binary(max_size=200), media=st.sampled_from(["application/proto", "application/json"]))
@settings(max_examples=part_of(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fuzzed_pushes_are_no_500(house: House, body: bytes, media: str) -> None:
    assert house.client.post(PUSH, content=body, headers={"content-type": media}).status_code in (200, 400)


@given(
    body=st.binary(max_size=200),
    query=st.dictionaries(
        st.sampled_from(["name", "from", "until", "format", "sampleRate", "units"]), st.text(max_size=20)
    ),
    form=st.booleans(),
)
@settings(max_examples=part_of(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fuzzed_ingests_are_no_500(house: House, body: bytes, query: dict[str, str], form: bool) -> None:
    media = "multipart/form-data; boundary=x" if form else "application/octet-stream"
    response = house.client.post("/ingest", params=query, content=body, headers={"content-type": media})
    assert response.status_code in (200, 400)


AGENT = """
    import sys, time, pyroscope
    pyroscope.configure(application_name="agent", server_address=sys.argv[1], sample_rate=100, oncpu=False,
                        gil_only=False, tags={"service_version": "3.1.4"}, upload_interval=1)
    def burn_many_cycles(until):
        while time.time() < until:
            sum(range(1000))
    with pyroscope.tag_wrapper({"span_id": "00f067aa0ba902b7"}):
        burn_many_cycles(time.time() + 2.5)
    pyroscope.shutdown()
"""


def test_the_real_agent(house: House) -> None:
    code = textwrap.dedent(AGENT)
    subprocess.run([sys.executable, "-c", code, f"{house.address}/pyroscope"], check=True, timeout=120)
    house.wait_for("agent", "cpu", 2)
    deadline = time.monotonic() + 60
    while True:
        found = top_of(house, "agent", selector='service_version="3.1.4"')
        burnt = found["burn_many_cycles"]
        labelled = top_of(house, "agent", labels='span_id="00f067aa0ba902b7"')
        # The last one was acknowledged before the agent ended; it may be stored between two questions.
        if labelled["burn_many_cycles"] == burnt or time.monotonic() > deadline:
            break
    assert burnt[1] > 0.2 * SECOND
    assert found["<module>"][1] >= burnt[1]
    assert labelled["burn_many_cycles"] == burnt
    assert top_of(house, "agent", labels='span_id="none"') == {}
