"""A cluster's API: what it serves, and its objects read and written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from pilothouse.kube.connecting import connection
from pilothouse.kube.discovering import Resource, resources_of, versions_of
from pilothouse.kube.errors import ApiError, ConnectionFailedError, KubeError
from pilothouse.kube.objects import KubeObject, mapping, mappings, text_of

PAGE = 500
_MERGE = "application/merge-patch+json"


@dataclass(slots=True)
class Listing:
    """All objects of a collection, and the resource version to watch from."""

    objects: list[KubeObject] = field(default_factory=list)
    resource_version: str = ""


class Cluster:
    """Blocking calls to one API server; may be used from any thread. Errors are `ApiError`, `ConnectionFailedError`."""

    def __init__(self, client: httpx.Client, namespace: str = "default", name: str = "") -> None:
        """`client` has the server as base URL and the credentials; `namespace` is the default one."""
        self.client = client
        self.namespace = namespace
        self.name = name
        self._resources: list[Resource] | None = None

    @classmethod
    def connect(cls, context: str = "", kubeconfig: str | Path = "") -> Self:
        """The cluster of a kubeconfig's context, or the one around this pod."""
        found = connection(context, kubeconfig)
        return cls(found.client(), found.namespace, found.name)

    def close(self) -> None:
        """Let go of the connections."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self.close()

    # What there is

    def version(self) -> str:
        """The server's version as `1.31`; managed clusters write the minor as `31+`."""
        said = self.request("GET", "/version")
        return f"{said.get('major', '1')}.{str(said.get('minor', '')).rstrip('+')}"

    def resources(self) -> list[Resource]:
        """Every kind in every version served, preferred versions first. A broken aggregated API is left out."""
        if self._resources is None:
            preferred: list[Resource] = []
            others: list[Resource] = []
            for version in self.request("GET", "/api").get("versions") or []:
                preferred += self._resources_at("", version)
            for group, version, first in versions_of(self.request("GET", "/apis")):
                (preferred if first else others).extend(self._resources_at(group, version))
            self._resources = preferred + others
        return self._resources

    def _resources_at(self, group: str, version: str) -> list[Resource]:
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        try:
            return list(resources_of(group, version, mappings(self.request("GET", path).get("resources"))))
        except ApiError:
            # 503 of an aggregated API whose server is down, or 404 of a CRD that just left.
            return []

    def resource(self, kind: str, api_version: str = "") -> Resource:
        """How to reach a kind; `api_version` may be a group, a group/version, or empty. Raises `KubeError`."""
        for again in (False, True):
            if again:
                self._resources = None
            for one in self.resources():
                if one.kind == kind and (not api_version or api_version in (one.api_version, one.group)):
                    return one
        raise KubeError(f"the cluster does not serve {api_version + ' ' if api_version else ''}{kind}")

    # Objects

    def pages(
        self, resource: Resource, namespace: str = "", labels: str = "", fields: str = "", exact: bool = False
    ) -> Iterator[tuple[list[KubeObject], str]]:
        """A collection page by page, with its resource version.

        Asks with `resourceVersion=0`: answered from the server's cache instead of etcd; `exact` asks for the latest.
        """
        first = {"limit": str(PAGE)} | ({} if exact else {"resourceVersion": "0"})
        selectors = {key: value for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}
        parameters = first | selectors
        while True:
            answer = self.request("GET", resource.path(namespace), params=parameters)
            meta = mapping(answer.get("metadata"))
            yield (
                [_live(item, resource) for item in mappings(answer.get("items"))],
                text_of(meta.get("resourceVersion")),
            )
            if not meta.get("continue"):
                return
            parameters = {"limit": str(PAGE), "continue": str(meta["continue"])} | selectors

    def list(
        self, resource: Resource, namespace: str = "", labels: str = "", fields: str = "", exact: bool = False
    ) -> Listing:
        """The whole collection; starts again once when its continue token expires on the way (410)."""
        for attempt in (1, 2):
            listing = Listing()
            try:
                for objects, version in self.pages(resource, namespace, labels, fields, exact or attempt == 2):
                    listing.objects += objects
                    listing.resource_version = version
                return listing
            except ApiError as error:
                if error.status != 410 or attempt == 2:
                    raise
        raise AssertionError

    def get(self, resource: Resource, name: str, namespace: str = "") -> KubeObject | None:
        """One object, or None when it is not there."""
        try:
            return _live(self.request("GET", resource.path(self._space(resource, namespace), name)), resource)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def create(self, content: dict[str, Any]) -> KubeObject:
        """Create an object; `ApiError` with status 409 when it is there already."""
        resource, namespace, _ = self._address(content)
        return _live(self.request("POST", resource.path(namespace), content=json.dumps(content)), resource)

    def apply(
        self, content: dict[str, Any], manager: str = "pilothouse", force: bool = False, dry_run: bool = False
    ) -> KubeObject:
        """Server-side apply; a conflict with another manager is an `ApiError` (409) that names the fields."""
        resource, namespace, name = self._address(content)
        parameters = {"fieldManager": manager} | ({"force": "true"} if force else {})
        return _live(
            self.request(
                "PATCH",
                resource.path(namespace, name),
                params=parameters | ({"dryRun": "All"} if dry_run else {}),
                content=json.dumps(content),
                headers={"content-type": "application/apply-patch+yaml"},
            ),
            resource,
        )

    def replace(self, content: dict[str, Any]) -> KubeObject:
        """Replace an object; with its `resourceVersion` in it, a change in between is a conflict (409)."""
        resource, namespace, name = self._address(content)
        return _live(self.request("PUT", resource.path(namespace, name), content=json.dumps(content)), resource)

    def patch(
        self, resource: Resource, name: str, change: dict[str, Any], namespace: str = "", subresource: str = ""
    ) -> KubeObject:
        """A JSON merge patch of an object or its subresource (`status`, `scale`)."""
        path = resource.path(self._space(resource, namespace), name, subresource)
        headers = {"content-type": _MERGE}
        return _live(self.request("PATCH", path, content=json.dumps(change), headers=headers), resource)

    def delete(self, resource: Resource, name: str, namespace: str = "", propagation: str = "Background") -> bool:
        """Delete an object; whether it was there."""
        try:
            self.request(
                "DELETE",
                resource.path(self._space(resource, namespace), name),
                content=json.dumps({"propagationPolicy": propagation}),
            )
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    def _space(self, resource: Resource, namespace: str) -> str:
        return (namespace or self.namespace) if resource.namespaced else ""

    def _address(self, content: dict[str, Any]) -> tuple[Resource, str, str]:
        one = KubeObject(content)
        resource = self.resource(one.kind, one.api_version)
        return resource, self._space(resource, one.namespace), one.name

    # The wire

    def request(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        """One call, its JSON answer."""
        headers = {"accept": "application/json", "content-type": "application/json"} | how.pop("headers", {})
        return _answer(self._sent(lambda: self.client.request(method, path, headers=headers, **how)))

    def lines(self, path: str, parameters: dict[str, str], quiet: float) -> Iterator[dict[str, Any]]:
        """The events of a watch; ends when the server ends it or nothing came for `quiet` seconds."""
        timeout = httpx.Timeout(10, read=quiet)
        try:
            with self.client.stream("GET", path, params=parameters, timeout=timeout) as response:
                if not response.is_success:
                    response.read()
                    _answer(response)
                for line in response.iter_lines():
                    if line:
                        yield json.loads(line)
        except (httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError):
            return
        except httpx.HTTPError as error:
            raise _failed(self.client, error) from None

    def _sent(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        try:
            return send()
        except httpx.HTTPError as error:
            raise _failed(self.client, error) from None


def _failed(client: httpx.Client, error: httpx.HTTPError) -> ConnectionFailedError:
    return ConnectionFailedError(f"{client.base_url}: {error or type(error).__name__}")


def _live(content: dict[str, Any], resource: Resource) -> KubeObject:
    """Items of a list come without apiVersion and kind."""
    content.setdefault("apiVersion", resource.api_version)
    content.setdefault("kind", resource.kind)
    return KubeObject(content)


def _answer(response: httpx.Response) -> dict[str, Any]:
    try:
        content = response.json()
    except ValueError:
        content = {}
    if response.is_success:
        return content if isinstance(content, dict) else {}
    said = mapping(content)
    message = text_of(said.get("message")) or f"the API server answered {response.status_code}"
    raise ApiError(response.status_code, text_of(said.get("reason")) or response.reason_phrase, message)


def served(resources: Iterable[Resource], verb: str) -> list[Resource]:
    """Those that can be used with a verb, one version a kind."""
    found: dict[tuple[str, str], Resource] = {}
    for one in resources:
        if verb in one.verbs:
            found.setdefault((one.group, one.kind), one)
    return list(found.values())
