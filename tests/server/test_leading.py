"""Who leads: one of two, and the other when it ends; a leader that was replaced gives up."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pilothouse.control.claiming import Claim
from pilothouse.control.opening import open_database
from pilothouse.server.leading import Leading


def _wait(condition: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_begins_and_the_other_when_it_has_ended(tmp_path: Path) -> None:
    database, said = open_database(f"sqlite:///{tmp_path}/control.db"), list[str]()
    one, other = (
        Leading(Claim(database, "leading", name), lambda name=name: said.append(name), lambda: said.append("!"), 0.01)  # type: ignore[misc]
        for name in ("one", "other")
    )
    one.start()
    other.start()
    assert (one.leads, other.leads, said) == (True, False, ["one"])
    one.close()
    one.let_go()
    _wait(lambda: other.leads)
    assert said == ["one", "other"]
    other.close()
    database.dispose()


def test_a_leader_that_was_replaced_gives_up(tmp_path: Path) -> None:
    database, now, said = open_database(f"sqlite:///{tmp_path}/control.db"), [1000.0], list[str]()
    claim = Claim(database, "leading", "one", 30, lambda: now[0])
    one = Leading(claim, lambda: said.append("begin"), lambda: said.append("give up"), 0.01)
    one.start()
    # It was held up for a minute, and did not see that its lease ran out.
    assert Claim(database, "leading", "other", 30, lambda: now[0] + 60).held()
    now[0] += 61
    _wait(lambda: "give up" in said)
    assert said == ["begin", "give up"]
    assert "another server leads" in one.reason
    one.close()
    database.dispose()


def test_what_cannot_be_begun_is_said_at_the_start(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/control.db")

    def begin() -> None:
        raise OSError("no such rules")

    one = Leading(Claim(database, "leading", "one"), begin, lambda: None)
    with pytest.raises(OSError, match="no such rules"):
        one.start()
    one.close()
    database.dispose()
