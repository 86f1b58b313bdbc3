"""What can go wrong with a cluster or a manifest.

KubeError
 ├── ConnectionFailedError   there is no cluster to talk to, or it does not answer
 ├── ApiError                the API server refused (status, reason, message)
 └── RenderingError          helm or kubectl kustomize failed or is not there
"""

from __future__ import annotations


class KubeError(Exception):
    """Any of the below."""


class ConnectionFailedError(KubeError):
    """There is no cluster to talk to, its configuration cannot be used, or it does not answer."""


class ApiError(KubeError):
    """The API server's refusal: HTTP `status`, and `reason` as in its Status object (`NotFound`, `Conflict`, ...)."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class RenderingError(KubeError):
    """A chart or a kustomization could not be rendered; the message is the tool's own."""
