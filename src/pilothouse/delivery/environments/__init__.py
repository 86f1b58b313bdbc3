"""Where versions run: environments in their order, what each declares, and how that is changed.

An environments file (`reading`) names environments, where each is declared (a git repository or a folder: `model`) and
how a service's version is written there: in Helm's values, as a Kustomize image, or in plain manifests (`placing`). A
version is changed by replacing its characters and nothing else (`scalars`, `editing`). `rendering` and `differing` say
what that means for Kubernetes, `hazardous` whether it is one of the known ways to get hurt, `drifting` whether what
runs is what is declared.
"""

from pilothouse.delivery.environments.errors import EditError, EnvironmentsError
from pilothouse.delivery.environments.model import Environment, Environments, Placement, Source, Strategy
from pilothouse.delivery.environments.reading import read_environments

__all__ = [
    "EditError",
    "Environment",
    "Environments",
    "EnvironmentsError",
    "Placement",
    "Source",
    "Strategy",
    "read_environments",
]
