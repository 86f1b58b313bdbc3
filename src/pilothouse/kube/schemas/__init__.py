"""What Kubernetes itself serves: every kind and field, from 1.15 on, with the versions that have it.

The data is made by `making.py` from the OpenAPI documents of each minor version.
"""

from pilothouse.kube.schemas.catalog import Kind, kinds, known_kind, versions

__all__ = ["Kind", "kinds", "known_kind", "versions"]
