"""The demo's story: version 1 serves, version 2 is released beside it, Pilothouse judges."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pilothouse.demo import repository
from pilothouse.demo.narration import Narration
from pilothouse.demo.options import DemoOptions
from pilothouse.demo.system import VERSIONS, Service, System

BASELINE, CANDIDATE = "1.0.0", "2.0.0"
RATE, RATE_AFTERWARDS = 32.0, 4.0
"""Requests a second during the demo, and after the verdict, when it only keeps serving."""
MOST_SECONDS = 60.0
"""How much longer to wait for data when Pilothouse cannot tell yet."""
ASK_AGAIN_SECONDS = 5.0


class Story:
    """Tells the demo, step by step."""

    def __init__(self, system: System, narration: Narration, options: DemoOptions) -> None:
        self._system = system
        self._narration = narration
        self._options = options

    def tell(self, data: Path) -> dict[str, Any]:
        """From an empty machine to the comparison of the two versions, as `/api/compare` answers it."""
        with self._narration.step("Pilothouse starts on an embedded store") as step:
            self._system.start_pilothouse(data)
            step.say(self._system.base_url)
        with self._narration.step("the shop starts: gateway, catalog, checkout, payments"):
            gateway, checkout, settings = self._open_shop()
        seconds = self._options.baseline_seconds
        with self._narration.step(f"visitors come, checkout {BASELINE} serves them", seconds):
            load = self._system.start_load(gateway, RATE)
            self._system.pause(seconds)
        with self._narration.step(f"release: checkout {CANDIDATE} beside a fresh {BASELINE}"):
            released = self._release(gateway, checkout, settings)
        seconds = self._options.canary_seconds
        with self._narration.step("canary: each takes half of the orders", seconds):
            self._system.pause(seconds)
        with self._narration.step("Pilothouse compares metrics, logs, traces and profiles") as step:
            comparison = self._compare(released)
            step.say(comparison["verdict"].replace("_", " "))
        self._system.stop(load)
        if not self._options.once:
            self._system.start_load(gateway, RATE_AFTERWARDS)
        return comparison

    def _open_shop(self) -> tuple[Service, Service, dict[str, str]]:
        start = self._system.start_service
        catalog = start("catalog", VERSIONS["catalog"])
        payments = start("payments", VERSIONS["payments"])
        settings = {
            "SHOP_CATALOG": catalog.address,
            "SHOP_PAYMENTS": payments.address,
        }
        checkout = start("checkout", BASELINE, **settings, SHOP_PRICING=str(repository.pricing()))
        behind = {"SHOP_CATALOG": catalog.address, "SHOP_CHECKOUT": checkout.address}
        gateway = start("gateway", VERSIONS["gateway"], **behind)
        services = (catalog, payments, checkout, gateway)
        self._system.wait_ready(*(service.address for service in services))
        return gateway, checkout, settings

    def _release(self, gateway: Service, before: Service, settings: dict[str, str]) -> datetime:
        """Both versions get a fresh process, to be judged at the same age. Returns the release's time."""
        before_pricing = str(repository.pricing())
        after_pricing = str(repository.pricing(self._options.scenario if self._options.scenario != "good" else ""))
        baseline = self._system.start_service("checkout", BASELINE, **settings, SHOP_PRICING=before_pricing)
        candidate = self._system.start_service("checkout", CANDIDATE, **settings, SHOP_PRICING=after_pricing)
        self._system.wait_ready(baseline.address, candidate.address)
        self._system.split_checkout(gateway, baseline, candidate)
        self._system.stop(before.child)
        return datetime.now(UTC)

    def _compare(self, released: datetime) -> dict[str, Any]:
        """Asks for the verdict, and again while there is too little data."""
        deadline = time.monotonic() + MOST_SECONDS
        parameters = {"service": "checkout", "baseline": BASELINE, "candidate": CANDIDATE}
        while True:
            comparison: dict[str, Any] = self._system.get("/api/compare", **parameters, start=released.isoformat())
            if comparison["verdict"] != "cannot_tell" or time.monotonic() > deadline:
                return comparison
            self._system.pause(ASK_AGAIN_SECONDS)
