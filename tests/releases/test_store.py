"""Verdicts that are kept."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from pilothouse.engine import Engine
from pilothouse.releases.comparing import compare
from pilothouse.releases.comparison import Comparison
from pilothouse.releases.mark import Mark
from pilothouse.releases.store import ReleaseStore
from pilothouse.releases.store import verdicts as kept
from pilothouse.signals.sentences import from_parts
from pilothouse.signals.timerange import TimeRange
from tests.releases.conftest import CANARY


@pytest.fixture(scope="module")
def verdicts(shop: Engine) -> list[Comparison]:
    return [compare(shop, "checkout", "1.0.0", version, CANARY) for version in ("2.0.0", "2.0.1")]


def test_the_last_verdict_on_each_release_is_found(tmp_path: Path, verdicts: list[Comparison]) -> None:
    store = ReleaseStore(f"sqlite:///{tmp_path}/control.db")
    for one in (*verdicts, verdicts[0]):
        store.verdicts.keep(one)
    latest = store.verdicts.latest()
    assert {key: one.verdict for key, one in latest.items()} == {
        ("checkout", "2.0.0"): "worse",
        ("checkout", "2.0.1"): "no_worse",
    }
    assert latest["checkout", "2.0.0"].page.startswith(f"{verdicts[0].page}&verdict=")
    assert latest["checkout", "2.0.0"].at > latest["checkout", "2.0.1"].at
    assert store.verdicts.latest("payments") == {}
    store.close()


def test_they_are_there_after_a_restart(tmp_path: Path, verdicts: list[Comparison]) -> None:
    url = f"sqlite:///{tmp_path}/control.db"
    first = ReleaseStore(url)
    first.verdicts.keep(verdicts[0])
    first.close()
    second = ReleaseStore(url)
    kept = second.verdicts.latest("checkout")["checkout", "2.0.0"]
    assert kept.summary == verdicts[0].summary
    assert kept.said is not None
    assert from_parts(kept.said) == kept.summary, "other languages make it anew of its parts"
    second.close()


def test_many_threads_may_keep(tmp_path: Path, verdicts: list[Comparison]) -> None:
    store = ReleaseStore(f"sqlite:///{tmp_path}/control.db")
    threads = [threading.Thread(target=store.verdicts.keep, args=(verdicts[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.verdicts.latest()) == 2
    store.close()


def test_the_table_is_one_for_postgresql_too() -> None:
    text = str(CreateTable(kept._verdicts).compile(dialect=postgresql.dialect()))
    assert "id BIGSERIAL NOT NULL" in text
    assert "comparison TEXT NOT NULL" in text


def test_a_mark_set_again_replaces_the_first(tmp_path: Path) -> None:
    store = ReleaseStore(f"sqlite:///{tmp_path}/control.db")
    store.marks.keep(Mark("checkout", "2.0.0", 10, commit="a"))
    store.marks.keep(Mark("checkout", "2.0.0", 20, commit="b"))
    store.marks.keep(Mark("checkout", "2.0.0", 30, environment="staging"))
    store.marks.keep(Mark("checkout", "2.0.0", 40, kind="config"))
    store.marks.keep(Mark("checkout", "2.0.0", 50, kind="config"))
    store.marks.keep(Mark("payments", "1.0.0", 60))
    assert [(one.at, one.commit) for one in store.marks.all("checkout")] == [
        (50, ""), (40, ""), (30, ""), (20, "b"),
    ]  # fmt: skip
    assert [one.at for one in store.marks.all(within=TimeRange(30, 60))] == [50, 40, 30]
    store.close()


def test_the_whole_comparison_is_kept(tmp_path: Path, verdicts: list[Comparison]) -> None:
    store = ReleaseStore(f"sqlite:///{tmp_path}/control.db")
    key = store.verdicts.keep(verdicts[0])
    assert store.verdicts.whole(key) == verdicts[0].to_json()
    assert store.verdicts.whole(key + 1) is None
    store.close()


def test_what_a_version_was_made_of_stays_known(tmp_path: Path) -> None:
    store = ReleaseStore(f"sqlite:///{tmp_path}/control.db")
    made = Mark("cart", "1.0.0", 10, forge="github", repository="acme/cart", pulls=(7, 8), run="test-1", tag="v1.0.0")
    store.marks.keep(made)
    store.marks.keep(Mark("cart", "1.0.0", 20, by="rollout 3"))
    store.marks.keep(Mark("cart", "1.0.0", 30, environment="staging"))
    assert [(one.at, one.pulls, one.run) for one in store.marks.all("cart")] == [
        (30, (7, 8), "test-1"), (20, (7, 8), "test-1"),
    ]  # fmt: skip
    said = store.marks.all("cart")[0].to_json()["made_of"]
    store.close()
    assert said["provenance"] == "/api/delivery/releases/provenance?repository=github%3Aacme%2Fcart&tag=v1.0.0"
