"""The mesh as a page shows it: services, splits with weights and measured shares, access, calls, findings."""

from __future__ import annotations

from typing import Any

from pilothouse.mesh.checking import check
from pilothouse.mesh.evaluating import Identity, reaches, resolved
from pilothouse.mesh.measuring import Ask, AskingError, Flow, SplitShares, flows, not_honoured, shares
from pilothouse.mesh.measuring.flows import same
from pilothouse.mesh.model import Configuration, IdentityRef, Name, Service, TrafficSplit, TrafficTarget, Workload
from pilothouse.mesh.sourcing import State
from pilothouse.mesh.splitting import roots
from pilothouse.signals.sentences import parts_of, sentence

# What a page can draw; more is counted, and named by `shown`.
MOST = 2000


def overview(state: State, ask: Ask, seconds: int, now: float, namespace: str = "") -> dict[str, Any]:
    """All of it as a JSON object; `docs/reference/mesh.md` says what each field means."""
    configuration = state.reading.configuration
    seen, calls, problem = _measured(state, ask, seconds, now)
    found = [*check(state.reading), *state.losses, *not_honoured(seen.values())]
    used = {division.split.id for root in roots(configuration) for division in root.divisions}
    behind = _behind(configuration)
    services = [_service(one) for one in _sorted(configuration.services.values(), namespace)]
    splits = [
        _split(configuration, one, one.id in used, seen.get(one.id))
        for one in _sorted(configuration.splits.values(), namespace)
    ]
    access = [_access(configuration, one, behind) for one in _sorted(configuration.targets.values(), namespace)]
    drawn = _calls(configuration, [flow for flow in calls if not namespace or namespace in _spaces(flow)])
    findings = [
        one.as_json() | {"said": parts_of(one.message)}
        for one in found
        if not namespace or f" {namespace}/" in one.subject
    ]
    whole = {"services": services, "splits": splits, "access": access, "calls": drawn, "findings": findings}
    return {
        "source": {"kind": state.kind, "name": state.name, "mesh": state.mesh or None,
                   "problems": list(state.problems), "controller": state.controller},
        "window": {"seconds": seconds, "measured_by": sorted({flow.mesh for flow in calls}), "problem": problem},
        "namespaces": sorted({id.namespace for id in (*configuration.services, *configuration.splits,
                                                      *configuration.targets)}),
        "totals": {name: len(rows) for name, rows in whole.items()},
        **{name: rows[:MOST] for name, rows in whole.items()},
    }  # fmt: skip


def measured_shares(state: State, ask: Ask, seconds: int, now: float) -> list[SplitShares]:
    """All splits held against what was measured since they got their weights; raises `AskingError`."""
    held = {id: max(1.0, now - since) for id, since in state.since.items() if since}
    return shares(state.reading.configuration, ask, seconds, state.mesh, held)


def _measured(
    state: State, ask: Ask, seconds: int, now: float
) -> tuple[dict[Name, SplitShares], list[Flow], str | None]:
    """Shares and flows; metrics that cannot be asked leave the configuration to be shown, and are said."""
    try:
        seen = {one.split.id: one for one in measured_shares(state, ask, seconds, now)}
        return seen, flows(ask, seconds, state.mesh), None
    except AskingError as error:
        return {}, [], str(error)


def _sorted(rows: Any, namespace: str) -> list[Any]:
    return sorted((row for row in rows if not namespace or row.id.namespace == namespace), key=lambda row: row.id)


def _behind(configuration: Configuration) -> dict[Name, list[str]]:
    """The Services whose pods run as an account."""
    found: dict[Name, list[str]] = {}
    for id, service in sorted(configuration.services.items()):
        for account in service.accounts:
            found.setdefault(Name(id.namespace, account), []).append(str(id))
    return found


def _service(service: Service) -> dict[str, Any]:
    return {
        "name": str(service.id),
        "ports": [{"port": port.port, "target_port": port.target_port, "protocol": port.protocol, "name": port.name}
                  for port in service.ports],
        "accounts": [str(Name(service.id.namespace, account)) for account in service.accounts],
    }  # fmt: skip


def _split(configuration: Configuration, split: TrafficSplit, used: bool, seen: SplitShares | None) -> dict[str, Any]:
    total = sum(backend.weight for backend in split.backends)
    rows = {backend.service.name: backend for backend in seen.backends} if seen else {}
    backends = []
    for backend in split.backends:
        row = rows.get(backend.service)
        backends.append({
            "service": str(Name(split.id.namespace, backend.service)),
            "weight": backend.weight,
            "percent": 100 * backend.weight / total if total else 0.0,
            "known": Name(split.id.namespace, backend.service) in configuration.services,
            "measured": {
                "requests": row.requests, "failed": row.failed, "percent": _percent(row.share),
                "low": _percent(row.low), "high": _percent(row.high), "honoured": row.honoured,
            } if row and seen and seen.requests else None,
        })  # fmt: skip
    why = seen.why if seen else sentence("it is not in force, or metrics could not be asked")
    return {
        "name": str(split.id),
        "service": str(split.root),
        "matches": list(split.matches),
        "used": used,
        "state": seen.state if seen else "cannot tell",
        "why": why,
        "said": parts_of(why),
        "seconds": seen.seconds if seen else None,
        "requests": seen.requests if seen else None,
        "backends": backends,
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _access(configuration: Configuration, target: TrafficTarget, behind: dict[Name, list[str]]) -> dict[str, Any]:
    rules: list[dict[str, Any]] = []
    for rule in target.rules:
        if rule.kind == "HTTPRouteGroup":
            matches: list[dict[str, Any]] = [
                {"name": match.name, "path": match.path_regex, "methods": list(match.methods),
                 "headers": dict(match.headers)}
                for match in resolved(configuration, target, rule)
            ]  # fmt: skip
            rules.append({"kind": rule.kind, "name": rule.name, "matches": matches, "ports": []})
        else:
            routes = configuration.tcp_routes if rule.kind == "TCPRoute" else configuration.udp_routes
            route = routes.get(Name(target.id.namespace, rule.name))
            rules.append({"kind": rule.kind, "name": rule.name, "matches": [],
                          "ports": list(route.ports) if route else []})  # fmt: skip
    return {
        "name": str(target.id),
        "from": [_identity(source) for source in target.sources],
        "to": _identity(target.destination) | {"services": behind.get(target.destination.id, [])},
        "rules": rules,
    }


def _identity(ref: IdentityRef) -> dict[str, Any]:
    return {"kind": ref.kind, "name": str(ref.id)}


def _spaces(flow: Flow) -> set[str]:
    return {flow.client.namespace, flow.server.namespace}


def _calls(configuration: Configuration, seen: list[Flow]) -> list[dict[str, Any]]:
    """Measured edges; `allowed` says whether some TrafficTarget lets the caller's account in at all."""
    services: dict[str, list[Service]] = {}
    for service in configuration.services.values():
        services.setdefault(service.id.name, []).append(service)
    callers: dict[str, list[Workload]] = {}
    for pods in configuration.workloads.values():
        callers.setdefault(pods.id.name, []).append(pods)
    made = []
    for flow in seen:
        called = [one for one in services.get(flow.server.name, []) if same(flow.server, one.id)]
        caller = [one for one in callers.get(flow.client.name, []) if same(flow.client, one.id)]
        latency = {f"p{round(100 * quantile)}": took for quantile, took in sorted(flow.latency.items())}
        made.append({
            "from": _written(flow.client), "to": _written(flow.server), "root": _written(flow.root) or None,
            "mesh": flow.mesh, "requests": flow.requests, "failed": flow.failed, "latency_ms": latency,
            "allowed": _allowed(configuration, caller, called),
        })  # fmt: skip
    return made


def _written(name: Name) -> str:
    return str(name) if name.namespace else name.name


def _allowed(configuration: Configuration, callers: list[Workload], services: list[Service]) -> bool | None:
    """None where the caller's account, or that of the Service, is not known for sure, or nothing is closed at all."""
    if len(callers) != 1 or len(services) != 1 or len(services[0].accounts) != 1 or not configuration.targets:
        return None
    caller, service = callers[0], services[0]
    who = Identity(Name(caller.id.namespace, caller.account), dict(caller.labels))
    whom = Identity(Name(service.id.namespace, service.accounts[0]))
    return reaches(configuration, who, whom)
