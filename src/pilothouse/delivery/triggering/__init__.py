"""What an event starts: `.tekton` runs by Pipelines-as-Code's annotations, Prow's jobs, Lighthouse's triggers.

Texts of a commit's files go in (`read`), definitions of jobs come out; a definition says for an occasion whether it is
wanted, and if not why. All of it is values: nothing here asks a forge or runs anything.
"""

from pilothouse.delivery.triggering.building import Ready, UntrustedError, build
from pilothouse.delivery.triggering.definition import Definition
from pilothouse.delivery.triggering.occasion import Change, Files, Occasion
from pilothouse.delivery.triggering.reading import Config, is_configuration, read

__all__ = [
    "Change",
    "Config",
    "Definition",
    "Files",
    "Occasion",
    "Ready",
    "UntrustedError",
    "build",
    "is_configuration",
    "read",
]
