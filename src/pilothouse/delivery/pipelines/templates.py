"""The step template merged into steps, the way Kubernetes merges (`MergeStepsWithStepTemplate`)."""

from __future__ import annotations

from typing import Any

# Lists that are merged by a key; all others are taken whole from the step where it has them.
_KEYS = {"env": "name", "volumeMounts": "mountPath", "volumeDevices": "devicePath"}


def merge(template: dict[str, Any] | None, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps with what the template adds. A step from a StepAction keeps its own command and arguments."""
    return [_merged(template, step) for step in steps] if template else steps


def _merged(template: dict[str, Any], step: dict[str, Any]) -> dict[str, Any]:
    merged = dict(step)
    for field, value in template.items():
        own = step.get(field)
        if field in _KEYS:
            key = _KEYS[field]
            taken = {one.get(key) for one in own or []}
            merged[field] = [*(own or []), *(one for one in value or [] if one.get(key) not in taken)]
        elif isinstance(value, dict) and isinstance(own, dict):
            merged[field] = _deep(value, own)
        elif own in (None, "", []):
            merged[field] = value
    if step.get("script") and not step.get("command"):
        merged.pop("command", None)
    return merged


def _deep(template: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    return {
        **template,
        **{
            key: _deep(template[key], value)
            if isinstance(value, dict) and isinstance(template.get(key), dict)
            else value
            for key, value in own.items()
        },
    }
