"""Elasticsearch's bulk, Datadog's intake, syslog and plain lines: what is sent is what is stored."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pilothouse.signals.receive.lines_listening import LONGEST, Lines, add_line, add_syslog
from pilothouse.signals.receive.messages import request_class
from pilothouse.signals.receive.otlp import Receiver
from pilothouse.signals.receive.syslog_messages import parse
from tests.running import RunningServer


def logs(server: RunningServer, selector: str, least: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.wait_for("/api/logs", "logs", least, selector=selector, since="1h")["logs"]
    return found


def test_a_bulk_of_documents_is_taken_as_filebeat_sends_it(server: RunningServer) -> None:
    now = datetime.now(UTC).isoformat()
    document = {
        "@timestamp": now, "message": "it works", "log": {"level": "error"}, "service": {"name": "es"},
        "kubernetes": {"pod": {"name": "es-0"}, "namespace": "shop"}, "http": {"status": 500}, "tags": ["a", "b"],
    }  # fmt: skip
    lines = [{"create": {"_index": "filebeat"}}, document, {"index": {}}, {"msg": "plain"}, {"delete": {"_id": "1"}}]
    body = "\n".join(json.dumps(line) for line in lines) + "\n"
    response = httpx.post(f"{server.http}/elasticsearch/_bulk", content=body)
    assert response.status_code == 200
    assert response.headers["x-elastic-product"] == "Elasticsearch"
    answer = response.json()
    assert answer["errors"] is True
    assert [next(iter(item.values()))["status"] for item in answer["items"]] == [201, 201, 400]
    (one,) = logs(server, 'service_name="es"', 1)
    assert one["body"] == "it works"
    assert one["severity"] == "error"
    assert one["resource"] | {"k8s.pod.name": "es-0", "k8s.namespace.name": "shop"} == one["resource"]
    assert one["attributes"] == {"log.level": "error", "http.status": "500", "tags": '["a", "b"]'}
    assert logs(server, 'service_name="logs"', 1)[0]["body"] == "plain"


def test_clients_of_elasticsearch_are_told_what_they_ask(server: RunningServer) -> None:
    about = httpx.get(f"{server.http}/elasticsearch/")
    assert about.json()["version"]["number"].startswith("8.")
    assert httpx.put(f"{server.http}/elasticsearch/_index_template/x", json={}).json()["acknowledged"]
    assert httpx.get(f"{server.http}/elasticsearch/_license").json()["license"]["status"] == "active"


@pytest.mark.parametrize(("body", "status"), [(b"not json\n", 400), (b'{"index":{}}\nnot json\n', 200), (b"", 200)])
def test_a_broken_bulk_says_where(server: RunningServer, body: bytes, status: int) -> None:
    response = httpx.post(f"{server.http}/elasticsearch/idx/_bulk", content=body)
    assert response.status_code == status
    if body and status == 200:
        assert "does not parse" in response.json()["items"][0]["index"]["error"]["reason"]


def test_datadogs_agent_is_taken(server: RunningServer) -> None:
    items = [
        {"message": "dd line", "status": "warn", "service": "dd", "hostname": "h", "ddsource": "nginx",
         "ddtags": "env:prod,version:1.2,team:x", "timestamp": int(time.time() * 1000)},
    ]  # fmt: skip
    assert httpx.post(f"{server.http}/datadog/api/v2/logs", json=items).status_code == 202
    (one,) = logs(server, 'service_name="dd"', 1)
    assert (one["body"], one["severity_number"]) == ("dd line", 13)
    assert one["resource"]["deployment.environment.name"] == "prod"
    assert one["resource"]["service.version"] == "1.2"
    assert one["attributes"] == {"team": "x"}
    assert httpx.post(f"{server.http}/datadog/api/v2/logs", content=b"{").status_code == 400
    assert httpx.post(f"{server.http}/datadog/api/v2/logs", content=b"[5]").status_code == 400


NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def test_a_message_of_rfc_5424_is_read() -> None:
    text = (
        "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 77 ID47 "
        '[exampleSDID@32473 iut="3" eventSource="App\\"x"][other@1 a="b"] \ufeffAn application event'
    )
    message = parse(text, NOW)
    assert message.line == "An application event"
    assert message.time == 1065910455003000000
    assert message.resource == {"host.name": "mymachine.example.com", "service.name": "evntslog"}
    assert (message.severity, message.severity_text) == (10, "notice")
    assert message.attributes == {
        "syslog.facility": "local4", "process.pid": "77", "syslog.msgid": "ID47", "exampleSDID@32473.iut": "3",
        "exampleSDID@32473.eventSource": 'App"x', "other@1.a": "b",
    }  # fmt: skip


def test_a_message_without_what_may_be_left_out_is_read() -> None:
    message = parse("<0>1 - - - - - -", NOW)
    assert (message.line, message.time, message.severity, message.resource) == ("", 0, 22, {})


@pytest.mark.parametrize(
    ("text", "line", "resource", "pid"),
    [
        ("<34>Oct 11 22:14:15 my su: 'su root' failed", "'su root' failed", {"host.name": "my", "service.name": "su"}, None),  # noqa: E501
        ("<13>Feb  5 17:32:18 10.0.0.99 app[12]: text", "text", {"host.name": "10.0.0.99", "service.name": "app"}, "12"),  # noqa: E501
        ("<13>just text", "just text", {}, None),
        ("no priority: text", "no priority: text", {}, None),
        ("<999>text", "<999>text", {}, None),
        ("<13>2026-01-02T03:04:05Z host app: x", "x", {"host.name": "host", "service.name": "app"}, None),
    ],
)  # fmt: skip
def test_messages_as_rfc_3164_found_them_are_read(
    text: str, line: str, resource: dict[str, str], pid: str | None
) -> None:
    message = parse(text, NOW)
    assert (message.line, message.resource, message.attributes.get("process.pid")) == (line, resource, pid)


def test_a_time_without_a_year_is_the_nearest_past() -> None:
    assert (
        parse("<34>Oct 11 22:14:15 m su: x", NOW).time
        == int(datetime(2026, 10, 11, 22, 14, 15, tzinfo=UTC).timestamp()) * 10**9
    )
    assert (
        parse("<34>Dec 31 23:59:59 m su: x", NOW).time
        == int(datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) * 10**9
    )


class Taken:
    """A journal that keeps what it is given in memory."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, str]]] = []

    def accept(
        self, kind: str, payload: bytes, marks: frozenset[str] = frozenset(), ahead: bytes = b""
    ) -> Future[None]:
        for resource in request_class("logs").FromString(payload).resource_logs:
            names = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
            self.lines += [(record.body.string_value, names) for record in resource.scope_logs[0].log_records]
        done: Future[None] = Future()
        done.set_result(None)
        return done


def listened(add: Any, least: int, *sent: bytes, udp: tuple[bytes, ...] = ()) -> list[tuple[str, dict[str, str]]]:
    """What is journaled when these bytes come over a connection each, and these datagrams: so many lines, or more."""
    taken: Any = Taken()

    async def run() -> None:
        lines = Lines(Receiver(taken), add)
        port = await lines.listen("127.0.0.1", 0, udp=bool(udp))
        for content in sent:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(content)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            for content in udp:
                datagrams.sendto(content, ("127.0.0.1", port))
        deadline = asyncio.get_running_loop().time() + 60
        while len(taken.lines) < least and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await lines.close()

    asyncio.run(run())
    return list(taken.lines)


def test_lines_over_tcp_arrive_also_without_an_end_and_with_strange_bytes() -> None:
    found = listened(add_line, 5, b"one\r\ntwo\n\n\xff\xfe\nnul \x00 x\nlast without an end")
    assert [text for text, _ in found] == ["one", "two", "\ufffd\ufffd", "nul \x00 x", "last without an end"]
    assert found[0][1] == {"service.name": "lines", "host.name": "127.0.0.1"}


def test_a_line_that_is_too_long_is_cut_and_the_next_is_whole() -> None:
    found = [text for text, _ in listened(add_line, 2, b"x" * (LONGEST + 5000) + b"\nnext\n")]
    assert [len(text) for text in found] == [LONGEST, 4]


def test_syslog_comes_by_lines_by_counts_and_by_datagrams() -> None:
    moment = datetime.now(UTC).strftime("<13>%b %e %H:%M:%S h app: ").encode()
    counted = moment + b"two\nlines"
    found = listened(
        add_syslog, 3, moment + b"one\n", str(len(counted)).encode() + b" " + counted, udp=(moment + b"datagram\n",)
    )
    assert sorted(text for text, _ in found) == ["datagram", "one", "two\nlines"]
