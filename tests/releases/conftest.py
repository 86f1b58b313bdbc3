"""A store with a shop's telemetry in it, shared by the tests that only read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pilothouse.engine import Engine, open_engine
from pilothouse.releases.api import routes
from pilothouse.releases.slos.api import routes as slo_routes
from pilothouse.releases.store import ReleaseStore
from pilothouse.signals.timerange import TimeRange
from tests.releases.serving import serving
from tests.releases.world import SECOND, START, Version, fill, regressed

CANARY = TimeRange(START, START + 30 * SECOND)


def climbing(service: str, earlier: float | None, before: float, after: float) -> list[Version]:
    """A version with one latency (seconds) and then another, and the version after it with a third; a minute each."""
    base = Version("1.0.0", begins=-120, ends=-60, median=before, instance="later", service=service)
    candidate = replace(base, version="2.0.0", begins=-60, ends=0, median=after)
    known = [replace(base, begins=-180, ends=-120, median=earlier, instance="a")] if earlier else []
    return [*known, base, candidate]


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """checkout 1.0.0 beside a regressed 2.0.0 and an unchanged 2.0.1; an older 1.0.0 that stops; 0.9.0 before them.

    The services that climb had been getting slower before their release, one of them has no earlier time to tell it.
    `batch` says no version, `uneven` gives its candidates a fifth of the traffic, `untraced` sends no spans.
    One process can have one store open: what a test needs is in this one.
    """
    opened = open_engine(tmp_path_factory.mktemp("shop") / "store")
    base = Version("1.0.0")
    few = Version("2.0.0", service="uneven", rate=8, ends=60)
    fill(
        opened,
        base,
        regressed(Version("2.0.0")),
        Version("2.0.1"),
        replace(base, begins=-40, ends=0.4, instance="old"),
        Version("0.9.0", begins=-40, ends=-10),
        Version("3.0.0", begins=20, ends=30, rate=1.2),
        Version("", service="batch", rate=1, ends=5),
        Version("1.0.0", service="uneven", rate=40, ends=60),
        few,
        replace(regressed(few), version="2.1.0"),
        Version("1.0.0", service="untraced", ends=60, traced=False),
        regressed(Version("2.0.0", service="untraced", ends=60, traced=False)),
        *climbing("climbs", 0.009, 0.03, 0.1),
        *climbing("climbs-and-worse", 0.009, 0.03, 0.9),
        *climbing("new-and-slower", None, 0.03, 0.1),
    )
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def address(shop: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The room's API on a real port."""
    store = ReleaseStore(f"sqlite:///{tmp_path_factory.mktemp('control')}/control.db")
    with serving([*routes(shop, store), *slo_routes(shop, store)]) as address:
        yield address
    store.close()
