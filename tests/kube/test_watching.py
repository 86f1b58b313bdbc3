"""A collection followed: each change once, through ends, gaps and refusals."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from pilothouse.kube import ApiError, Cluster, WatchEvent, follow
from tests.kube.apiserver import ApiServer
from tests.kube.test_cluster import config_map


def told(events: Iterator[WatchEvent], count: int) -> list[tuple[str, str]]:
    return [(event.type, event.object.name if event.object else "") for event in itertools.islice(events, count)]


def test_what_is_there_then_what_changes(api: ApiServer) -> None:
    api.put(config_map("a"))
    cluster = api.cluster()
    events = follow(cluster, cluster.resource("ConfigMap"))
    assert told(events, 2) == [("ADDED", "a"), ("SYNCED", "")]
    api.put(config_map("b"))
    api.put(config_map("b", x="1"))
    cluster.delete(cluster.resource("ConfigMap"), "a")
    assert told(events, 3) == [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "a")]


def test_a_watch_that_the_server_ends_goes_on_where_it_was(api: ApiServer) -> None:
    cluster = api.cluster()
    events = follow(cluster, cluster.resource("ConfigMap"), quiet=1)
    assert told(events, 1) == [("SYNCED", "")]
    threading.Timer(1.5, api.put, [config_map("late")]).start()
    assert told(events, 1) == [("ADDED", "late")]
    lists = [query for _, path, query in api.api.seen if path.endswith("configmaps") and "watch" not in query]
    assert len(lists) == 1


def test_a_gap_is_listed_again_and_the_difference_told(api: ApiServer) -> None:
    for name in ("stays", "changes", "goes"):
        api.put(config_map(name))
    cluster = api.cluster()
    events = follow(cluster, cluster.resource("ConfigMap"), quiet=1)
    assert len(told(events, 4)) == 4

    def compact() -> None:
        with api.store.changed:
            api.put(config_map("changes", x="1"))
            api.store.delete(cluster.resource("ConfigMap"), "default", "goes")
            api.put(config_map("comes"))
            api.store.forget()

    compact()
    assert sorted(told(events, 3)) == [("ADDED", "comes"), ("DELETED", "goes"), ("MODIFIED", "changes")]


def test_what_is_forbidden_is_said_at_once(api: ApiServer) -> None:
    cluster = api.cluster()
    resource = cluster.resource("Secret")
    api.api.refused["/api/v1/secrets"] = 403
    with pytest.raises(ApiError, match="refused"):
        next(follow(cluster, resource))


def test_stopping(api: ApiServer) -> None:
    stop = threading.Event()
    cluster: Cluster = api.cluster()
    events = follow(cluster, cluster.resource("ConfigMap"), stopping=stop.is_set, quiet=1)
    next(events)
    stop.set()
    assert list(events) == []
