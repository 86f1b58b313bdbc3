"""From a pull request to its merge on the built-in forge, with real git and real runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.delivery.acting.room import Room, a_room


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with a_room(tmp_path_factory.mktemp("room")) as room:
        room.repository()
        yield room


def test_a_change_of_one_who_works_here_is_tested_on_its_merge_approved_and_merged(room: Room) -> None:
    number = room.pull("one", {"checks/one.sh": "test -f README.md\n"})
    assert room.finished(number) == "success"
    assert "size/XS" in room.labels(number)
    room.say(number, "ann", "/lgtm")
    assert any("cannot lgtm your own" in text for text in room.comments(number))
    room.say(number, "bob", "/lgtm\n/approve")
    room.merged(number)
    assert "checks/one.sh" in room.git("ls-tree", "-r", "--name-only", "main")
