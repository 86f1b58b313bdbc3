"""What a repository says about itself in `.pilothouse.yaml`, and the first such file written for it.

`project` and `reading` are the file; `detecting` finds out what a repository is made of, and `starting` writes what it
lacks: a pipeline, OWNERS, manifests, the file itself.
"""

from pilothouse.delivery.projects.project import FILE, PreviewPlan, Project, ReleasePlan
from pilothouse.delivery.projects.reading import ProjectError, read_project

__all__ = ["FILE", "PreviewPlan", "Project", "ProjectError", "ReleasePlan", "read_project"]
