"""Weights are changed in place; the rest of the file stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilothouse.cli.mesh import app
from pilothouse.mesh.model import Name
from pilothouse.mesh.shifting import ShiftError, SplitFiles, shares, shift, weights_of

TEXT = """# who gets the traffic
apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {name: s, namespace: shop}
spec:
  service: checkout
  backends:
  - service: checkout-v1  # stable
    weight: 100
  - service: checkout-v2  # canary
    weight: 0
---
apiVersion: v1
kind: Service
metadata: {name: "checkout"}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "split.yaml").write_text(TEXT)
    return tmp_path / "split.yaml"


def test_only_the_weights_change(file: Path) -> None:
    assert shift(file.parent, Name("shop", "checkout"), {"checkout-v1": 95, "checkout-v2": 5}) == file
    assert file.read_text() == TEXT.replace("weight: 100", "weight: 95").replace("weight: 0", "weight: 5")
    assert weights_of(file, Name("shop", "checkout")) == {"checkout-v1": 95, "checkout-v2": 5}


def test_a_split_of_some_requests_only_is_no_split_of_the_service(file: Path) -> None:
    matched = TEXT.replace(
        "  service: checkout\n", "  service: checkout\n  matches: [{kind: HTTPRouteGroup, name: g}]\n"
    )
    file.write_text(matched)
    with pytest.raises(ShiftError, match=r"has matches \(s\): it divides only the requests that match"):
        weights_of(file, Name("shop", "checkout"))
    assert file.read_text() == matched


def test_a_rollout_shifts_by_versions_and_may_repeat_itself(file: Path) -> None:
    shifter = SplitFiles({"config": str(file), "namespace": "shop", "backend": "{service}-v{version}"})
    for _ in range(2):
        shifter.shift("checkout", {"1": 75, "2": 25}, "7-0-1")
    assert shifter.weights("checkout") == {"1": 75, "2": 25}
    assert shifter.weights("other") is None
    named = SplitFiles({"config": str(file), "backends": {"1.4.0": "checkout-v1", "1.5.0": "checkout-v2"}})
    assert named.weights("shop/checkout") == {"1.4.0": 75, "1.5.0": 25}


def test_a_versions_dots_are_dashes_in_the_name_of_a_service(tmp_path: Path) -> None:
    file = tmp_path / "split.yaml"
    file.write_text(TEXT.replace("checkout-v1", "checkout-1-4-0").replace("checkout-v2", "checkout-1-5-0"))
    shifter = SplitFiles({"config": str(file), "namespace": "shop"})
    shifter.shift("checkout", {"1.4.0": 95, "1.5.0": 5}, "7-0-1")
    assert shifter.weights("checkout") == {"1.4.0": 95, "1.5.0": 5}


@pytest.mark.parametrize(
    ("weights", "said"),
    [({"checkout-v3": 1}, "has no backend checkout-v3"), ({"checkout-v1": -1}, "not negative"),
     ({"checkout-v1": 0}, "no backend of shop/checkout would get traffic")],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_the_file_stays(file: Path, weights: dict[str, int], said: str) -> None:
    with pytest.raises(ShiftError, match=said):
        shift(file, Name("shop", "checkout"), weights)
    assert file.read_text() == TEXT


def test_others_divide_what_is_left() -> None:
    assert shares({"a": 60, "b": 30, "c": 0}, {"c": 10}) == {"a": 60, "b": 30, "c": 10}
    assert shares({"a": 1, "b": 1}, {"b": 5}) == {"a": 95, "b": 5}
    with pytest.raises(ShiftError):
        shares({"a": 1, "b": 1}, {"b": 101})


def test_the_command(file: Path) -> None:
    ran = CliRunner().invoke(app, ["shift", "shop/checkout", "checkout-v2=10", "--config", str(file)])
    assert (ran.exit_code, ran.stdout) == (0, "shop/checkout: checkout-v1 90 %, checkout-v2 10 %\n")
    wrong = CliRunner().invoke(app, ["shift", "shop/checkout", "checkout-v2", "--config", str(file)])
    assert wrong.exit_code == 3
    assert "BACKEND=PERCENT" in wrong.stderr


def test_a_server_takes_files_from_its_configuration_only(file: Path) -> None:
    from pilothouse.server.config import Config
    from pilothouse.server.process import _shifters

    assert "smi" not in _shifters(Config())
    made = _shifters(Config(mesh_config=str(file)))["smi"](
        {"config": "/etc", "namespace": "shop", "backend": "{service}-v{version}"}
    )
    made.shift("checkout", {"1": 50, "2": 50}, "key")
    assert made.weights("checkout") == {"1": 50, "2": 50}
