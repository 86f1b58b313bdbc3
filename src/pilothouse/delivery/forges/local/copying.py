"""Copying the repositories of a forge that works, for a backup."""

from __future__ import annotations

import shutil
from pathlib import Path

# A pack is written under another name and renamed, loose objects vanish when they are packed.
_TRIES = 3


def copy_repositories(forge: Path, target: Path) -> int:
    """Copy all repositories below a forge's directory; how many. Raises `OSError`.

    Refs go first and the objects after them, so that all that a ref names is there: objects are only ever added, but
    for those that nothing has referred to for two weeks. To be called after the database was copied: what was pushed
    in between is then told of by the process that opens the copy.
    """
    found = sorted((forge / "repositories").glob("*.git"))
    for repository in found:
        own = target / "repositories" / repository.name
        for name in ("HEAD", "config", "refs", "packed-refs", "objects"):
            _copied(repository / name, own / name)
    return len(found)


def _copied(source: Path, target: Path) -> None:
    for turn in range(_TRIES):
        try:
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("tmp_*", "*.lock"))
            elif source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
            return
        except (FileNotFoundError, shutil.Error):
            if turn == _TRIES - 1:
                raise
