"""What a repository is made of, by its files: the language, how it is tested, how it is run."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Detected:
    """`language` for people, the file that gave it away, the image of the pipeline's step, and shell commands.

    `prepare` fetches what the tests need, `test` is what must succeed, `run` starts the service on `$PORT`; each may be
    empty.
    """

    language: str
    because: str
    image: str
    test: str
    prepare: str = ""
    run: str = ""


def detect(root: Path) -> Detected:
    """What the repository is; where nothing gives it away, the only test is that no merge was left half done."""
    for look in (_python, _node, _go, _rust, _maven, _gradle, _ruby):
        found = look(root)
        if found is not None:
            return _with_make(root, found)
    nothing = Detected("", "", "bash", _NO_CONFLICTS)
    return _with_make(root, nothing)


# Lines that git leaves where a merge did not work out.
_NO_CONFLICTS = "! grep -rnIE '^(<<<<<<<|>>>>>>>) ' --exclude-dir=.git ."


# What unittest does not find: functions by themselves.
_FOR_PYTEST = re.compile(r"^(?:import pytest|from pytest|(?:async )?def test_)", re.MULTILINE)
_MOST_READ = 20


def _python(root: Path) -> Detected | None:
    because = _first(root, "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt")
    sources = list(_shallow(root, "*.py"))
    if not because and not sources:
        return None
    project = _toml(root / "pyproject.toml").get("project") or {}
    wanted = [f"-r {name}" for name in ("requirements.txt", "requirements-dev.txt") if (root / name).is_file()]
    if isinstance(project, dict) and (project.get("dependencies") or project.get("optional-dependencies")):
        extras = [name for name in project.get("optional-dependencies") or {} if name in ("test", "tests", "dev")]
        wanted.append(f"-e '.[{','.join(extras)}]'" if extras else "-e .")
    pytest = "pytest" in " ".join(_read(root / name) for name in ("pyproject.toml", "requirements.txt", "tox.ini",
                                                                 "requirements-dev.txt", "setup.cfg"))  # fmt: skip
    tested = [path for path in sources if re.match(r"test_.*\.py|.*_test\.py", path.name)]
    if not pytest and any(_FOR_PYTEST.search(_read(path)) for path in tested[:_MOST_READ]):
        pytest = True
        wanted.append("pytest")
    python = ".venv/bin/python" if wanted else "python3"
    prepare = f"test -x .venv/bin/python || python3 -m venv .venv\n{python} -m pip install -q {' '.join(wanted)}"
    if pytest:
        test = f"{python} -m pytest -q"
    elif tested:
        test = _unittest(python, root, tested[0].parent)
    else:
        test = f"{python} -m compileall -q -x '\\.venv' ."
    because = because or sources[0].name
    return Detected("Python", because, "python:3", test, prepare if wanted else "", _python_run(root))


def _unittest(python: str, root: Path, tests: Path) -> str:
    """Tests in a folder that is no package find the repository's own modules only when they are told where."""
    if tests == root:
        return f"{python} -m unittest discover"
    below = tests.relative_to(root)
    if (tests / "__init__.py").is_file():
        return f"{python} -m unittest discover -s {below} -t ."
    return f"PYTHONPATH=. {python} -m unittest discover -s {below}"


def _python_run(root: Path) -> str:
    if (root / "manage.py").is_file():
        return "python3 manage.py runserver 127.0.0.1:$PORT"
    if name := _first(root, "app.py", "main.py", "server.py"):
        return f"python3 {name}"
    packages = [path.parent for path in [*root.glob("*/__main__.py"), *root.glob("src/*/__main__.py")]]
    return f"python3 -m {packages[0].name}" if packages else ""


def _node(root: Path) -> Detected | None:
    if not (root / "package.json").is_file():
        return None
    content = _json(root / "package.json")
    scripts = content.get("scripts") if isinstance(content.get("scripts"), dict) else {}
    assert isinstance(scripts, dict)
    wanted = any(content.get(part) for part in ("dependencies", "devDependencies"))
    locked = (root / "package-lock.json").is_file()
    test = str(scripts.get("test") or "")
    tested = bool(test) and "no test specified" not in test
    checked = "npm test" if tested else f"node --check {content.get('main') or 'index.js'}"
    return Detected(
        "JavaScript", "package.json", "node:22", checked, ("npm ci" if locked else "npm install") if wanted else "",
        "npm start" if "start" in scripts else "",
    )  # fmt: skip


def _go(root: Path) -> Detected | None:
    if not (root / "go.mod").is_file():
        return None
    return Detected("Go", "go.mod", "golang:1", "go vet ./...\ngo test ./...", "", "go run .")


def _rust(root: Path) -> Detected | None:
    found = Detected("Rust", "Cargo.toml", "rust:1", "cargo test", "", "cargo run")
    return found if (root / "Cargo.toml").is_file() else None


def _maven(root: Path) -> Detected | None:
    return Detected("Java", "pom.xml", "maven:3", "mvn -B -q verify") if (root / "pom.xml").is_file() else None


def _gradle(root: Path) -> Detected | None:
    name = _first(root, "build.gradle", "build.gradle.kts")
    test = "./gradlew check" if (root / "gradlew").is_file() else "gradle check"
    return Detected("Java", name, "gradle:8", test) if name else None


def _ruby(root: Path) -> Detected | None:
    if not (root / "Gemfile").is_file():
        return None
    test = "bundle exec rspec" if (root / "spec").is_dir() else "bundle exec rake test"
    return Detected("Ruby", "Gemfile", "ruby:3", test, "bundle install --quiet")


def _with_make(root: Path, found: Detected) -> Detected:
    """A Makefile's `test` is the repository's own word for how it is tested."""
    from dataclasses import replace

    if not re.search(r"^test\s*:", _read(root / "Makefile"), re.MULTILINE):
        return found
    return replace(found, because=found.because or "Makefile", test="make test")


def _first(root: Path, *names: str) -> str:
    return next((name for name in names if (root / name).is_file()), "")


def _shallow(root: Path, pattern: str) -> Iterator[Path]:
    """Files at most two folders down: a repository's dependencies are none of it."""
    for below in ("", "*/", "*/*/"):
        for path in sorted(root.glob(below + pattern)):
            parts = path.relative_to(root).parts
            if not any(part.startswith(".") or part in ("node_modules", "vendor") for part in parts):
                yield path


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace") if path.stat().st_size <= _LARGEST else ""
    except OSError:
        return ""


def _toml(path: Path) -> dict[str, Any]:
    return _loaded(path, tomllib.loads)


def _json(path: Path) -> dict[str, Any]:
    return _loaded(path, json.loads)


def _loaded(path: Path, load: Callable[[str], Any]) -> dict[str, Any]:
    try:
        content = load(_read(path))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
