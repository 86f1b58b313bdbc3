"""The sampler of the heap is compiled where it can be, and the build goes on where it cannot."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.loading import module_at

NATIVE = Path(__file__).parents[3] / "native"
Build = Callable[[], Path | str]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """The build of the sampler, with a source and a target of its own."""
    module = module_at(NATIVE / "build_native.py")
    monkeypatch.setattr(module, "HERE", tmp_path)
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    (sampler,) = [one for one in module.MODULES if one.name == "heap_sampling"]
    sampler.target.parent.mkdir()
    shutil.copyfile(NATIVE / "heap_sampling.c", sampler.source)

    def built() -> Path | str:
        made: Path | str = module.build_native(sampler)
        return made

    return built


def test_it_is_compiled_once(build: Build) -> None:
    built = build()
    if isinstance(built, str):
        pytest.skip(built)
    when = built.stat().st_mtime_ns
    assert build() == built
    assert built.stat().st_mtime_ns == when


def test_without_a_compiler_it_says_so(build: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no C compiler" in str(build())
    monkeypatch.setenv("CC", "no-such-compiler -m64")
    assert "no-such-compiler cannot be run" in str(build())


def test_what_the_compiler_refuses_is_told_and_nothing_is_left(build: Build, tmp_path: Path) -> None:
    if isinstance(built := build(), str):
        pytest.skip(built)
    built.unlink()
    (tmp_path / "heap_sampling.c").write_text('#include <Python.h>\n#error "not for this one"\n')
    assert "not for this one" in str(build())
    assert [path.name for path in built.parent.iterdir() if ".so" in path.name] == []
