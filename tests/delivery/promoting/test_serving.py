"""Environments and promotions over the real server and its command line, with telemetry to say what runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from typer.testing import CliRunner

from pilothouse.cli.program import program
from tests.delivery.promoting.world import ENVIRONMENTS, MANIFEST, folders
from tests.running import RunningServer, start_server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = folders(tmp_path_factory.mktemp("deploy"))
    (root / "environments.yaml").write_text(ENVIRONMENTS.partition("    rollout:")[0])
    return root


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, place: Path) -> Iterator[RunningServer]:
    environment = {"PILOTHOUSE_ENVIRONMENTS": str(place / "environments.yaml")}
    running = start_server(tmp_path_factory.mktemp("server"), **environment)
    yield running
    assert running.stop() == 0


def command(server: RunningServer, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(program(arguments[0]), [*arguments, "--server", server.http])
    return done.exit_code, done.output


def until(server: RunningServer, key: int, state: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while (found := server.get(f"/api/promotions/{key}"))["state"] != state:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return dict(found)


def speak(server: RunningServer, version: str, environment: str) -> None:
    """A span, as the SDK in a service of that version sends it."""
    resource = Resource({
        "service.name": "shop", "service.version": version, "deployment.environment.name": environment,
    })  # fmt: skip
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{server.otlp}/v1/traces")))
    provider.get_tracer("shop").start_span("GET /").end()
    provider.shutdown()


def service(server: RunningServer, environment: str) -> dict[str, Any]:
    found = {one["name"]: one for one in server.get("/api/environments")["environments"]}
    return dict(found[environment]["services"][0])


def test_a_promotion_by_the_command_line(server: RunningServer, place: Path) -> None:
    code, said = command(server, "promote", "shop", "1.1.0", "--to", "staging", "--dry-run", "-o", "table")
    assert code == 0
    assert "1 object changes in Kubernetes; rendered from plain manifests" in said
    assert "+      - image: registry.example.org/acme/shop:1.1.0" in said
    code, said = command(server, "promote", "shop", "1.1.0", "--to", "staging", "--wait", "-o", "json")
    assert code == 0, said
    made = json.loads(said)
    assert (made["state"], made["before"]) == ("deployed", "1.0.0")
    assert (place / "staging" / "shop.yaml").read_text() == MANIFEST.format(name="staging").replace("1.0.0", "1.1.0")
    listed = command(server, "env", "list", "-o", "table")[1]
    assert len(listed.splitlines()) == 4, listed
    assert listed.splitlines()[2].split()[:4] == ["staging", "Auto", "shop", "1.1.0"]


def test_somebody_else_approves(server: RunningServer) -> None:
    asked = httpx.post(
        server.http + "/api/promotions", json={"service": "shop", "version": "1.2.0", "to": "production", "by": "bob"}
    ).json()
    until(server, asked["id"], "open")
    assert command(server, "env", "approve", str(asked["id"]), "--by", "bob")[1].strip().endswith("must approve it")
    assert command(server, "env", "approve", str(asked["id"]), "--by", "ann")[0] == 0
    assert until(server, asked["id"], "deployed")["approved_by"] == "ann"
    code, said = command(server, "env", "cancel", str(asked["id"]))
    assert (code, "has ended: deployed" in said) == (3, True)


def test_drift_is_what_the_telemetry_hears(server: RunningServer) -> None:
    declared = service(server, "staging")["declared"]
    assert service(server, "lab")["state"] == "silent"
    speak(server, declared, "staging")
    speak(server, "0.9.0", "lab")
    deadline = time.monotonic() + 60
    while service(server, "lab")["state"] != "drifted" or service(server, "staging")["state"] != "in sync":
        assert time.monotonic() < deadline, server.get("/api/environments")
        time.sleep(0.1)
    assert service(server, "lab")["words"] == "1.0.0 is declared; running instead: 0.9.0"
    assert service(server, "lab")["running"][0]["instances"] == 1
    code, said = command(server, "env", "drift", "-o", "table")
    assert (code, said.strip()) == (1, "lab: shop: 1.0.0 is declared; running instead: 0.9.0")
    assert command(server, "env", "drift", "staging", "-o", "table")[0] == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "service: this field is needed"),
        ({"service": "shop", "version": "1.1.0", "to": "lab"}, "its strategy is Never"),
        ({"service": "shop", "version": "1.1.0", "to": "moon"}, "there are lab, staging, production"),
        ({"service": "cart", "version": "1.1.0", "to": "staging"}, "has no service 'cart'"),
        ({"service": "shop", "version": "a b", "to": "staging"}, "is no version"),
        ({"service": "shop", "version": "1", "to": "staging", "onward": "yes"}, "onward: must be true or false"),
        ({"service": "shop", "version": 1, "to": "staging"}, "version: must be text"),
        ({"service": "shop", "version": "1", "to": "staging", "force": True}, "force: no such field"),
    ],
)
def test_bad_requests_say_what_to_do(server: RunningServer, body: dict[str, Any], said: str) -> None:
    answer = httpx.post(server.http + "/api/promotions", json=body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["error"]["message"]


def test_a_broken_environments_file_is_said(server: RunningServer, place: Path) -> None:
    path = place / "environments.yaml"
    kept = path.read_text()
    path.write_text("environments: {}\n")
    try:
        deadline = time.monotonic() + 60
        while (answer := httpx.get(server.http + "/api/environments")).status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].endswith("environments.yaml: environments: must be a list with one "
                                                          "environment at least")  # fmt: skip
    finally:
        path.write_text(kept)
