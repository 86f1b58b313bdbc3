"""The inbox on a real PostgreSQL: two consumers, each event once, and each pull request in order."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.delivery.forges import Event
from pilothouse.delivery.inbox import Inbox, Limits, work
from tests.ports import free_port

_FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def _as_nobody() -> list[str]:
    """PostgreSQL does not run as root."""
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    if not _FOUND or (os.geteuid() == 0 and not shutil.which("setpriv")):
        pytest.skip("needs PostgreSQL's server (Debian: postgresql), and setpriv when run as root")
    with tempfile.TemporaryDirectory(prefix="pg") as place:
        port = free_port()
        if os.geteuid() == 0:
            shutil.chown(place, "nobody")
        data, tools = f"{place}/data", _FOUND[-1].parent
        environment = {**os.environ, "HOME": place, "LC_ALL": "C"}

        def run(*command: str) -> None:
            subprocess.run([*_as_nobody(), *command], check=True, capture_output=True, env=environment, cwd=place)

        run(f"{tools}/initdb", "-D", data, "-U", "pilot", "-A", "trust", "--no-sync")
        options = f"-p {port} -k {place} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB"
        run(f"{tools}/pg_ctl", "-D", data, "-o", options, "-l", f"{place}/log", "-w", "start")
        try:
            yield f"postgresql+pg8000://pilot@127.0.0.1:{port}/postgres"
        finally:
            run(f"{tools}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def event(delivery: str, number: int) -> Event:
    """An event of a pull request."""
    return Event(delivery, "github", "acme/shop", "pull_request", "opened", number)


def test_two_processes_share_the_work_and_do_each_event_once(url: str) -> None:
    inboxes = [Inbox(url, Limits(polling=0.05)) for _ in range(2)]
    one, other = inboxes
    assert one.put_now(event("d", 1), "x" * 64)
    assert not other.put_now(event("d", 1), "y" * 64)
    assert not other.put_now(event("e", 1), "x" * 64)
    for count in range(15):
        for number in range(4):
            inboxes[count % 2].put_now(event(f"{number}-{count:02}", number + 10))
    seen: list[str] = []

    async def handle(given: Event) -> None:
        seen.append(given.delivery)
        await asyncio.sleep(0.002)

    async def consume(inbox: Inbox) -> None:
        ends = time.monotonic() + 90
        worker = asyncio.ensure_future(work(inbox, handle, 3))
        while inbox.counts().get("done", 0) < 61 and time.monotonic() < ends:  # noqa: ASYNC110 - a database is asked
            await asyncio.sleep(0.05)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    threads = [threading.Thread(target=lambda inbox=inbox: asyncio.run(consume(inbox))) for inbox in inboxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one.counts() == {"done": 61}
    assert len(seen) == 61
    for number in range(4):
        mine = [delivery for delivery in seen if delivery.startswith(f"{number}-")]
        assert mine == sorted(mine)
    assert [kept.delivery for kept in other.events(limit=1)] == ["3-14"]
    for inbox in inboxes:
        inbox.close()
