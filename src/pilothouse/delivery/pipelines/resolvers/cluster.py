"""From the cluster that `kubectl` talks to: `kind`, `name`, `namespace`."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.pipelines.resolvers import needed, only


async def resolve(kind: str, params: dict[str, Any]) -> tuple[Document, dict[str, Any]]:
    """The object of that name in the cluster."""
    (name,) = needed(params, "name")
    namespace = str(params.get("namespace") or "default")
    program = shutil.which("kubectl")
    if not program:
        raise ResolveError("kubectl is not installed here, and with it the address of a cluster")
    process = await asyncio.create_subprocess_exec(
        program, "get", f"{kind.lower()}.tekton.dev", "--namespace", namespace, "--output", "yaml", "--", name,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    if process.returncode:
        raise ResolveError(err.decode(errors="replace").strip() or f"kubectl ended with {process.returncode}")
    document = only(kind, out.decode("utf-8", "replace"), f"cluster {namespace}/{name}")
    uid = str((document.body.get("metadata") or {}).get("uid", ""))
    return document, {
        "uri": f"/apis/tekton.dev/v1/namespaces/{namespace}/{kind.lower()}/{name}@{uid}",
        "digest": {},
        "entryPoint": name,
    }
