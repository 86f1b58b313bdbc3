"""A stand-in for a Kubernetes API server, in memory, that real clients talk to over HTTP: kubectl, ours, any other.

It speaks the API conventions (https://kubernetes.io/docs/reference/using-api/api-concepts/): discovery, OpenAPI v3 as
far as `kubectl apply` asks for it, list with paging and selectors, watch with history and 410 Gone, the four kinds of
patch with server-side apply's ownership and conflicts, subresources, finalizers, CRDs. It runs no controllers.
"""

from tests.kube.apiserver.running import ApiServer, start_api_server

__all__ = ["ApiServer", "start_api_server"]
