"""The core interceptors: is it genuine, is it wanted, and what else is known of it."""

from __future__ import annotations

import json
from typing import Any

from pilothouse.delivery import signatures
from pilothouse.delivery.pipelines.catalog import Catalog
from pilothouse.delivery.pipelines.triggers.event import Event, TriggerError


def github(params: dict[str, Any], event: Event, catalog: Catalog) -> None:
    """HMAC of the body in `X-Hub-Signature-256` (or the older SHA-1 one), and the event's type."""
    if secret := _secret(params, catalog):
        given = event.header("x-hub-signature-256") or event.header("x-hub-signature")
        _genuine(signatures.prefixed(secret, event.raw, given), "X-Hub-Signature-256")
    _typed(params, event.header("x-github-event"))


def gitlab(params: dict[str, Any], event: Event, catalog: Catalog) -> None:
    """The token in `X-GitLab-Token`, and the event's type."""
    if secret := _secret(params, catalog):
        given = event.header("x-gitlab-token")
        if not given:
            raise TriggerError("no X-GitLab-Token header set", 403)
        if not signatures.equal(given, secret):
            raise TriggerError("X-GitLab-Token is not the secret", 403)
    _typed(params, event.header("x-gitlab-event"))


def bitbucket(params: dict[str, Any], event: Event, catalog: Catalog) -> None:
    """HMAC of the body in `X-Hub-Signature`, and the event's key."""
    if secret := _secret(params, catalog):
        given = event.header("x-hub-signature")
        _genuine(signatures.prefixed(secret, event.raw, given, ("sha256",)), "X-Hub-Signature")
    _typed(params, event.header("x-event-key"))


def slack(params: dict[str, Any], event: Event, catalog: Catalog) -> None:
    """A slash command's form fields, as extensions; signed with Slack's `v0` scheme where a secret is given."""
    if secret := _secret(params, catalog):
        moment, given = event.header("x-slack-request-timestamp"), event.header("x-slack-signature")
        signed = f"v0:{moment}:".encode() + event.raw
        _genuine(given.startswith("v0=") and signatures.hexadecimal(secret, signed, given[3:]), "X-Slack-Signature")
    body = event.body if isinstance(event.body, dict) else {}
    for name in params.get("requestedFields") or []:
        if name not in body:
            raise TriggerError(f"the command has no field {name}", 202)
        event.extensions[name] = body[name]


def cel(params: dict[str, Any], event: Event, catalog: Catalog) -> None:
    """A filter that must be true, and overlays that add to the extensions."""
    from pilothouse.delivery.pipelines.triggers.celling import evaluate

    text = params.get("filter")
    if text and evaluate(text, event) is not True:
        raise TriggerError(f"expression {text} did not return true", 202)
    for one in params.get("overlays") or []:
        _put(event.extensions, str(one["key"]), evaluate(str(one["expression"]), event))


INTERCEPTORS = {"github": github, "gitlab": gitlab, "bitbucket": bitbucket, "slack": slack, "cel": cel}


async def webhook(spec: dict[str, Any], event: Event) -> None:
    """An interceptor of one's own: gets the event as JSON, answers whether to go on, and extensions."""
    import httpx

    url = spec.get("clientConfig", {}).get("url") or spec.get("url") or ""
    body = {
        "body": event.raw.decode("utf-8", "replace"), "header": {key: [value] for key, value in event.headers.items()},
        "extensions": event.extensions, "context": {"event_url": event.url, "event_id": event.identity},
    }  # fmt: skip
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = (await client.post(url, json=body)).json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise TriggerError(f"interceptor {url}: {error or type(error).__name__}", 500) from None
    if not answer.get("continue"):
        raise TriggerError(str((answer.get("status") or {}).get("message") or "the interceptor does not go on"), 202)
    event.extensions.update(answer.get("extensions") or {})


def _secret(params: dict[str, Any], catalog: Catalog) -> bytes:
    ref = params.get("secretRef")
    if not ref:
        return b""
    found = catalog.key("Secret", str(ref.get("secretName", "")), str(ref.get("secretKey", "")))
    if not found:
        raise TriggerError(f"Secret {ref.get('secretName')} with key {ref.get('secretKey')} is not here", 500)
    return found


def _genuine(found: bool | None, header: str) -> None:
    if found is None:
        raise TriggerError(f"no {header} header set", 403)
    if not found:
        raise TriggerError("the signature is not that of the secret", 403)


def _typed(params: dict[str, Any], kind: str) -> None:
    wanted = params.get("eventTypes") or []
    if wanted and kind not in wanted:
        raise TriggerError(f"event type {kind} is not allowed", 202)


def _put(extensions: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    place = extensions
    for name in parents:
        place = place.setdefault(name, {})
    place[last] = json.loads(json.dumps(value, default=str))
