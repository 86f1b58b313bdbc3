"""Who acts on the forge from the command line, and what is said when nobody does."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from pilothouse.cli import forge_access


def test_without_a_token_it_is_said_where_one_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    monkeypatch.setattr(forge_access, "call", lambda *_, **__: None)
    with pytest.raises(typer.Exit):
        forge_access.Asking("http://127.0.0.1:1", None).post("/repositories", {})
    said = capsys.readouterr().err
    assert str(tmp_path / "forge" / "admin.token") in said
    assert "PILOTHOUSE_DATA" in said
    (tmp_path / "forge").mkdir()
    (tmp_path / "forge" / "admin.token").write_text("phf_x\n")
    assert forge_access.Asking("http://127.0.0.1:1", None).token() == "phf_x"
