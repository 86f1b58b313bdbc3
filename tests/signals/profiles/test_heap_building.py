"""The sampler of the heap is compiled where it can be, and the build goes on where it cannot."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.loading import module_at

NATIVE = Path(__file__).parents[3] / "native"


@pytest.fixture
def build_native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The build, with a target of its own."""
    module = module_at(NATIVE / "build_native.py")
    monkeypatch.setattr(module, "HERE", tmp_path)
    monkeypatch.setattr(module, "TARGET", tmp_path)
    return module


def test_it_is_compiled_once(build_native: ModuleType) -> None:
    built = build_native.build_native()
    if isinstance(built, str):
        pytest.skip(built)
    when = built.stat().st_mtime_ns
    assert build_native.build_native() == built
    assert built.stat().st_mtime_ns == when


def test_without_a_compiler_it_says_so(
    build_native: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no C compiler" in build_native.build_native()
    monkeypatch.setenv("CC", "no-such-compiler -m64")
    assert "no-such-compiler cannot be run" in build_native.build_native()


def test_what_the_compiler_refuses_is_told_and_nothing_is_left(
    build_native: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if isinstance(built := build_native.build_native(), str):
        pytest.skip(built)
    built.unlink()
    source = tmp_path / "broken.c"
    source.write_text('#include <Python.h>\n#error "not for this one"\n')
    monkeypatch.setattr(build_native, "SOURCE", source)
    assert "not for this one" in build_native.build_native()
    assert [path.name for path in tmp_path.iterdir() if ".so" in path.name] == []
