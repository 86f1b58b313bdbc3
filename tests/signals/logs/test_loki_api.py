"""Loki's API over a real server: what is pushed in each form is what is asked back."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from typing import Any
from urllib.parse import quote

import cramjam
import httpx
import pytest

from pilothouse.signals.receive.loki_messages import Push
from tests.running import RunningServer

SECOND = 1_000_000_000


def push(server: RunningServer, streams: list[dict[str, Any]], **headers: str) -> httpx.Response:
    body = json.dumps({"streams": streams}).encode()
    if headers.get("content_encoding") == "gzip":
        body = gzip.compress(body)
    sent = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{server.http}/loki/api/v1/push", content=body, headers=sent)


def ask(server: RunningServer, path: str, status: int = 200, **parameters: Any) -> Any:
    response = httpx.get(f"{server.http}/loki/api/v1/{path}", params=parameters, timeout=60)
    assert response.status_code == status, response.text
    return response.json() if status == 200 else response.text


def wait_for(server: RunningServer, query: str, least: int, **parameters: Any) -> list[dict[str, Any]]:
    """The streams of a query once they hold so many lines."""
    deadline = time.monotonic() + 60
    while True:
        found = ask(server, "query_range", query=query, **parameters)["data"]["result"]
        if sum(len(stream["values"]) for stream in found) >= least:
            return found
        assert time.monotonic() < deadline, f"{found}; {server.log.read_text()}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def now(server: RunningServer) -> int:
    """A moment in the past minute at which a few lines of one stream are stored."""
    start = time.time_ns() - 60 * SECOND
    values = [
        [str(start), '{"status": 200, "path": "/"}'],
        [
            str(start + SECOND),
            '{"status": 503, "path": "/buy"}',
            {"trace_id": "5b8aa5a2d2c872e8321cf37308d69df2", "user": "u1"},
        ],
        [str(start + 2 * SECOND), "plain text"],
    ]
    labels = {"service_name": "shop", "app": "web", "k8s_pod_name": "web-0"}
    assert push(server, [{"stream": labels, "values": values}]).status_code == 204
    wait_for(server, '{app="web"}', 3)
    return start


def test_lines_come_back_newest_first_with_all_labels(server: RunningServer, now: int) -> None:
    answer = ask(server, "query_range", query='{app="web"}', limit=2)
    assert answer["status"] == "success"
    assert answer["data"]["resultType"] == "streams"
    first, second = answer["data"]["result"]
    assert first["values"] == [[str(now + 2 * SECOND), "plain text"]]
    assert first["stream"] == {"service_name": "shop", "app": "web", "k8s_pod_name": "web-0"}
    assert second["stream"]["trace_id"] == "5b8aa5a2d2c872e8321cf37308d69df2"
    assert second["stream"]["user"] == "u1"
    assert answer["data"]["stats"]["summary"]["totalEntriesReturned"] == 2


def test_forward_gives_the_oldest_first(server: RunningServer, now: int) -> None:
    found = ask(server, "query_range", query='{app="web"}', limit=1, direction="forward")["data"]["result"]
    assert found[0]["values"][0][0] == str(now)


def test_labels_are_sorted_into_categories_when_asked(server: RunningServer, now: int) -> None:
    response = httpx.get(
        f"{server.http}/loki/api/v1/query_range",
        params={"query": '{app="web"} |= "503" | json'},
        headers={"X-Loki-Response-Encoding-Flags": "categorize-labels"},
    )
    data = response.json()["data"]
    assert data["encodingFlags"] == ["categorize-labels"]
    assert data["result"][0]["stream"] == {"service_name": "shop", "app": "web", "k8s_pod_name": "web-0"}
    categories = data["result"][0]["values"][0][2]
    assert categories["parsed"] == {"status": "503", "path": "/buy"}
    assert categories["structuredMetadata"]["user"] == "u1"


def test_resource_attributes_have_opentelemetrys_names(server: RunningServer, now: int) -> None:
    logs = server.get("/api/logs", selector='service.name="shop",k8s.pod.name="web-0"', since="5m")["logs"]
    assert logs[0]["resource"] == {"service.name": "shop", "app": "web", "k8s.pod.name": "web-0"}


def test_numbers_at_an_instant_and_over_a_range(server: RunningServer, now: int) -> None:
    query = 'sum by (status) (count_over_time({app="web"} | json | __error__="" [5m]))'
    data = ask(server, "query", query=query, time=str(now + 10 * SECOND))["data"]
    assert data["resultType"] == "vector"
    assert {row["metric"]["status"]: row["value"][1] for row in data["result"]} == {"200": "1", "503": "1"}
    data = ask(server, "query_range", query=query, start=str(now), end=str(now + 60 * SECOND), step="30s")["data"]
    assert data["resultType"] == "matrix"
    assert [value for _, value in data["result"][0]["values"]] == ["1", "1", "1"]
    assert ask(server, "query", query="1 + 1")["data"]["result"][1] == "2"


def test_labels_values_and_series(server: RunningServer, now: int) -> None:
    assert {"app", "service_name", "k8s_pod_name"} <= set(ask(server, "labels")["data"])
    assert "web" in ask(server, "label/app/values")["data"]
    found = ask(server, "series", **{"match[]": '{app="web"}'})["data"]
    assert found == [{"service_name": "shop", "app": "web", "k8s_pod_name": "web-0"}]
    labels = ask(server, "detected_labels", query='{app="web"}')["detectedLabels"]
    assert {"label": "app", "cardinality": 1} in labels


def test_fields_are_detected_in_a_sample(server: RunningServer, now: int) -> None:
    fields = {one["label"]: one for one in ask(server, "detected_fields", query='{app="web"}')["fields"]}
    assert fields["status"] == {"label": "status", "type": "int", "cardinality": 2, "parsers": ["json"]}
    assert fields["user"]["parsers"] is None
    # Grafana takes more than one parser for lines of both kinds.
    parsed = {one["label"]: one for one in ask(server, "detected_fields", query='{app="web"} | json')["fields"]}
    assert parsed["status"]["parsers"] == ["json"]
    assert ask(server, "detected_field/path/values", query='{app="web"}')["values"] == ["/", "/buy"]


def test_statistics_volumes_and_patterns(server: RunningServer, now: int) -> None:
    stats = ask(server, "index/stats", query='{app="web"}')
    size = len('{"status": 200, "path": "/"}') + len('{"status": 503, "path": "/buy"}') + len("plain text")
    assert (stats["streams"], stats["entries"], stats["bytes"]) == (1, 3, size)
    result = ask(server, "index/volume", query='{app="web"}')["data"]["result"]
    assert (result[0]["metric"], result[0]["value"][1]) == ({"app": "web"}, str(size))
    ranged = ask(server, "index/volume_range", query='{app="web"}', step="1h")["data"]["result"]
    assert sum(int(value) for _, value in ranged[0]["values"]) == size
    patterns = ask(server, "patterns", query='{app="web"}', step="60s")["data"]
    counts = {one["pattern"]: sum(count for _, count in one["samples"]) for one in patterns}
    assert counts == {"{<_>: <_>, <_>: <_>}": 2, "plain text": 1}


def test_a_query_is_formatted_and_a_wrong_one_says_where(server: RunningServer) -> None:
    assert ask(server, "format_query", query='sum(rate({a="b"}|="x"[5m]))')["data"] == 'sum(rate({a="b"} |= "x"[5m]))'
    assert ask(server, "query_range", status=400, query='{a="b"} |= 5').startswith("parse error at line 1, col 12")
    assert "at least one" in ask(server, "query_range", status=400, query='{a=~".*"}')
    assert ask(server, "query", status=400, query='{a="b"}').startswith("log queries are not supported")


def test_protobuf_in_snappy_is_taken(server: RunningServer) -> None:
    message = Push()
    stream = message.streams.add(labels='{app="proto", service_name="p"}')
    moment = time.time_ns()
    for text in (b"good", b"\xff\xfe not utf-8", b"nul \x00 byte"):
        entry = stream.entries.add(line=text)
        entry.timestamp.seconds, entry.timestamp.nanos = divmod(moment, SECOND)
    entry.metadata.add(name=b"user", value=b"u9")
    body = bytes(cramjam.snappy.compress_raw(message.SerializeToString()))
    headers = {"content-type": "application/x-protobuf"}
    assert httpx.post(f"{server.http}/loki/api/v1/push", content=body, headers=headers).status_code == 204
    found = wait_for(server, '{app="proto"}', 3)
    lines = {value[1] for one in found for value in one["values"]}
    # A run of bytes that are not UTF-8 becomes one replacement character.
    assert lines == {"good", "\ufffd not utf-8", "nul \x00 byte"}
    assert any(one["stream"].get("user") == "u9" for one in found)


def test_what_protobufs_metadata_says_of_a_line(server: RunningServer) -> None:
    message, trace_id, now = Push(), "5b8aa5a2d2c872e8321cf37308d69df2", time.time_ns()
    plain = message.streams.add(labels='{app="told", service_name="t"}')
    for text, time_of, metadata in (
        (b"known", now, {"level": " WARN ", "trace_id": trace_id, "span_id": "051581bf3cb55c13", "user": "u1"}),
        (b"odd", now, {"level": "loud", "lvl": "err2", "trace_id": "not hexadecimal", "span_id": "0" * 16}),
        (b"untimed", 0, {}),
        (b"ancient", 1, {}),
    ):
        entry = plain.entries.add(line=text)
        entry.timestamp.seconds, entry.timestamp.nanos = divmod(time_of, SECOND)
        for name, value in metadata.items():
            entry.metadata.add(name=name.encode(), value=value.encode())
    leveled = message.streams.add(labels='{app="told", service_name="t", level="error"}', identity=7, severity=3)
    leveled.entries.add(line=b"loud").timestamp.seconds = now // SECOND
    response = httpx.post(
        f"{server.http}/loki/api/v1/push",
        content=bytes(cramjam.snappy.compress_raw(message.SerializeToString())),
        headers={"content-type": "application/x-protobuf"},
    )
    assert (response.status_code, response.text) == (
        400, "1 lines were refused: 1 x timestamp is older than the oldest that is kept",
    )  # fmt: skip
    answer = server.wait_for("/api/logs", "logs", 4, selector='app="told"', since="1h")["logs"]
    found = {one["body"]: one for one in answer}
    assert set(found) == {"known", "odd", "untimed", "loud"}
    assert (found["known"]["severity_number"], found["known"]["trace_id"]) == (13, trace_id)
    assert found["known"]["span_id"] == "051581bf3cb55c13"
    assert found["known"]["attributes"] == {"level": " WARN ", "user": "u1"}
    assert found["odd"]["severity_number"] == 0
    assert found["odd"]["attributes"]["trace_id"] == "not hexadecimal"
    assert found["loud"]["severity_number"] == 17
    assert found["loud"]["resource"]["level"] == "error"


def test_gzip_is_taken(server: RunningServer) -> None:
    values = [[str(time.time_ns()), "zipped"]]
    assert push(server, [{"stream": {"app": "zip"}, "values": values}], content_encoding="gzip").status_code == 204
    wait_for(server, '{app="zip"}', 1)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "not JSON"),
        (b"[]", "streams"),
        (b'{"streams":[{"values":[]}]}', "streams[0]"),
        (b'{"streams":[{"stream":{},"values":[["x","y"]]}]}', "streams[0].values[0]"),
        (b'{"streams":[{"stream":{},"values":[["1"]]}]}', "streams[0].values[0]"),
        (b'{"streams":[{"stream":{"a":"b"},"values":[["1","too old"]]}]}', "older than the oldest"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_the_place(server: RunningServer, body: bytes, says: str) -> None:
    headers = {"content-type": "application/json"}
    response = httpx.post(f"{server.http}/loki/api/v1/push", content=body, headers=headers)
    assert response.status_code == 400
    assert says in response.text
    broken = httpx.post(
        f"{server.http}/loki/api/v1/push", content=body, headers={"content-type": "application/x-protobuf"}
    )
    assert broken.status_code == 400


def test_a_tail_gets_lines_as_they_come(server: RunningServer) -> None:
    from websockets.asyncio.client import connect

    async def tailed() -> list[str]:
        address = server.http.replace("http://", "ws://")
        query = quote('{app="tailed"} |= "new"')
        async with connect(f"{address}/loki/api/v1/tail?query={query}", open_timeout=60) as socket:
            found: list[str] = []
            for turn in range(3):
                moment = str(time.time_ns())
                values = [[moment, f"new {turn}"], [moment, "other"]]
                await asyncio.to_thread(push, server, [{"stream": {"app": "tailed"}, "values": values}])
                async with asyncio.timeout(10):
                    message = json.loads(await socket.recv())
                found += [value[1] for one in message["streams"] for value in one["values"]]
            return found

    assert asyncio.run(tailed()) == ["new 0", "new 1", "new 2"]


def test_what_is_deleted_is_gone_and_nothing_else(server: RunningServer) -> None:
    moment = time.time_ns()
    values = [[str(moment), "keep this"], [str(moment + 1), "secret 1234"]]
    push(server, [{"stream": {"app": "erased"}, "values": values}])
    wait_for(server, '{app="erased"}', 2)
    parameters = {"query": '{app="erased"} |= "secret"', "start": "0"}
    response = httpx.post(f"{server.http}/loki/api/v1/delete", params=parameters, timeout=60)
    assert response.status_code == 204, response.text
    found = wait_for(server, '{app="erased"}', 1)
    assert [value[1] for one in found for value in one["values"]] == ["keep this"]
    assert httpx.get(f"{server.http}/loki/api/v1/delete").json()[0]["query"] == parameters["query"]
    parsed = httpx.post(f"{server.http}/loki/api/v1/delete", params={"query": '{app="erased"} | json'})
    assert parsed.status_code == 400


def test_our_own_api_streams_lines_and_says_how_it_ended(server: RunningServer, now: int) -> None:
    text = httpx.get(f"{server.http}/api/logs/query", params={"query": '{app="web"} | json', "since": "10m"}).text
    rows = [json.loads(line) for line in text.splitlines()]
    logs = [row["log"] for row in rows if "log" in row]
    assert logs[0]["line"] == "plain text"
    assert logs[1]["parsed"]["status"] == "503"
    assert rows[-1]["end"]["complete"] is True
    assert rows[-1]["end"]["lines"] == 3
    assert rows[0]["price"]["rows"] >= 3
    assert server.get("/api/logs/query", query='{app="web"} | json', since="10m", count=1) == {"count": 3}
    assert server.get("/api/logs/query", query='{app="web"} |= "503"', since="10m", count=1) == {"count": 1}
    assert server.get("/api/logs/query", query='{app="none"}', since="10m", count=1) == {"count": 0}
    price = server.get("/api/logs/price", query='{app="web"}', since="10m")["price"]
    assert price["rows"] >= 3
    assert price["seconds"] >= 0
    shapes = server.get("/api/logs/patterns", query='{app="web"}', since="10m")["patterns"]
    assert shapes[0]["total"] == 2


def test_context_is_of_the_same_stream(server: RunningServer, now: int) -> None:
    parameters = {"query": '{app="web"} |= "503"', "since": "10m", "context": 1}
    text = httpx.get(f"{server.http}/api/logs/query", params=parameters).text
    hit = next(row["log"] for row in map(json.loads, text.splitlines()) if "log" in row)
    assert [one["line"] for one in hit["before"]] == ['{"status": 200, "path": "/"}']
    assert [one["line"] for one in hit["after"]] == ["plain text"]
