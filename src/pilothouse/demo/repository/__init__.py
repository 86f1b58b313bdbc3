"""The repository of the shop's checkout as the demo's forge holds it, and the changes that are proposed to it.

`base` is the first commit; each directory below `changes` holds the files that one change replaces. `environments` is
the first commit of the repository beside it, in which staging and production are declared.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def base() -> dict[str, str]:
    """The files of the first commit, by path."""
    return _files(_HERE / "base")


def environments() -> dict[str, str]:
    """The files of the repository that declares staging and production, by path."""
    return _files(_HERE / "environments")


def change(name: str) -> dict[str, str]:
    """The files that a change replaces, by path. Raises KeyError when there is no such change."""
    directory = _HERE / "changes" / name
    if not directory.is_dir():
        raise KeyError(name)
    return _files(directory)


def changes() -> list[str]:
    """The names of the changes."""
    return sorted(directory.name for directory in (_HERE / "changes").iterdir() if directory.is_dir())


def pricing(change: str = "") -> Path:
    """The pricing file of the first commit, or of a change."""
    return _HERE / "changes" / change / "pricing.py" if change else _HERE / "base" / "pricing.py"


def _files(directory: Path) -> dict[str, str]:
    found = (path for path in sorted(directory.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(directory)): path.read_text() for path in found}
