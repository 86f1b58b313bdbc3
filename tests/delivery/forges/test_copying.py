"""A copy of the repositories and of the database is the forge as it was, or a little later."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pilothouse.delivery.forges.local.copying import copy_repositories
from tests.delivery.forges.conftest import Shop, open_shop


@pytest.mark.skipif("config.getoption('--control') != 'sqlite'", reason="about a file of SQLite's")
def test_a_copy_opens_with_all_that_was_pushed_until_then(shop: Shop, tmp_path: Path) -> None:
    number = shop.pull("fast", {"a": b"1"})
    copy = tmp_path.parent / f"{tmp_path.name}-copy"
    copy.mkdir()
    shop.house.store.close()
    shutil.copyfile(tmp_path / "control.db", copy / "control.db")
    head = shop.by("bob").commit_files("shop/cart", "fast", "after the database", {"a": b"2"})
    assert copy_repositories(tmp_path / "forge", copy / "forge") == 1
    again = open_shop(copy)
    assert again.told() == ["push", f"pull_request synchronize {number} bob"]
    assert again.bot.pull_request("shop/cart", number).head.sha == head
    assert again.bot.merge("shop/cart", number, "merge", head)
    again.house.close()
