"""Dashboards are read from their folder, and a bad file spoils no other."""

from __future__ import annotations

from pathlib import Path

from pilothouse.server.dashboards import MOST_BYTES, read_dashboards


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert read_dashboards(tmp_path / "nothing") == []


def test_each_file_is_one_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('{"title": "B"}')
    (tmp_path / "a.json").write_text('{"title": "A"}')
    (tmp_path / "notes.txt").write_text("no dashboard")
    (tmp_path / "folder.json").mkdir()
    assert read_dashboards(tmp_path) == [
        {"name": "a", "content": {"title": "A"}},
        {"name": "b", "content": {"title": "B"}},
    ]


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe")
    (tmp_path / "b.json").write_text("[" * 100_000)
    (tmp_path / "c.json").write_text(" " * (MOST_BYTES + 1))
    said = [one["error"] for one in read_dashboards(tmp_path)]
    assert said[0].startswith("The file is not JSON")
    assert said[1].startswith("The file is not JSON")
    assert said[2] == "The file is larger than 2 MB."
