"""From a Tekton bundle: an OCI image with one layer an object. In a directory (OCI image layout) or in a registry."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.pipelines.resolvers import needed, only
from pilothouse.delivery.pipelines.resolvers.http import get

_MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
_REFERENCE = re.compile(
    r"(?:(?P<host>[\w.-]+(?::[0-9]+)?)/)?(?P<path>[\w./-]+?)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
Blob = Callable[[str], Awaitable[bytes]]


async def resolve(kind: str, params: dict[str, Any]) -> tuple[Document, dict[str, Any]]:
    """An object of a bundle: `bundle`, `name`, `kind`. `bundle` is `oci:DIRECTORY[:TAG]` or a reference."""
    bundle, name = needed(params, "bundle", "name")
    word = str(params.get("kind") or kind).lower()
    digest, manifest, blob = await (_layout(bundle) if bundle.startswith(("oci:", "/", "./")) else _registry(bundle))
    for layer in manifest.get("layers") or []:
        notes = layer.get("annotations") or {}
        if notes.get("dev.tekton.image.name") == name and str(notes.get("dev.tekton.image.kind", "")).lower() == word:
            text = _only_file(await blob(layer["digest"]))
            source = {
                "uri": bundle.partition("@")[0],
                "digest": {"sha256": digest.removeprefix("sha256:")},
                "entryPoint": name,
            }
            return only(kind, text, bundle, name), source
    raise ResolveError(f"{bundle}: there is no {word} {name!r} in it")


async def _layout(bundle: str) -> tuple[str, dict[str, Any], Blob]:
    path, _, tag = bundle.removeprefix("oci:").partition(":")
    root = Path(path)

    async def blob(digest: str) -> bytes:
        try:
            return (root / "blobs" / digest.replace(":", "/")).read_bytes()
        except OSError as error:
            raise ResolveError(f"{bundle}: {error.strerror}") from None

    try:
        index = json.loads((root / "index.json").read_bytes())
    except (OSError, ValueError) as error:
        raise ResolveError(f"{bundle}: not an OCI image layout: {error}") from None
    entries = index.get("manifests") or []
    named = [one for one in entries if (one.get("annotations") or {}).get("org.opencontainers.image.ref.name") == tag]
    if not entries or (tag and not named):
        raise ResolveError(f"{bundle}: no such image in it")
    digest = str((named or entries)[0]["digest"])
    return digest, json.loads(await blob(digest)), blob


async def _registry(bundle: str) -> tuple[str, dict[str, Any], Blob]:
    import hashlib

    found = _REFERENCE.fullmatch(bundle)
    if not found:
        raise ResolveError(f"{bundle}: not a reference of an image")
    host, path = found["host"] or "registry-1.docker.io", found["path"]
    scheme = "http" if host.split(":")[0] in ("localhost", "127.0.0.1") else "https"
    base = f"{scheme}://{host}/v2/{path}"
    content = await get(
        f"{base}/manifests/{found['digest'] or found['tag'] or 'latest'}", headers={"Accept": _MANIFESTS}
    )
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    if found["digest"] and found["digest"] != digest:
        raise ResolveError(f"{bundle}: the registry answered another image: {digest}")

    async def blob(wanted: str) -> bytes:
        return await get(f"{base}/blobs/{wanted}")

    return digest, json.loads(content), blob


def _only_file(layer: bytes) -> str:
    data = gzip.decompress(layer) if layer[:2] == b"\x1f\x8b" else layer
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            member = next(one for one in archive if one.isfile())
            file = archive.extractfile(member)
            return file.read().decode("utf-8", "replace") if file else ""
    except (tarfile.TarError, StopIteration, EOFError) as error:
        raise ResolveError(f"a layer of the bundle cannot be read: {error}") from None
