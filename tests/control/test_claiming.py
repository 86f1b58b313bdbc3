"""Two processes on one control plane: one does it, and the other takes over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pilothouse.control import opening
from pilothouse.control.claiming import Claim
from pilothouse.control.opening import open_database


def test_one_holds_it_and_the_other_takes_over(tmp_path: Path) -> None:
    url, now = f"sqlite:///{tmp_path}/control.db", [1000.0]
    one, other = (Claim(open_database(url), "promotions", owner, 30, lambda: now[0]) for owner in ("one", "other"))
    assert (one.held(), other.held(), one.held()) == (True, False, True)
    now[0] += 25
    assert (one.held(), other.held()) == (True, False), "renewed while it is held"
    now[0] += 31
    assert (other.held(), one.held()) == (True, False), "it ended by itself"
    other.let_go()
    assert (one.held(), other.held()) == (True, False), "it was given back"
    one.database.dispose()
    other.database.dispose()


def test_a_process_that_is_gone_is_not_waited_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/control.db"
    program = (
        "import sys, sqlalchemy; from pilothouse.control.claiming import Claim; "
        "from pilothouse.control.opening import open_database; "
        "sys.exit(not Claim(open_database(sys.argv[1]), 'promotions').held())"
    )
    assert subprocess.run([sys.executable, "-c", program, opening.address(url)], timeout=120).returncode == 0
    claim = Claim(open_database(url), "promotions")
    assert claim.held()
    claim.database.dispose()
