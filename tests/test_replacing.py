"""A file is replaced whole: its rights stay, nothing is left behind, and what fails changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pilothouse.replacing import replace_file


def test_the_new_content_is_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    for content in (b"one", "zwei ü\r\n", b""):
        replace_file(path, content, durable=content == b"one")
        assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(tmp_path.iterdir()) == [path]


def test_rights(tmp_path: Path) -> None:
    path, before = tmp_path / "file", os.umask(0o027)
    try:
        replace_file(path, "x")
        assert path.stat().st_mode & 0o777 == 0o640
        path.chmod(0o606)
        replace_file(path, "y")
        assert path.stat().st_mode & 0o777 == 0o606
        replace_file(path, "z", 0o600)
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_what_fails_changes_nothing(tmp_path: Path) -> None:
    path, part = tmp_path / "file", tmp_path / "file.lock"
    path.write_text("old")
    part.touch()
    with pytest.raises(FileExistsError):
        replace_file(path, "new", part=part)
    part.unlink()
    with pytest.raises(UnicodeEncodeError):
        replace_file(path, "\ud800", part=part)
    (tmp_path / "folder" / "full").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        replace_file(tmp_path / "folder", "new")
    assert path.read_text() == "old"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder"]
