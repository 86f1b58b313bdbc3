"""What hatchling does before it packs a wheel: the page is built, and what is in C compiled, where a compiler is."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """An editable install finds what was built in the source tree; a wheel gets it packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it packs; `version` is "standard" or "editable"."""
        if self.target_name != "wheel":
            return
        page = _loaded("ui/build_page.py")
        if (page.UI / "package.json").is_file():
            page.build_page()
        native = _loaded("native/build_native.py")
        built = native.build_all()
        for one in built:
            if isinstance(one, str):
                self.app.display_warning(one)
        if version != "standard":
            return
        # Git ignores what is built; hatchling packs it all the same when it is named an artifact.
        build_data["artifacts"].append(page.ARTIFACTS)
        compiled = [f"/{one.relative_to(ROOT).as_posix()}" for one in built if isinstance(one, Path)]
        if compiled:
            build_data["artifacts"].extend(compiled)
            build_data.update(pure_python=False, infer_tag=True)


def _loaded(path: str) -> ModuleType:
    """A file that is no module of a package, as one."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
