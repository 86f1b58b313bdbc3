"""A rollout's weights in a cluster's TrafficSplit, while somebody else writes to it too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pilothouse.kube import Cluster
from pilothouse.mesh.shifting import ShiftError
from pilothouse.mesh.shifting_objects import SplitObjects
from tests.kube.apiserver import ApiServer
from tests.mesh.controlling.cluster import cluster_with, stored
from tests.mesh.test_api import SHOP

SETTINGS = {"namespace": "shop", "backends": {"1.0": "checkout-v1", "2.0": "checkout-v2"}}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    running = cluster_with(tmp_path, "")
    for content in yaml.load_all(SHOP, Loader=yaml.CSafeLoader):
        running.put(content)
    yield running
    running.stop()


def backends(api: ApiServer) -> dict[str, Any]:
    split = stored(api, "TrafficSplit", "checkout")
    assert split
    return {one["service"]: one["weight"] for one in split["spec"]["backends"]}


def test_weights_are_set_and_told(api: ApiServer) -> None:
    shifter = SplitObjects(api.cluster, SETTINGS)
    assert shifter.weights("checkout") == {"1.0": 90, "2.0": 10}
    for _ in range(2):
        shifter.shift("checkout", {"1.0": 40, "2.0": 60}, "a-key")
        assert backends(api) == {"checkout-v1": 40, "checkout-v2": 60}
    assert shifter.weights("shop/checkout") == {"1.0": 40, "2.0": 60}
    assert shifter.weights("other") is None


def test_a_write_in_between_is_not_lost(api: ApiServer) -> None:
    split = stored(api, "TrafficSplit", "checkout")
    assert split

    class Quicker(Cluster):
        """Somebody adds a backend between our reading and our writing, once."""

        done = False

        def patch(self, *args: Any, **kwargs: Any) -> Any:
            if not Quicker.done:
                Quicker.done = True
                more = [*split["spec"]["backends"], {"service": "checkout-v3", "weight": 0}]
                api.put({**split, "spec": {**split["spec"], "backends": more}})
            return super().patch(*args, **kwargs)

    SplitObjects(lambda: Quicker(api.cluster().client), SETTINGS).shift("checkout", {"1.0": 0, "2.0": 100}, "key")
    assert backends(api) == {"checkout-v1": 0, "checkout-v2": 100, "checkout-v3": 0}


@pytest.mark.parametrize(
    ("service", "weights", "said"),
    [
        ("checkout", {"3.0": 100}, "has no backend checkout-3-0"),
        ("checkout", {"1.0": 0, "2.0": 0}, "no backend of shop/checkout would get traffic"),
        ("search", {"1.0": 100}, "no TrafficSplit of shop/search"),
    ],
)
def test_what_cannot_be_done_is_said(api: ApiServer, service: str, weights: dict[str, int], said: str) -> None:
    with pytest.raises(ShiftError, match=said):
        SplitObjects(api.cluster, SETTINGS).shift(service, weights, "key")
    assert backends(api) == {"checkout-v1": 90, "checkout-v2": 10}
