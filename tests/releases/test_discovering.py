"""Services and releases as their telemetry names them."""

from __future__ import annotations

from pilothouse.engine import Engine
from pilothouse.releases.discovering import releases, services
from pilothouse.releases.release import Release
from pilothouse.signals.timerange import TimeRange
from tests.releases.world import SECOND, START


def found(engine: Engine) -> dict[str, Release]:
    return {one.version: one for one in releases(engine, "checkout")}


def test_releases_are_found_newest_first(shop: Engine) -> None:
    versions = [one.version for one in releases(shop, "checkout")]
    assert versions[0] == "3.0.0"
    assert set(versions) == {"3.0.0", "2.0.0", "2.0.1", "1.0.0", "0.9.0"}


def test_a_release_has_times_instances_and_signals(shop: Engine) -> None:
    one = found(shop)["1.0.0"]
    assert one.first_seen == START - 40 * SECOND
    assert one.last_seen == START + 30 * SECOND
    assert one.instances == 2
    assert one.signals == ("logs", "metrics", "traces", "profiles")


def test_the_one_before_is_the_one_first_seen_before(shop: Engine) -> None:
    assert found(shop)["3.0.0"].previous in ("2.0.0", "2.0.1")
    first = [one for one in found(shop).values() if not one.previous]
    assert [one.version for one in first] in (["0.9.0"], ["1.0.0"])


def test_a_service_without_a_version_has_no_releases(shop: Engine) -> None:
    assert releases(shop, "batch") == []
    batch = next(one for one in services(shop) if one["name"] == "batch")
    assert [one["version"] for one in batch["versions"]] == [""]


def test_services_list_their_versions(shop: Engine) -> None:
    names = [one["name"] for one in services(shop)]
    assert names == sorted(names)
    checkout = next(one for one in services(shop) if one["name"] == "checkout")
    assert checkout["first_seen"] == "2026-05-28T20:26:00.000000000Z"
    assert checkout["signals"] == ["logs", "metrics", "traces", "profiles"]
    assert checkout["versions"][0]["version"] == "3.0.0"
    assert checkout["versions"][0]["instances"] == 1


def test_a_range_leaves_out_who_was_silent(shop: Engine) -> None:
    before = TimeRange(START - 60 * SECOND, START - 20 * SECOND)
    assert {one.version for one in releases(shop, "checkout", before)} == {"1.0.0", "0.9.0"}
    assert services(shop, TimeRange(0, SECOND)) == []


def test_an_unknown_service_has_none(shop: Engine) -> None:
    assert releases(shop, "nobody") == []
    assert releases(shop, "' OR 1 = 1 --") == []
