"""The directories of a TaskRun on this machine, and where its steps see them. Source: `docs/container-contract.md`.

What Tekton keeps below `/tekton` is small and short-lived, and making it on a disk takes longer than a short step: it
lies in memory (`memory.py`). Workspaces, volumes and home directories lie on the disk.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines.executors.launching import Mount
from pilothouse.delivery.pipelines.tasks import memory
from pilothouse.delivery.pipelines.tasks.names import step_name
from pilothouse.delivery.pipelines.variables import texts

# Made only for tasks that name them.
_RARE = ("home", "creds", "artifacts", "termination", "downward")


class Layout:
    """`/tekton` (in `small`) and `/workspace` (in `large`) of one TaskRun; neither may be there yet."""

    def __init__(self, small: Path, large: Path, spec: dict[str, Any], more: tuple[str, ...] = ()) -> None:
        """`more` are directories below `/tekton` that are needed whatever the task says."""
        self._small, self._large = str(small), str(large)
        self.root = small
        self.volumes = large / "volumes"
        steps = spec.get("steps") or []
        self._names = [step_name(step, index) for index, step in enumerate(steps)]
        self._rich = [bool(step.get("results")) or "artifacts" in str(step) for step in steps]
        said = [text for _, text in texts(spec) if "/tekton/" in text]
        self._rare = [name for name in _RARE if name in more or any(f"/tekton/{name}" in text for text in said)]
        self._many = (
            len(steps) > 1 or any(self._rich) or any("/tekton/run" in text or "/tekton/steps" in text for text in said)
        )
        self._results = bool(spec.get("results")) or any("/tekton/results" in text for text in said)

    def make(self) -> None:
        """Make all of it, anew."""
        self.remove()
        needed = (
            ("", True),
            ("/scripts", True),
            ("/results", self._results),
            ("/steps", self._many),
            ("/run", self._many),
        )
        for name, wanted in needed:
            if wanted:
                os.mkdir(self._small + name)
        for name in self._rare:
            os.makedirs(f"{self._large if name == 'home' else self._small}/{name}")
        for index, name in enumerate(self._names if self._many else ()):
            own = f"{self._small}/steps/step-{name}"
            os.mkdir(own)
            if self._rich[index]:
                os.mkdir(f"{own}/results")
                os.mkdir(f"{own}/artifacts")
            os.symlink(f"step-{name}", f"{self._small}/steps/{index}")
            os.mkdir(f"{self._small}/run/{index}")

    def mounts(self, index: int | None) -> list[Mount]:
        """For step `index`: its own directories can be written, those of the others only read."""
        found = [Mount(self.workspace, "/workspace"), Mount(self.root, "/tekton", read_only=True)]
        if self._results:
            found.append(Mount(self.results, "/tekton/results"))
        found += [Mount(Path(self._small, name), f"/tekton/{name}") for name in self._rare if name != "home"]
        if "home" in self._rare:
            os.makedirs(f"{self._small}/home", exist_ok=True)
            found.append(Mount(Path(self._large, "home"), "/tekton/home"))
        if index is not None and self._many:
            own = f"step-{self._names[index]}"
            found.append(Mount(Path(self._small, "steps", own), f"/tekton/steps/{own}"))
            found.append(Mount(Path(self._small, "run", str(index)), f"/tekton/run/{index}"))
        return found

    def script(self, name: str, text: str) -> str:
        """Write a script; returns its path as the step sees it."""
        path = f"{self._small}/scripts/{name}"
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o755), "w", encoding="utf-8", errors="surrogateescape"
        ) as file:
            file.write(text)
        return f"/tekton/scripts/{name}"

    def exited(self, index: int, code: int) -> None:
        """Leave the exit code where later steps look for it."""
        if index + 1 == len(self._names):
            return
        Path(self._small, "steps", f"step-{self._names[index]}", "exitCode").write_text(str(code))
        Path(self._small, "run", str(index), "out.err" if code else "out").touch()

    def step_directory(self, index: int) -> Path:
        """The step's own directory, with its results and artifacts."""
        return Path(self._small, "steps", f"step-{self._names[index]}")

    @property
    def workspace(self) -> Path:
        """`/workspace`, made when it is first asked for."""
        os.makedirs(f"{self._large}/workspace", exist_ok=True)
        return Path(self._large, "workspace")

    @property
    def results(self) -> Path:
        return Path(self._small, "results")

    @property
    def home(self) -> Path:
        return Path(self._large, "home")

    @property
    def artifacts(self) -> Path:
        return Path(self._small, "artifacts", "provenance.json")

    def remove(self) -> None:
        """Remove all of it; what cannot be removed is left."""
        for path in (self._small, self._large):
            if os.path.lexists(path):
                shutil.rmtree(path, ignore_errors=True)

    def remove_later(self) -> None:
        """The same, beside the run: removing directories can take longer than a short step."""
        memory.later(self.remove)
