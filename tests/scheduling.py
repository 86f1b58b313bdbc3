"""Which tests one process runs after the other, and in which order, so that all processes end at about the same time.

A file's tests stay together, for what they share; so do the files of a directory whose fixtures are its package's.
"""

from __future__ import annotations

from typing import Any

import pytest

TOGETHER = ("tests/ui/", "tests/releases/test_", "tests/signals/correlate/")
"""Directories (or beginnings of paths) that share a browser, a server or a filled store."""

LONGEST = {
    "tests/ui/": 230,
    "tests/acceptance/test_delivery.py": 50,
    "tests/releases/test_": 50,
    "tests/docs/test_commands_in_docs.py": 30,
    "tests/delivery/forges/": 25,
    "tests/delivery/acting/": 20,
    "tests/logqltest/": 20,
    "tests/acceptance/test_fuzz.py": 20,
    "tests/signals/collecting/test_files.py": 20,
    "tests/engine/test_on_a_server.py": 15,
    "tests/cli/test_commands.py": 15,
    "tests/signals/logs/test_cli.py": 15,
    "tests/signals/metrics/": 12,
    "tests/signals/receive/test_r": 12,
    "tests/signals/profiles/test_intervals.py": 12,
    "tests/acceptance/": 12,
    "tests/hazards/": 12,
    "tests/demo/test_shop.py": 11,
    "tests/server/": 11,
    "tests/signals/logs/test_paths_agree.py": 10,
    "tests/signals/traces/test_tra": 10,
    "tests/delivery/": 8,
    "tests/mesh/": 8,
    "tests/demo/test_running.py": 8,
    "tests/signals/profiles/": 7,
    "tests/control/": 7,
    "tests/kube/": 3,
}
"""About how many seconds of CPU a file (or each of a directory) takes: of beginnings that fit, the longest counts.

What takes longest is begun first: begun last, it would leave the other processes idle at the end.
"""


def group_of(nodeid: str) -> str:
    """The name of what a test must run together with."""
    path = nodeid.partition("::")[0]
    return next((together for together in TOGETHER if path.startswith(together)), path)


def rank_of(nodeid: str) -> int:
    """When its turn comes: the least is first."""
    return -LONGEST.get(max((known for known in LONGEST if nodeid.startswith(known)), key=len, default=""), 0)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Takes the place of `--dist`."""
    from xdist.scheduler import LoadScopeScheduling

    class LongestFirst(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False
    return LongestFirst(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The same order in every process, as pytest-xdist wants it."""
    items.sort(key=lambda item: rank_of(item.nodeid))
