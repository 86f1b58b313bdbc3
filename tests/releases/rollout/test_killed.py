"""Killed at every step and restarted: no step is skipped or done twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pilothouse.control import opening
from pilothouse.releases.rollout.acting import start
from pilothouse.releases.rollout.reading import read_plan
from pilothouse.releases.store import ReleaseStore
from tests.releases.rollout.hook import router

PLAN = """
service: shop
baseline: "1"
candidate: "2"
traffic: {url: URL}
steps:
  - {weight: 10, for: 60s}
  - {pause: 30s}
  - {weight: 40, for: 60s, requests: 100}
  - {weight: 70, for: 60s}
judge: {every: 30s}
"""


@pytest.mark.parametrize(
    ("readable", "worse_at", "weights", "state"),
    [
        (True, -1, [10, 40, 70, 100], "succeeded"),
        (False, -1, [10, 40, 70, 100], "succeeded"),
        (False, 2, [10, 40, 0], "rolled_back"),
    ],
)
def test_no_step_is_skipped_or_done_twice(
    tmp_path: Path, readable: bool, worse_at: int, weights: list[int], state: str
) -> None:
    """Every move is cut off by SIGKILL at each place in turn, some dozens of times in one rollout."""
    url = f"sqlite:///{tmp_path}/control.db"
    with router(readable) as hook:
        store = ReleaseStore(url)
        database = str(opening.address(url))
        run = start(store, read_plan(PLAN.replace("URL", hook.url)), 1000.0, "test")
        killed = subprocess.run(
            [sys.executable, "-m", "tests.releases.rollout.killed", database, str(run.id), str(worse_at)],
            check=True, capture_output=True, text=True, timeout=240,
        )  # fmt: skip
        assert int(killed.stdout) >= 10, "how many processes it took"
        assert [one["2"] for one in hook.changes] == weights
        ended = store.rollouts.one(run.id)
        assert ended is not None
        assert (ended.state, ended.weight) == (state, weights[-1])
        events = [(event.kind, event.step) for event in store.rollouts.events(run.id)]
        done = [step for kind, step in events if kind in ("step_done", "succeeded")]
        assert done == (list(range(5)) if state == "succeeded" else [0, 1])
        # The judge may be asked again after a restart; all else is written down once.
        assert [one for one in events if events.count(one) > 1 and one[0] != "verdict"] == []
        store.close()
