"""What is told on resources, when the telling has to wait for a write."""

from __future__ import annotations

import threading
from pathlib import Path

from pilothouse.mesh.controlling.kinds import INTERFACE
from pilothouse.mesh.controlling.pending import Pending
from pilothouse.mesh.controlling.planning import Plan
from pilothouse.mesh.controlling.telling import Teller
from pilothouse.mesh.controlling.watching import Watched
from pilothouse.mesh.controlling.writing import Writer
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.reading import Reading
from tests.mesh.controlling.cluster import cluster_with, conditions, events, eventually
from tests.mesh.controlling.test_controller import apply, split


def test_an_event_that_had_to_wait_is_told_at_the_next_look(tmp_path: Path) -> None:
    """By then its condition stands on the resource already."""
    api = cluster_with(tmp_path, "istio")
    stopped, cluster = threading.Event(), api.cluster()
    read = Watched(cluster, INTERFACE, stopped.is_set, Pending())
    # A write is needed after the conditions were set and before the Events were told.
    needed = iter([False, True, True, True, True])
    writer = Writer(cluster, read, lambda: True, lambda: next(needed, False))
    try:
        apply(api, split("pay", "pay"))
        read.start()
        eventually(lambda: read.synced and read.all())
        teller = Teller(writer, "istio")
        said = Finding("loss", "glob", "TrafficSplit shop/pay", "spec", "has no equal")
        teller.tell(Reading(), [said], Plan(), {}, read.all())
        assert conditions(api, "TrafficSplit", "pay")["FullyExpressed"]["status"] == "False"
        assert not events(api, "UnsupportedByIstio")
        eventually(lambda: all(one.conditions for one in read.all().values()))
        for _ in range(2):
            teller.tell(Reading(), [said], Plan(), {}, read.all())
        assert len(events(api, "UnsupportedByIstio")) == 1
    finally:
        stopped.set()
        writer.close()
        api.stop()
