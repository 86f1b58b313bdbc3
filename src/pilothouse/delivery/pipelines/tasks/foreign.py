"""Texts of strangers kept out of scripts, however they come there: by a parameter, a result, a task from elsewhere.

`$(params.title)` in a script is replaced as plain text. Whoever starts a run for an event says which texts in it were
chosen outside; a step whose script has one of them after replacing, and had not before, is not run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pilothouse.delivery.pipelines.errors import RunError
from pilothouse.delivery.pipelines.linting.injection import code


def refuse(name: str, ready: dict[str, Any], written: dict[str, Any], foreign: Iterable[str]) -> None:
    """Raises `RunError` for a step whose code holds a text that somebody outside chose."""
    own = "\n".join(text for _, text in code(written))
    for field, text in code(ready):
        for value in foreign:
            if value in text and value not in own:
                raise RunError(
                    "TaskRunValidationFailed",
                    f"step {name}: {field} would run a text that somebody outside chose: {value[:60]!r}; hand it over "
                    'as a variable, env: [{name: VALUE, value: $(params...)}], and write "$VALUE" in the script',
                )
