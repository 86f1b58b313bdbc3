"""Which version a resource is of, by the same rule in Python and in SQL."""

from __future__ import annotations

import pytest

from pilothouse.engine import Engine
from pilothouse.releases.identifying import VERSION_SQL, version_of

CASES = [
    ({}, ""),
    ({"service.version": "1.2.3", "container.image.tags": '["9"]'}, "1.2.3"),
    ({"k8s.pod.label.app.kubernetes.io/version": "2.0", "container.image.tag": "9"}, "2.0"),
    ({"container.image.tags": '["2.1.0","latest"]'}, "2.1.0"),
    ({"container.image.tag": "v7"}, "v7"),
    ({"container.image.tags": '["latest"]', "k8s.replicaset.name": "checkout-5d4f8c7b9"}, "5d4f8c7b9"),
    ({"k8s.replicaset.name": "plain"}, "plain"),
]


@pytest.mark.parametrize(("attributes", "version"), CASES)
def test_the_first_that_is_there_counts(shop: Engine, attributes: dict[str, str], version: str) -> None:
    assert version_of(attributes) == version
    pairs = {f"k{n}": key for n, key in enumerate(attributes)}
    pairs |= {f"v{n}": text for n, text in enumerate(attributes.values())}
    inner = ", ".join(f"{{k{n}:String}}, {{v{n}:String}}" for n in range(len(attributes)))
    made = f"CAST(map({inner}), 'Map(String, String)')" if inner else "CAST(map(), 'Map(String, String)')"
    table = shop.query(f"SELECT {VERSION_SQL} AS version FROM (SELECT {made} AS attributes)", pairs)
    assert table.column("version").to_pylist() == [version]
