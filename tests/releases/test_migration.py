"""The old home against Kubernetes, two times of one service, and a mix that differs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from pilothouse.engine import Engine
from pilothouse.releases.comparing import compare
from pilothouse.releases.parties import NEW_HOME, OLD_HOME
from pilothouse.releases.party import Party
from pilothouse.releases.why import why
from pilothouse.signals.timerange import to_rfc3339
from tests.releases.conftest import CANARY
from tests.releases.world import SECOND, START, Version, fill


@dataclass(frozen=True)
class Housed(Version):
    """A version that runs in a pod, or on a machine of its own."""

    pod: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        where = {"k8s.pod.name": self.pod} if self.pod else {"host.name": "vm-1"}
        return super().attributes | where


OLD, NEW = Party(where=OLD_HOME, label="the old home"), Party(where=NEW_HOME, label="Kubernetes")
LIGHT = {("main", "serve", "light"): 0.002}
HEAVY = {("main", "serve", "heavy"): 0.02}


@pytest.fixture(scope="module")
def moved(shop: Engine) -> Engine:
    """`movers` got slower in Kubernetes; `mixed` only gets more of its heavy requests there; `other` serves others."""
    old = Housed("1.0.0", service="movers", instance="vm")
    light = Housed("1.0.0", service="mixed", operation="GET /light", median=0.002, stacks=LIGHT, instance="l")
    heavy = Housed("1.0.0", service="mixed", operation="GET /heavy", median=0.02, stacks=HEAVY, instance="h")
    fill(
        shop, old, replace(old, instance="k", pod="movers-5d4f", slow=(4.0, 0.6), memory=180e6),
        replace(light, rate=40), replace(heavy, rate=10),
        replace(light, rate=10, instance="lk", pod="mixed-l"), replace(heavy, rate=40, instance="hk", pod="mixed-h"),
        Housed("1.0.0", service="other", operation="GET /a"),
        Housed("1.0.0", service="other", operation="GET /b", instance="k", pod="other-1"),
    )  # fmt: skip
    return shop


def test_the_move_made_it_slower_and_fatter(moved: Engine) -> None:
    found = compare(moved, "movers", OLD, NEW, CANARY, migration=True)
    assert (found.kind, found.verdict) == ("migration", "worse")
    assert {one.signal for one in found.findings if one.direction == "worse"} >= {"traces", "metrics"}
    assert found.summary.startswith("movers Kubernetes is worse than the old home: ")


def test_more_of_the_heavy_requests_is_no_regression(moved: Engine) -> None:
    found = compare(moved, "mixed", OLD, NEW, CANARY, migration=True)
    assert found.verdict != "cannot_tell", found.missing
    assert any("the mix of requests differed by " in note for note in found.notes), found.notes
    assert [one.title for one in found.findings if one.direction == "worse" and one.signal == "profiles"] == []


def test_different_requests_cannot_be_compared(moved: Engine) -> None:
    found = compare(moved, "other", OLD, NEW, CANARY, migration=True)
    assert found.verdict == "cannot_tell"
    assert "only 0 % of those to Kubernetes are to operations that the old home served" in found.missing[0]


def test_over_the_wire(moved: Engine, address: str) -> None:
    given: dict[str, Any] = {"service": "movers", "kind": "migration", "start": to_rfc3339(CANARY.start)}
    said = httpx.get(f"{address}/api/compare", params=given | {"end": to_rfc3339(CANARY.end)}, timeout=60).json()
    assert (said["kind"], said["baseline"]["version"], said["verdict"]) == ("migration", "the old home", "worse")


def test_why_it_changed_at_a_time(shop: Engine, address: str) -> None:
    calm = Version("1.0.0", service="changing", begins=-60, ends=30, rate=30)
    fill(shop, replace(calm, ends=0), replace(calm, begins=0, slow=(8.0, 0.7)))
    found = why(shop, "changing", START, 30 * SECOND)
    assert (found.kind, found.verdict) == ("before_after", "worse")
    assert found.stories[0].title.startswith("POST /checkout is slower")
    assert found.summary.startswith("changing after is worse than before")
    given = {"service": "changing", "at": to_rfc3339(START), "around": "30s"}
    said = httpx.get(f"{address}/api/why", params=given, timeout=60).json()
    assert said["verdict"] == "worse"
    assert dict(parse_qsl(urlsplit(said["page"]).query)) == given, "the page asks the same"
    assert {"at", "kind", "service", "relation", "words"} == set(said["changes"][0])
    quiet = why(shop, "changing", START - 20 * SECOND, 15 * SECOND)
    assert quiet.verdict != "worse"
