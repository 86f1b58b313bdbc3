"""Environments to promote through, with a judge whose verdict the test gives; everything else is the real thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse.delivery.environments import Environments, read_environments
from pilothouse.delivery.forges import Forge
from pilothouse.delivery.promoting.crew import Crew
from pilothouse.delivery.promoting.driving import Driver
from pilothouse.delivery.promoting.promotion import Promotion
from pilothouse.delivery.promoting.store import PromotionStore
from pilothouse.releases.comparison import Verdict
from pilothouse.releases.rollout.asking import Answer
from pilothouse.releases.rollout.driving import Driver as Rollouts
from pilothouse.releases.rollout.plan import Check
from pilothouse.releases.rollout.run import Run
from pilothouse.releases.store import ReleaseStore

MANIFEST = """\
# The shop, in {name}.
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec:
      containers:
        - name: shop
          image: registry.example.org/acme/shop:1.0.0  # moved by promotions
"""
ENVIRONMENTS = """\
environments:
  - {name: lab, strategy: Never, services: [shop]}
  - {name: staging, strategy: Auto, services: [shop]}
  - name: production
    strategy: Manual
    services: [shop]
    rollout:
      traffic: {by: noted}
      steps: [{weight: 10, for: 60s}, {weight: 100}]
      judge: {every: 30s}
"""


def folders(root: Path) -> Path:
    """The three environments' folders, and their file."""
    for name in ("lab", "staging", "production"):
        (root / name).mkdir(parents=True)
        (root / name / "shop.yaml").write_text(MANIFEST.format(name=name))
    (root / "environments.yaml").write_text(ENVIRONMENTS)
    return root


@dataclass
class World:
    """All that promotes. `verdict` is what the judge says; `tick` lets promotions and rollouts move."""

    place: Path
    environments: Environments
    forge: Forge | None = None
    verdict: Verdict = "no_worse"
    shifts: list[int] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        url = f"sqlite:///{self.place}/control.db"
        self.releases, self.store = ReleaseStore(url), PromotionStore(url)
        self.crew = Crew(self.store, lambda: self.environments, self.releases, lambda _: self.forge, ("noted",),
                         address=lambda: "http://127.0.0.1:4000")  # fmt: skip
        self.driver = Driver(self.crew)
        self.rollouts = Rollouts(self.releases.rollouts, self, {"noted": lambda _: self})

    def close(self) -> None:
        self.store.close()
        self.releases.close()

    def tick(self, seconds: float = 0.0) -> None:
        """Look at all promotions and all rollouts once, so many seconds later."""
        import time

        self.now += seconds
        self.rollouts.drive(time.time() + self.now)
        self.driver.wake()
        self.driver.drive()

    def one(self, key: int) -> Promotion:
        found = self.store.one(key)
        assert found is not None
        return found

    def last(self, environment: str) -> Promotion:
        return self.store.all(environment=environment)[0]

    # The judge and the router

    def judge(self, run: Run, now: float, level: float) -> Answer:
        evidence = {"findings": ["POST /pay fails: 8 % instead of 0.1 %"], "page": "/compare?service=shop"}
        return Answer(self.verdict, f"the candidate is {self.verdict}", evidence)

    def served(self, run: Run, now: float) -> int:
        """No step of these plans waits for requests."""
        return 0

    def measure(self, run: Run, check: Check, now: float) -> float | None:
        return None

    def shift(self, service: str, weights: Mapping[str, int], key: str) -> None:
        self.shifts.append(list(weights.values())[1])

    def weights(self, service: str) -> None:
        return None


def in_folders(place: Path) -> World:
    """A world whose environments are folders of this machine."""
    root = folders(place / "deploy")
    return World(place, read_environments(ENVIRONMENTS, directory=root))
