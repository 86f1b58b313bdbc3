"""The names of steps: their own, or the ones that Tekton gives."""

from __future__ import annotations

from typing import Any


def step_name(step: dict[str, Any], index: int) -> str:
    """The step's name, or the one that Tekton gives."""
    return step.get("name") or f"unnamed-{index}"
