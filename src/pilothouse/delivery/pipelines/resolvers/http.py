"""From an address: `url`, optionally with basic authentication and a digest to hold it to."""

from __future__ import annotations

import hashlib
from typing import Any

from pilothouse.delivery.pipelines.documents import LARGEST, Document
from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.pipelines.resolvers import needed, only


async def resolve(kind: str, params: dict[str, Any]) -> tuple[Document, dict[str, Any]]:
    """The object that an address answers."""
    (url,) = needed(params, "url")
    content = await get(
        url, user=str(params.get("http-username") or ""), password=str(params.get("http-password") or "")
    )
    digests = {"sha256": hashlib.sha256(content).hexdigest(), "sha512": hashlib.sha512(content).hexdigest()}
    if wanted := str(params.get("digest") or ""):
        name, _, value = wanted.partition(":")
        if digests.get(name) != value:
            raise ResolveError(f"{url}: its digest is {name}:{digests.get(name, 'unknown')}, not {wanted}")
    source = {"uri": url, "digest": {"sha256": digests["sha256"]}, "entryPoint": ""}
    return only(kind, content.decode("utf-8", "replace"), url), source


async def get(url: str, user: str = "", password: str = "", headers: dict[str, str] | None = None) -> bytes:
    """The body of an answer, bounded. Raises `ResolveError`."""
    import httpx

    if not url.startswith(("http://", "https://")):
        raise ResolveError(f"{url}: must begin with http:// or https://")
    try:
        auth = httpx.BasicAuth(user, password) if user else None
        async with (
            httpx.AsyncClient(timeout=30, follow_redirects=True, auth=auth) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                raise ResolveError(f"{url} answered {answer.status_code}")
            content = b""
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > LARGEST:
                    raise ResolveError(f"{url}: more than {LARGEST} bytes")
            return content
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ResolveError(f"{url}: {error or type(error).__name__}") from None
