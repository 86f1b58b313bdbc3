"""From a push to production in one real server: real git over HTTP, a release, its promotions, its provenance."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from pilothouse.cli.program import program
from tests.delivery.acting.room import UNIT
from tests.delivery.forges.serving import fine
from tests.delivery.promoting.world import MANIFEST
from tests.running import RunningServer, start_server

ENVIRONMENTS = """\
environments:
  - {name: staging, strategy: Auto, services: [shop]}
  - {name: production, strategy: Manual, services: [shop]}
"""
PROJECT = "service: shop\nrelease: {after: [unit]}\n"
PUSH = UNIT.replace("[pull_request]", "[push]")


@dataclass
class World:
    """A server whose forge has the users ann and bob, with their tokens."""

    server: RunningServer
    place: Path
    tokens: dict[str, str]

    def call(self, login: str, path: str, body: Any = None) -> Any:
        headers = {"authorization": f"Bearer {self.tokens[login]}"}
        address = f"{self.server.http}/api/forge{path}"
        answer = (
            httpx.get(address, headers=headers, timeout=60)
            if body is None
            else httpx.post(address, headers=headers, json=body, timeout=60)
        )
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def cloned(self, login: str, repository: str) -> Path:
        where = self.place / login
        where.mkdir(exist_ok=True)
        host = self.server.http.removeprefix("http://")
        fine(where, "clone", "-q", f"http://{login}:{self.tokens[login]}@{host}/git/{repository}.git")
        return where / repository.rpartition("/")[2]

    def pushed(self, work: Path, message: str, files: dict[str, str], branch: str = "main") -> None:
        fine(work, "checkout", "-q", "-B", branch)
        for name, text in files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text)
        fine(work, "add", ".")
        fine(work, "commit", "-qm", message)
        fine(work, "push", "-q", "-u", "origin", branch)

    def until(self, what: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 270
        while not (found := what()):
            assert time.monotonic() < deadline, (
                self.server.get("/api/delivery/releases"), self.server.get("/api/promotions"),
                self.server.get("/api/previews"), self.server.log.read_text()[-4000:],
            )  # fmt: skip
            time.sleep(0.5)
        return found

    def declared(self, environment: str) -> str:
        found = {one["name"]: one for one in self.server.get("/api/environments")["environments"]}
        return str(found[environment]["services"][0]["declared"])

    def promotions(self, environment: str, state: str) -> list[dict[str, Any]]:
        found = self.server.get("/api/promotions", environment=environment)["promotions"]
        return [one for one in found if one["state"] == state]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    place = tmp_path_factory.mktemp("shipping")
    server = start_server(place, PILOTHOUSE_ENVIRONMENTS="ann/deploy:environments.yaml")
    httpx.get(server.http + "/api/forge/repositories", timeout=60)
    admin = (place / "data" / "forge" / "admin.token").read_text().strip()
    made = World(server, place, {"admin": admin})
    for login in ("ann", "bob"):
        made.call("admin", "/users", {"login": login})
        made.tokens[login] = made.call("admin", "/tokens", {"login": login})["token"]
    for name in ("deploy", "shop"):
        made.call("ann", "/repositories", {"name": f"ann/{name}"})
        made.call("ann", f"/repositories/ann/{name}", {"allow": "bob", "permission": "write"})
    yield made
    assert server.stop() == 0


@pytest.mark.timeout(600)
def test_from_a_push_to_production(world: World) -> None:
    deploy = world.cloned("ann", "ann/deploy")
    manifests = {f"{name}/shop.yaml": MANIFEST.format(name=name) for name in ("staging", "production")}
    world.pushed(deploy, "feat: begin", {"environments.yaml": ENVIRONMENTS, **manifests})
    shop = world.cloned("bob", "ann/shop")
    world.pushed(shop, "feat: begin", {"app.py": "print()\n", ".pilothouse.yaml": PROJECT,
                                          ".tekton/unit.yaml": PUSH, "test.sh": "true\n"})  # fmt: skip
    world.until(lambda: world.declared("staging") == "0.1.0")
    assert world.declared("production") == "1.0.0", "nobody has approved it"
    asked = world.until(lambda: world.promotions("production", "open"))[0]
    assert (asked["version"], asked["before"]) == ("0.1.0", "1.0.0")
    pull = f"/repositories/ann/deploy/pulls/{asked['pull_request']['number']}"
    world.call("bob", f"{pull}/reviews", {"state": "approved"})
    world.until(lambda: world.declared("production") == "0.1.0")
    marks = [one["mark"] for one in world.server.get("/api/releases", service="shop")["releases"] if one["mark"]]
    assert {mark["environment"] for mark in marks} <= {"", "staging", "production"}
    # What it was made of is known wherever the release is: the run that tested it, and where the provenance is.
    made_of = marks[0]["made_of"]
    assert (made_of["forge"], made_of["repository"], made_of["tag"]) == ("local", "ann/shop", "v0.1.0")
    assert made_of["run"].startswith("unit-")
    signed = httpx.get(world.server.http + made_of["provenance"], timeout=60).json()
    said = json.loads(base64.b64decode(signed["payload"]))["predicate"]
    run = said["runDetails"]["metadata"]["invocationId"]
    assert run.startswith(made_of["run"].rpartition("-")[2]), "it speaks of the run"
    assert said["buildDefinition"]["internalParameters"]["release"]["tag"] == "v0.1.0"
    made = CliRunner().invoke(
        program("releases"), ["releases", "make", "ann/shop", "--dry-run", "--server", world.server.http]
    )
    assert (made.exit_code, "would release shop 0.1.0: v0.1.0" in made.output) == (0, True), made.output
    shown = CliRunner().invoke(program("env"), ["env", "previews", "--server", world.server.http, "-o", "table"])
    assert (shown.exit_code, "no previews" in shown.output) == (0, True), shown.output
    envelope = world.server.get("/api/delivery/releases/provenance", repository="ann/shop", tag="v0.1.0")
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    fine(shop, "fetch", "-q", "--tags")
    assert "### New features" in fine(shop, "tag", "-l", "--format=%(contents)", "v0.1.0")
