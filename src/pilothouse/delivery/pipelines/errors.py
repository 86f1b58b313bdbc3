"""What can be wrong with pipelines, from the document to the run.

PipelineError
+-- DocumentError     the text is not YAML, or not a Kubernetes object
+-- InvalidError      an object breaks Tekton's rules; carries the `FieldError`s
+-- ResolveError      a referenced Task, Pipeline, StepAction or image cannot be found
+-- RunError          a run cannot start or go on; carries Tekton's reason
+-- StateError        the state cannot be read or written (disk full, another version)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.delivery.pipelines.fields import FieldError


class PipelineError(Exception):
    """Base of all; the message is for people."""


class DocumentError(PipelineError):
    """A text that cannot be read as objects; the message names file, line and what was expected."""


class InvalidError(PipelineError):
    """An object breaks Tekton's rules. `errors` are all that were found, in order of their place."""

    def __init__(self, name: str, errors: Sequence[FieldError]) -> None:
        """`name` says which object: `Task/build`."""
        self.name = name
        self.errors = tuple(errors)
        super().__init__(f"{name}: validation failed: " + "\n".join(str(error) for error in errors))


class ResolveError(PipelineError):
    """Something that is referred to cannot be found; `reason` is Tekton's word for it."""

    def __init__(self, message: str, reason: str = "CouldntGetTask") -> None:
        super().__init__(message)
        self.reason = reason


class RunError(PipelineError):
    """A run cannot start or go on; `reason` becomes the condition's reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class StateError(PipelineError):
    """The run's state cannot be kept or read."""
