"""Consul discovery of a stand-in. A Prometheus 3.14 found the same targets of it (that of Debian has no Consul)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.running import RunningServer, start_server

_CONFIG = """
scrape_configs:
  - job_name: all
    consul_sd_configs: [{{server: "{address}", token: hidden, refresh_interval: 100ms}}]
  - job_name: named
    consul_sd_configs: [{{server: "{address}", services: [api], datacenter: dc2, refresh_interval: 100ms}}]
  - job_name: tagged
    consul_sd_configs:
      - {{server: "{address}", tags: [edge], tag_separator: ";", node_meta: {{rack: r1}}, refresh_interval: 100ms}}
"""


def _instance(name: str, number: int, tags: list[str], **more: Any) -> dict[str, Any]:
    node = {
        "Node": f"n{number}", "Address": f"10.0.0.{number}", "Datacenter": "dc1", "Meta": {"rack-1": "r1", "": "x"},
        "TaggedAddresses": {"lan": f"10.0.0.{number}", "wan": "1.2.3.4"},
    }  # fmt: skip
    service = {
        "ID": f"{name}-{number}", "Service": name, "Tags": tags, "Address": "", "Port": 8000 + number,
        "Meta": {"team.name": "shop"}, **more.pop("service", {}),
    }  # fmt: skip
    return {"Node": node, "Service": service, "Checks": [{"CheckID": "c", "Status": "passing"}], **more}


@dataclass
class Consul:
    """What a Consul agent answers: its own name, the catalogue, the instances of a service; changes wake who waits."""

    services: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    index: int = 10
    asked: list[tuple[str, dict[str, list[str]], str]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, name: str, instances: list[dict[str, Any]]) -> None:
        with self.changed:
            self.services[name] = instances
            if not instances:
                del self.services[name]
            self.index += 1
            self.changed.notify_all()

    def answer(self, target: str, token: str) -> tuple[Any, int]:
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query, keep_blank_values=True)
        self.asked.append((path, query, token))
        with self.changed:
            if path == "/v1/agent/self":
                return {"Config": {"Datacenter": "dc1"}}, self.index
            if (known := int(query.get("index", ["0"])[0])) == self.index:
                self.changed.wait_for(lambda: self.index != known, timeout=2)
            if path == "/v1/catalog/services":
                tags = {name: sorted({tag for one in rows for tag in one["Service"]["Tags"]})
                        for name, rows in self.services.items()}  # fmt: skip
                return tags, self.index
            rows = self.services.get(unquote(path.removeprefix("/v1/health/service/")), [])
            wanted = set(query.get("tag", []))
            return [one for one in rows if wanted <= set(one["Service"]["Tags"])], self.index


@dataclass
class Watched:
    consul: Consul
    ours: RunningServer

    def until(self, holds: Callable[[list[dict[str, str]]], bool]) -> list[dict[str, str]]:
        """What is found of all jobs, once that holds."""
        deadline = time.monotonic() + 60
        while True:
            active = self.ours.get("/prometheus/api/v1/targets")["data"]["activeTargets"]
            found = [one["discoveredLabels"] for one in active]
            if holds(found):
                return found
            assert time.monotonic() < deadline, [(one["job"], one["__meta_consul_tags"]) for one in found]
            time.sleep(0.1)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    consul, directory = Consul(), tmp_path_factory.mktemp("consul")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content, index = consul.answer(self.path, self.headers.get("X-Consul-Token", ""))
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("X-Consul-Index", str(index))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    maintained = [{"CheckID": "_service_maintenance:web-3", "Status": "critical"}]
    failing = [{"CheckID": "a", "Status": "passing"}, {"CheckID": "b", "Status": "warning"}]
    consul.put("api", [_instance("api", 1, ["edge", "blue"]), _instance("api", 2, [], Checks=failing)])
    consul.put("web", [_instance("web", 3, ["edge"], Checks=maintained, service={"Address": "fd00::3"})])
    agent = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=agent.serve_forever, daemon=True).start()
    (directory / "prometheus.yml").write_text(_CONFIG.format(address=f"127.0.0.1:{agent.server_port}"))
    ours = start_server(directory, "--prometheus-config", str(directory / "prometheus.yml"))
    try:
        yield Watched(consul, ours)
    finally:
        ours.stop()
        agent.shutdown()
        agent.server_close()


def test_what_is_found(watched: Watched) -> None:
    found = watched.until(lambda found: len(found) == 7)
    (web,) = (one for one in found if one["job"] == "tagged" and one["__meta_consul_service"] == "web")
    assert {name: text for name, text in web.items() if not name.startswith(("__scrape", "__metrics", "__scheme"))} == {
        "job": "tagged", "__address__": "[fd00::3]:8003", "__meta_consul_address": "10.0.0.3",
        "__meta_consul_dc": "dc1", "__meta_consul_health": "maintenance", "__meta_consul_metadata_rack_1": "r1",
        "__meta_consul_metadata_": "x", "__meta_consul_node": "n3", "__meta_consul_service": "web",
        "__meta_consul_service_address": "fd00::3", "__meta_consul_service_id": "web-3",
        "__meta_consul_service_metadata_team_name": "shop", "__meta_consul_service_port": "8003",
        "__meta_consul_tagged_address_lan": "10.0.0.3", "__meta_consul_tagged_address_wan": "1.2.3.4",
        "__meta_consul_tags": ";edge;",
    }  # fmt: skip
    told = {(one["job"], one["__address__"], one["__meta_consul_health"]) for one in found}
    assert told == {
        ("all", "10.0.0.1:8001", "passing"), ("all", "10.0.0.2:8002", "warning"),
        ("all", "[fd00::3]:8003", "maintenance"), ("named", "10.0.0.1:8001", "passing"),
        ("named", "10.0.0.2:8002", "warning"), ("tagged", "10.0.0.1:8001", "passing"),
        ("tagged", "[fd00::3]:8003", "maintenance"),
    }  # fmt: skip
    assert {token for _, _, token in watched.consul.asked} == {"hidden", ""}
    assert any(query.get("dc") == ["dc2"] for path, query, _ in watched.consul.asked if path.endswith("/api"))
    assert any("rack:r1" in query.get("node-meta", []) for _, query, _ in watched.consul.asked)
    assert "hidden" not in watched.ours.get("/prometheus/api/v1/status/config")["data"]["yaml"]


def test_what_changes(watched: Watched) -> None:
    watched.consul.put("db/main", [_instance("db/main", 4, ["edge"])])
    watched.consul.put("web", [])
    watched.consul.put("api", [_instance("api", 1, ["edge", "green"])])
    # The index may begin anew, as after Consul was restored.
    watched.consul.index = 2
    watched.consul.put("api", [_instance("api", 1, ["edge", "green"])])
    expected = {
        ("all", "api", ",edge,green,"), ("all", "db/main", ",edge,"), ("named", "api", ",edge,green,"),
        ("tagged", "api", ";edge;green;"), ("tagged", "db/main", ";edge;"),
    }  # fmt: skip

    def same(found: list[dict[str, str]]) -> bool:
        told = {(one["job"], one["__meta_consul_service"], one["__meta_consul_tags"]) for one in found}
        return len(found) == len(expected) and told == expected

    watched.until(same)
