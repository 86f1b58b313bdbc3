"""The parts of the demo's loop that need no shop: changes, mesh files, what is said at the end."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pilothouse.demo import repository
from pilothouse.demo.loop.changes import CHANGES, SCENARIOS, of
from pilothouse.demo.loop.mesh import MeshFiles
from pilothouse.demo.loop.reporting import otherwise, print_outcomes
from pilothouse.demo.loop.tale import Outcome
from pilothouse.kube import read
from pilothouse.mesh.envoy.local import read_local_mesh
from pilothouse.mesh.reading import read_objects
from pilothouse.mesh.shifting import SplitFiles


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_change_passes_the_repositorys_own_tests(name: str, tmp_path: Path) -> None:
    for path, text in (repository.base() | repository.change(name)).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    ran = subprocess.run(
        [sys.executable, "-m", "unittest"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert name in repository.changes()
    assert repository.change(name) != {}


def test_a_split_follows_versions_and_keeps_what_a_rollout_wrote(tmp_path: Path) -> None:
    files = MeshFiles(tmp_path, "127.0.0.1:9001")
    files.begin("1.0.0", "http://127.0.0.1:8001")
    files.add("1.1.0", "http://127.0.0.1:8002")
    assert (files.weight("1.0.0"), files.weight("1.1.0"), files.weight("2.0.0")) == (100, 0, 0)
    SplitFiles({"config": str(files.smi), "namespace": "shop"}).shift("checkout", {"1.0.0": 95, "1.1.0": 5}, "k")
    files.add("1.2.0", "http://127.0.0.1:8003")
    assert (files.weight("1.0.0"), files.weight("1.1.0"), files.weight("1.2.0")) == (95, 5, 0)
    files.remove("1.1.0")
    assert files.weights() == {"checkout-1-2-0": 0, "checkout-1-0-0": 95}
    assert [str(finding) for finding in read_objects(read([files.smi]).objects, "shop").findings] == []
    mesh = read_local_mesh(files.services)
    assert {str(name) for name in mesh.services} == {"shop/checkout", "shop/checkout-1-0-0", "shop/checkout-1-2-0"}


def rolled(state: str, findings: list[str]) -> dict[str, Any]:
    evidence = {"verdict": "worse", "findings": findings, "stories": []}
    return {"state": state, "events": [{"kind": "verdict", "words": "it is worse", "evidence": evidence}]}


def test_what_went_otherwise_is_said() -> None:
    bad, good = of("regression")
    right = [
        Outcome(bad, 1, "rolled_back", "1.1.0", rolled("rolled_back", ["POST /checkout is slower"]), ["rolled back"]),
        Outcome(good, 2, "deployed", "1.1.1"),
    ]
    assert otherwise(right, "regression") == []
    shown = StringIO()
    print_outcomes(Console(file=shown, width=200), right, "http://here")
    assert "rolled back" in shown.getvalue()
    assert "planted      all 2^n sets" in shown.getvalue()
    assert "planted      nothing" in shown.getvalue()
    assert "http://here/releases/checkout/1.1.0" in shown.getvalue()
    through = [Outcome(bad, 1, "deployed", "1.1.0"), right[1]]
    assert otherwise(through, "regression") == [
        "'feat: take several coupons at once' is in production, not rolled back"
    ]
    assert (
        "names none of POST /checkout"
        in otherwise(
            [Outcome(bad, 1, "rolled_back", "1.1.0", rolled("rolled_back", ["threads"])), right[1]], "regression"
        )[0]
    )
    assert "did not get its turn" in otherwise(right[:1], "regression")[0]


def test_a_scenario_ends_well() -> None:
    assert [change.name for change in of("good")] == ["good"]
    assert all(of(name)[-1].fate == "deployed" for name in CHANGES)
