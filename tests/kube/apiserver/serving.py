"""The handlers: one for everything below `/api` and `/apis`."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from pilothouse.kube.discovering import Resource
from pilothouse.kube.objects import dig
from tests.kube.apiserver import describing, patching
from tests.kube.apiserver.protobuf import decoded
from tests.kube.apiserver.selectors import fields_match, labels_match
from tests.kube.apiserver.store import VERBS, Store

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Api:
    """The API over a store; `seen` keeps method, path and query of every request, for tests that count them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.refused: dict[str, int] = {}
        self.answers: dict[str, Any] = {}
        # What containers wrote, by namespace, Pod and container, where a kubelet stands in too.
        self.logs: dict[tuple[str, str, str], bytes] = {}
        self.aggregated: dict[str, httpx.Client] = {}
        self.stopping = False

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.handle, methods=_METHODS)])

    async def handle(self, request: Request) -> Response:
        path = request.url.path.rstrip("/") or "/"
        if _is_protobuf(request) and request.method in ("POST", "PUT") and decoded(await request.body()) is None:
            return _status(415, "UnsupportedMediaType", "this server takes JSON and YAML; write the object to a file")
        self.seen.append((request.method, path, dict(request.query_params)))
        if status := self.refused.get(path):
            return _status(status, "Forbidden" if status == 403 else "Refused", f"{path} is refused")
        parts = path.strip("/").split("/")
        if parts[0] == "apis" and len(parts) > 1 and (backend := self.aggregated.get(parts[1])):
            return await asyncio.to_thread(_handed_on, backend, request)
        described = self._described(path, parts)
        if described is not None:
            return JSONResponse(described)
        if parts[0] == "api" and len(parts) >= 3:
            group, version, rest = "", parts[1], parts[2:]
        elif parts[0] == "apis" and len(parts) >= 4:
            group, version, rest = parts[1], parts[2], parts[3:]
        else:
            return _status(404, "NotFound", "the server could not find the requested resource")
        namespace = ""
        if rest[0] == "namespaces" and len(rest) >= 3 and rest[2] not in ("status", "finalize"):
            namespace, rest = rest[1], rest[2:]
        resource = self.store.find(group, version, rest[0])
        if resource is None:
            return _status(404, "NotFound", "the server could not find the requested resource")
        name = rest[1] if len(rest) > 1 else ""
        below = rest[2] if len(rest) > 2 else ""
        return await self._do(request, resource, namespace, name, below)

    def _described(self, path: str, parts: list[str]) -> Any:
        if path in self.answers:
            return self.answers[path]
        if path == "/version":
            major, minor = self.store.version.split(".")
            return {"major": major, "minor": minor, "gitVersion": f"v{self.store.version}.0", "platform": "linux/amd64"}
        if path == "/api":
            return describing.core()
        if path == "/apis":
            found = describing.groups(self.store)
            found["groups"] += [client.get(f"/apis/{group}").json() for group, client in self.aggregated.items()]
            return found
        if path == "/openapi/v3":
            return describing.openapi_index(self.store)
        if path.startswith("/openapi/v3/"):
            return describing.openapi(self.store, path.removeprefix("/openapi/v3/"))
        if len(parts) == 2 and parts[0] == "api":
            return describing.resources(self.store, "", parts[1])
        if len(parts) == 2 and parts[0] == "apis":
            return describing.group(self.store, parts[1])
        if len(parts) == 3 and parts[0] == "apis":
            return describing.resources(self.store, parts[1], parts[2])
        return None

    async def _do(self, request: Request, resource: Resource, namespace: str, name: str, below: str) -> Response:
        if request.method == "GET" and not name:
            if request.query_params.get("watch") in ("true", "1"):
                return self._watch(request, resource, namespace)
            return self._list(request, resource, namespace)
        if request.method == "POST":
            return await self._create(request, resource, namespace)
        if request.method == "DELETE" and not name:
            for one in list(self.store.all(resource)):
                if _selected(request, one, namespace):
                    self.store.delete(resource, dig(one, "metadata", "namespace") or "", one["metadata"]["name"])
            return _status(200, "", "")
        there = self.store.get(resource, namespace, name)
        if request.method == "PATCH":
            return await self._patch(request, resource, namespace, name, below, there)
        if there is None:
            return _missing(resource, name)
        if request.method == "GET" and below == "log":
            written = self.logs.get((namespace, name, request.query_params.get("container", "")))
            return _status(400, "BadRequest", "no such container") if written is None else Response(written)
        if request.method == "GET":
            return JSONResponse(_scale(there) if below == "scale" else there)
        if request.method == "DELETE":
            gone = self.store.delete(resource, namespace, name)
            if resource.kind == "CustomResourceDefinition":
                self._unregister(there)
            return JSONResponse(gone)
        return self._put(resource, namespace, await _body(request), there, below, _manager(request))

    def _list(self, request: Request, resource: Resource, namespace: str) -> Response:
        found = [one for one in self.store.all(resource) if _selected(request, one, namespace)]
        limit, start = int(request.query_params.get("limit") or 0), int(request.query_params.get("continue") or 0)
        meta: dict[str, Any] = {"resourceVersion": str(self.store.revision)}
        if limit and start + limit < len(found):
            meta |= {"continue": str(start + limit), "remainingItemCount": len(found) - start - limit}
        page = found[start : start + limit] if limit else found
        # As a real server: items of a list of a built-in kind carry no apiVersion and kind.
        built_in = resource.group == "" or "." not in resource.group or resource.group.endswith("k8s.io")
        items = (
            [{k: v for k, v in one.items() if k not in ("apiVersion", "kind")} for one in page] if built_in else page
        )
        return JSONResponse(
            {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": meta, "items": items}
        )

    def _watch(self, request: Request, resource: Resource, namespace: str) -> Response:
        asked = int(request.query_params.get("resourceVersion") or 0)
        until = asyncio.get_running_loop().time() + float(request.query_params.get("timeoutSeconds") or 600)
        bookmarks = request.query_params.get("allowWatchBookmarks") == "true"
        if asked and asked < self.store.forgotten:
            gone = _status(410, "Expired", f"too old resource version: {asked}")
            event = {"type": "ERROR", "object": json.loads(bytes(gone.body))}
            return Response(json.dumps(event) + "\n", media_type="application/json")

        async def events() -> AsyncIterator[str]:
            revision = asked
            initial = request.query_params.get("sendInitialEvents") == "true"
            if not asked or initial:
                for one in self.store.all(resource):
                    if _selected(request, one, namespace):
                        yield _line("ADDED", one)
                revision = self.store.revision
            if initial:
                yield _bookmark(resource, revision, {"k8s.io/initial-events-end": "true"})
            told: set[tuple[str, str]] = set()
            loop, changed = asyncio.get_running_loop(), asyncio.Event()
            leave = self.store.on_change(resource, lambda: _wake(loop, changed))
            try:
                while not self.stopping and loop.time() < until:
                    changed.clear()
                    for at, kind, content in self.store.since(resource, revision):
                        revision = at
                        key = (dig(content, "metadata", "namespace") or "", content["metadata"]["name"])
                        if _selected(request, content, namespace):
                            told.add(key)
                            yield _line(kind, content)
                        elif key in told:
                            # It left the selection.
                            told.discard(key)
                            yield _line("DELETED", content)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(min(0.25, max(0.0, until - loop.time()))):
                            await changed.wait()
            finally:
                leave()
            if bookmarks:
                yield _bookmark(resource, self.store.revision, {})

        return StreamingResponse(events(), media_type="application/json")

    async def _create(self, request: Request, resource: Resource, namespace: str) -> Response:
        content = await _body(request)
        meta = content.setdefault("metadata", {})
        if not meta.get("name"):
            if not meta.get("generateName"):
                return _status(422, "Invalid", f"{resource.kind} is invalid: metadata.name: Required value")
            meta["name"] = f"{meta['generateName']}{self.store.revision:05x}"
        if self.store.get(resource, namespace, meta["name"]) is not None:
            return _status(409, "AlreadyExists", f'{resource.plural} "{meta["name"]}" already exists')
        if request.query_params.get("dryRun"):
            return JSONResponse(content, 201)
        made = self.store.put(resource, namespace, content)
        self._register(made)
        return JSONResponse(made, 201)

    def _put(
        self,
        resource: Resource,
        namespace: str,
        content: dict[str, Any],
        there: dict[str, Any],
        below: str,
        manager: str,
    ) -> Response:
        given = dig(content, "metadata", "resourceVersion")
        name = there["metadata"]["name"]
        if given and given != there["metadata"]["resourceVersion"]:
            return _status(
                409, "Conflict", f'Operation cannot be fulfilled on {resource.plural} "{name}": the object has been '
                "modified; please apply your changes to the latest version and try again",
            )  # fmt: skip
        made = _kept(there, copy.deepcopy(content), resource, below)
        patching.take_over(there, made, manager)
        return JSONResponse(self.store.put(resource, namespace, made))

    async def _patch(
        self, request: Request, resource: Resource, namespace: str, name: str, below: str, there: dict[str, Any] | None
    ) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0]
        content = await _body(request)
        query = request.query_params
        if there is None and kind != "application/apply-patch+yaml":
            return _missing(resource, name)
        given = dig(content, "metadata", "resourceVersion") if isinstance(content, dict) else None
        if there and given and given != there["metadata"]["resourceVersion"]:
            return _status(409, "Conflict", f'{resource.plural} "{name}": the object has been modified')
        before = copy.deepcopy(there) if there else {"metadata": {"name": name}}
        if below == "scale" and there:
            change = patching.merge(_scale(there), content)
            before["spec"]["replicas"] = change["spec"]["replicas"]
            return JSONResponse(_scale(self.store.put(resource, namespace, before)))
        try:
            if kind == "application/apply-patch+yaml":
                made = patching.apply(before, content, query.get("fieldManager", ""), query.get("force") == "true")
            elif kind == "application/json-patch+json":
                made = patching.json_patch(before, content)  # type: ignore[arg-type]
            elif kind == "application/strategic-merge-patch+json":
                if "." in resource.group and not resource.group.endswith("k8s.io"):
                    return _status(415, "UnsupportedMediaType", "strategic merge patch is not for custom resources")
                made = patching.strategic(before, content)
            else:
                made = patching.merge(before, content)
        except patching.ConflictError as conflict:
            said = "; ".join(f'conflict with "{who}": {", ".join(what)}' for who, what in conflict.owners.items())
            return _status(409, "Conflict", f"Apply failed with conflicts: {said}")
        except (ValueError, KeyError, IndexError) as error:
            return _status(422, "Invalid", str(error))
        if there:
            made = _kept(there, made, resource, below)
        if kind != "application/apply-patch+yaml":
            patching.take_over(before, made, _manager(request))
        if query.get("dryRun"):
            return JSONResponse(made)
        stored = self.store.put(resource, namespace, made)
        self._register(stored)
        return JSONResponse(stored, 200 if there else 201)

    def _register(self, content: dict[str, Any]) -> None:
        """A CRD serves its kind at once, and says so."""
        if content.get("kind") != "CustomResourceDefinition":
            return
        spec = content["spec"]
        for version in spec["versions"]:
            if version.get("served"):
                below = frozenset((version.get("subresources") or {}).keys())
                self.store.register(
                    Resource(spec["group"], version["name"], spec["names"]["kind"], spec["names"]["plural"],
                             spec["scope"] == "Namespaced", VERBS, below)
                )  # fmt: skip
        if not dig(content, "status", "conditions"):
            resource = self.store.find("apiextensions.k8s.io", "v1", "customresourcedefinitions")
            assert resource
            conditions = [{"type": kind, "status": "True"} for kind in ("NamesAccepted", "Established")]
            self.store.put(resource, "", copy.deepcopy(content) | {"status": {"conditions": conditions}})

    def _unregister(self, content: dict[str, Any]) -> None:
        spec = content["spec"]
        for version in spec["versions"]:
            self.store.resources.pop((f"{spec['group']}/{version['name']}", spec["names"]["plural"]), None)


def _kept(there: dict[str, Any], made: dict[str, Any], resource: Resource, below: str) -> dict[str, Any]:
    """Through /status only the status changes; besides it all but the status."""
    if below == "status":
        return copy.deepcopy(there) | {"status": made.get("status")}
    if "status" in resource.subresources:
        made.pop("status", None)
        if "status" in there:
            made["status"] = copy.deepcopy(there["status"])
    made["metadata"] = {**made.get("metadata", {}), "uid": there["metadata"]["uid"]}
    return made


def _handed_on(backend: httpx.Client, request: Request) -> Response:
    """As the aggregation layer does: the same path and query, and who asks in headers."""
    headers = {"accept": request.headers.get("accept", "*/*"), "x-remote-user": "tester"}
    answer = backend.request(request.method, f"{request.url.path}?{request.url.query}", headers=headers)
    return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))


def _manager(request: Request) -> str:
    """Who writes: the field manager that is named, else the client's program, as a real server takes it."""
    agent = request.headers.get("user-agent", "unknown")
    return request.query_params.get("fieldManager") or agent.partition("/")[0]


def _selected(request: Request, content: dict[str, Any], namespace: str) -> bool:
    query = request.query_params
    meta = content.get("metadata") or {}
    return (
        (not namespace or meta.get("namespace") == namespace)
        and labels_match(query.get("labelSelector", ""), meta.get("labels") or {})
        and fields_match(query.get("fieldSelector", ""), content)
    )


def _scale(content: dict[str, Any]) -> dict[str, Any]:
    meta = content["metadata"]
    return {
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion") if key in meta},
        "spec": {"replicas": dig(content, "spec", "replicas") or 1},
        "status": {"replicas": dig(content, "status", "replicas") or 0},
    }  # fmt: skip


def _line(kind: str, content: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "object": content}) + "\n"


def _bookmark(resource: Resource, revision: int, annotations: dict[str, str]) -> str:
    meta = {"resourceVersion": str(revision), "annotations": annotations}
    return _line("BOOKMARK", {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta})


def _wake(loop: asyncio.AbstractEventLoop, changed: asyncio.Event) -> None:
    """Objects are put from other threads too, also when the server is gone already."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(changed.set)


def _missing(resource: Resource, name: str) -> Response:
    where = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
    return _status(404, "NotFound", f'{where} "{name}" not found')


def _status(code: int, reason: str, message: str) -> JSONResponse:
    return JSONResponse(
        {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success" if code < 400 else "Failure",
         "message": message, "reason": reason, "code": code},
        code,
    )  # fmt: skip


def _is_protobuf(request: Request) -> bool:
    return "protobuf" in request.headers.get("content-type", "")


async def _body(request: Request) -> dict[str, Any]:
    data = await request.body()
    if _is_protobuf(request):
        return decoded(data) or {}
    content: dict[str, Any] = json.loads(data) if data[:1] in (b"{", b"[") else yaml.safe_load(data) or {}
    return content
