"""Which tests one process runs after the other, and in which order, so that all processes end at about the same time.

A file's tests stay together, for what they share; so do the files of a directory whose fixtures are its package's.
"""

from __future__ import annotations

from typing import Any

import pytest

TOGETHER = ("tests/ui/", "tests/releases/test_", "tests/signals/correlate/")
"""Directories (or beginnings of paths) that share a browser, a server or a filled store."""

FIRST = (
    "tests/ui/",
    "tests/acceptance/",
    "tests/docs/test_commands_in_docs.py",
    "tests/signals/collecting/",
    "tests/signals/metrics/test_prometheus_writes_to_us.py",
    "tests/engine/test_on_a_server.py",
    "tests/demo/",
    "tests/server/",
)
"""What takes longest, longest first: begun last, it would leave the other processes idle at the end."""


def group_of(nodeid: str) -> str:
    """The name of what a test must run together with."""
    path = nodeid.partition("::")[0]
    return next((together for together in TOGETHER if path.startswith(together)), path)


def rank_of(nodeid: str) -> int:
    """When its turn comes: 0 is first."""
    return next((rank for rank, first in enumerate(FIRST) if nodeid.startswith(first)), len(FIRST))


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
