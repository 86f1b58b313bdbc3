"""What is told on resources and written beside others: a telling that has to wait, and two who write the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from pilothouse.kube import KubeObject
from pilothouse.mesh.controlling.kinds import INTERFACE, WRITTEN
from pilothouse.mesh.controlling.pending import Pending
from pilothouse.mesh.controlling.planning import Plan, Wanted
from pilothouse.mesh.controlling.telling import Teller
from pilothouse.mesh.controlling.watching import Watched
from pilothouse.mesh.controlling.writing import Writer
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.reading import Reading
from tests.kube.apiserver import ApiServer
from tests.mesh.controlling.cluster import cluster_with, conditions, create, events, eventually, stored
from tests.mesh.controlling.test_controller import split

LOST = Finding("loss", "glob", "TrafficSplit shop/pay", "spec", "has no equal")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A cluster with Istio's kinds."""
    running = cluster_with(tmp_path_factory.mktemp("cluster"), "istio")
    yield running
    running.stop()


@dataclass
class Writing:
    read: Watched
    written: Watched
    writer: Writer


@contextmanager
def writing(api: ApiServer, is_needed: Callable[[], bool] = lambda: False) -> Iterator[Writing]:
    """A writer, and what it sees: of the interface at once, of the mesh once it is started."""
    stopped, cluster = threading.Event(), api.cluster()
    read = Watched(cluster, INTERFACE, stopped.is_set, Pending())
    written = Watched(cluster, WRITTEN["istio"], stopped.is_set, Pending())
    writer = Writer(cluster, written, lambda: True, is_needed)
    read.start()
    try:
        eventually(lambda: read.synced)
        yield Writing(read, written, writer)
    finally:
        stopped.set()
        writer.close()


def put(api: ApiServer, name: str) -> None:
    api.put(json.loads(split(name, name)))


def wanted(name: str) -> Wanted:
    """An object of ours."""
    content = {
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": name, "namespace": "shop", "labels": {}}, "spec": {"hosts": [name]},
    }  # fmt: skip
    return Wanted(("networking.istio.io", "VirtualService", "shop", name), content, (), "")


def users(name: str) -> dict[str, Any]:
    """A user's object of the same name."""
    return {**wanted(name).content, "spec": {"hosts": ["example.com"]}}


def test_an_event_that_had_to_wait_is_told_at_the_next_look(api: ApiServer) -> None:
    """By then its condition stands on the resource already."""
    # A write is needed after the conditions were set and before the Events were told.
    needed = iter([False, True, True, True, True])
    put(api, "pay")
    with writing(api, lambda: next(needed, False)) as made:
        eventually(made.read.all)
        teller = Teller(made.writer, "istio")
        teller.tell(Reading(), [LOST], Plan(), {}, made.read.all())
        assert conditions(api, "TrafficSplit", "pay")["FullyExpressed"]["status"] == "False"
        assert not events(api, "UnsupportedByIstio")
        eventually(lambda: all(one.conditions for one in made.read.all().values()))
        for _ in range(2):
            teller.tell(Reading(), [LOST], Plan(), {}, made.read.all())
        assert len(events(api, "UnsupportedByIstio")) == 1


def test_conditions_of_another_writer_are_not_written_over(api: ApiServer) -> None:
    put(api, "shared")
    with writing(api) as made:
        eventually(lambda: any(key[3] == "shared" for key in made.read.all()))
        before = {key: one for key, one in made.read.all().items() if key[3] == "shared"}
        # Another controller writes its condition after we looked.
        theirs = {"type": "Audited", "status": "True", "reason": "Audited", "message": "", "observedGeneration": 1,
                  "lastTransitionTime": "2026-11-26T00:00:00Z"}  # fmt: skip
        cluster = api.cluster()
        resource = cluster.resource("TrafficSplit")
        cluster.patch(resource, "shared", {"status": {"conditions": [theirs]}}, "shop", "status")
        teller = Teller(made.writer, "istio")
        teller.tell(Reading(), [], Plan(), {}, before)
        assert made.writer.put_off
        assert set(conditions(api, "TrafficSplit", "shared")) == {"Audited"}
        # The next look has seen it, and says ours beside it.
        eventually(lambda: any(one.conditions for key, one in made.read.all().items() if key[3] == "shared"))
        made.writer.put_off = False
        teller.tell(Reading(), [], Plan(), {}, {key: one for key, one in made.read.all().items() if key in before})
        assert not made.writer.put_off
        found = conditions(api, "TrafficSplit", "shared")
        assert set(found) == {"Audited", "Accepted", "ResolvedRefs", "Programmed", "FullyExpressed"}
        assert found["Audited"] == theirs


def test_an_object_that_a_user_makes_at_the_last_moment_stays_the_users(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.cluster().apply(users("late"), "somebody")
    with writing(api) as made:
        # It came after we looked whether the name is free.
        monkeypatch.setattr(made.writer, "_check_free", lambda one, is_listed: None)
        one = wanted("late")
        made.writer.apply([one])
        assert "conflict" in made.writer.failed[one.key]
        kept = stored(api, "VirtualService", "late")
        assert kept
        assert kept["spec"] == {"hosts": ["example.com"]}
        assert "app.kubernetes.io/managed-by" not in kept["metadata"].get("labels", {})


def test_many_new_objects_are_looked_for_by_one_list(api: ApiServer) -> None:
    create(api, [users("many-3")])
    with writing(api) as made:
        rows = [wanted(f"many-{number}") for number in range(10)]
        api.api.seen.clear()
        made.writer.apply(rows)
        asked = [path for method, path, query in api.api.seen if method == "GET" and "virtualservices" in path]
        assert asked == ["/apis/networking.istio.io/v1/namespaces/shop/virtualservices"]
        assert set(made.writer.failed) == {rows[3].key}
        assert "is there and is not ours" in made.writer.failed[rows[3].key]
        assert made.writer.applied == 9
        kept = stored(api, "VirtualService", "many-3")
        assert kept
        assert kept["spec"] == {"hosts": ["example.com"]}


def test_fields_that_another_manager_took_from_ours_are_taken_back(api: ApiServer) -> None:
    with writing(api) as made:
        one = wanted("ours")
        made.writer.apply([one])
        cluster = api.cluster()
        cluster.apply(users("ours"), "somebody", force=True)
        made.writer.apply([one])
        assert not made.writer.failed
        found = stored(api, "VirtualService", "ours")
        assert found
        assert KubeObject(found).spec == {"hosts": ["ours"]}
