"""`/api/hazards`: what was found in the watched cluster; the rules."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pilothouse.hazards.model import Rule, Severity, State
from pilothouse.hazards.store import FindingStore, KeptFinding
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.timerange import to_rfc3339
from pilothouse.signals.wire import answer, only

if TYPE_CHECKING:
    from pilothouse.hazards.watching import Watcher


def routes(store: FindingStore, watcher: Watcher | None) -> list[Route]:
    """The room's endpoints; without a watcher they say so, and show what was kept before."""

    async def hazards(request: Request) -> Response:
        only(request, "rule", "state", "namespace", "severity", "resolved")
        query = request.query_params
        state, resolved = query.get("state", ""), query.get("resolved", "false")
        if state and state not in list(State):
            raise BadRequestError(f"there is no state {state!r}: {', '.join(State)}", "state")
        if resolved not in ("true", "false"):
            raise BadRequestError("true or false", "resolved")
        found = await asyncio.to_thread(
            store.findings,
            query.get("rule", ""),
            state,
            query.get("namespace", ""),
            resolved == "true",
            _severity(query.get("severity", "")),
        )
        about = watcher.state() if watcher else {}
        fixable = watcher.fixable if watcher else set()
        findings = [{**_finding(one), "fixable": one.fingerprint in fixable and not one.resolved} for one in found]
        return answer({"watching": watcher is not None, **about, "findings": findings})

    async def fix(request: Request) -> Response:
        only(request)
        fingerprint = request.path_params["fingerprint"]
        if watcher is None:
            raise NotFoundError("no cluster is watched; start the server with --kube")
        found = await asyncio.to_thread(watcher.fix, fingerprint)
        if found is None:
            raise NotFoundError(f"there is no fix to show for finding {fingerprint!r}: see `fixable` in /api/hazards")
        return answer({"fingerprint": fingerprint, **dataclasses.asdict(found)})

    async def rules(request: Request) -> Response:
        only(request, "family")
        family = request.query_params.get("family", "")
        found = [rule for rule in await asyncio.to_thread(_rules) if not family or rule.family == family]
        return answer({"rules": [_rule(rule) for rule in found]})

    return [
        Route("/api/hazards", hazards),
        Route("/api/hazards/rules", rules),
        Route("/api/hazards/findings/{fingerprint}/fix", fix),
    ]


def _rules() -> tuple[Rule, ...]:
    # Read when first asked for: most servers are never asked.
    from pilothouse.hazards.loading import own_rules

    return own_rules()


def _severity(text: str) -> Severity | None:
    try:
        return Severity.of(text) if text else None
    except KeyError:
        raise BadRequestError("critical, high, medium, low or info", "severity") from None


def _finding(one: KeptFinding) -> dict[str, Any]:
    subject = one.subject
    name = f"{subject['namespace']}/{subject['name']}" if subject["namespace"] else subject["name"]
    container = f" [{subject['container']}]" if subject["container"] else ""
    return {
        **dataclasses.asdict(one),
        "object": subject,
        "subject": f"{subject['kind']} {name}{container}".strip() or "the cluster",
        "first_seen": to_rfc3339(one.first_seen),
        "last_seen": to_rfc3339(one.last_seen),
        "resolved": to_rfc3339(one.resolved) if one.resolved else None,
        "history": [{"at": to_rfc3339(at), "state": state} for at, state in one.history],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id, "family": rule.family, "title": rule.title, "severity": str(rule.severity),
        "hurting": str(rule.hurting), "why": rule.why, "advice": rule.advice, "sources": list(rule.sources),
        "ways": list(rule.ways), "warnings": list(rule.warnings), "conflicts_with": list(rule.conflicts_with),
        "queries": [proof.query for proof in rule.telemetry],
    }  # fmt: skip
