"""Verdicts that are kept."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from pilothouse.engine import Engine
from pilothouse.releases import store as stored
from pilothouse.releases.comparing import compare
from pilothouse.releases.comparison import Comparison
from pilothouse.releases.store import VerdictStore
from tests.releases.conftest import CANARY


@pytest.fixture(scope="module")
def verdicts(shop: Engine) -> list[Comparison]:
    return [compare(shop, "checkout", "1.0.0", version, CANARY) for version in ("2.0.0", "2.0.1")]


def test_the_last_verdict_on_each_release_is_found(tmp_path: Path, verdicts: list[Comparison]) -> None:
    store = VerdictStore(f"sqlite:///{tmp_path}/control.db")
    for one in (*verdicts, verdicts[0]):
        store.keep(one)
    latest = store.latest()
    assert {key: one.verdict for key, one in latest.items()} == {
        ("checkout", "2.0.0"): "worse",
        ("checkout", "2.0.1"): "no_worse",
    }
    assert latest["checkout", "2.0.0"].page == verdicts[0].page
    assert latest["checkout", "2.0.0"].at > latest["checkout", "2.0.1"].at
    assert store.latest("payments") == {}
    store.close()


def test_they_are_there_after_a_restart(tmp_path: Path, verdicts: list[Comparison]) -> None:
    url = f"sqlite:///{tmp_path}/control.db"
    first = VerdictStore(url)
    first.keep(verdicts[0])
    first.close()
    second = VerdictStore(url)
    assert second.latest("checkout")["checkout", "2.0.0"].summary == verdicts[0].summary
    second.close()


def test_many_threads_may_keep(tmp_path: Path, verdicts: list[Comparison]) -> None:
    store = VerdictStore(f"sqlite:///{tmp_path}/control.db")
    threads = [threading.Thread(target=store.keep, args=(verdicts[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.latest()) == 2
    store.close()


def test_the_table_is_one_for_postgresql_too() -> None:
    text = str(CreateTable(stored._verdicts).compile(dialect=postgresql.dialect()))
    assert "id BIGSERIAL NOT NULL" in text
    assert "comparison TEXT NOT NULL" in text
