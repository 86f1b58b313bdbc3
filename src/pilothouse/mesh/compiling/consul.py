"""Consul on Kubernetes: ServiceDefaults, ServiceSplitter, ServiceRouter, ServiceResolver, ServiceIntentions (v1alpha1).

An object's name is the Consul service's name, and without Consul Enterprise there are no namespaces.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np

from pilothouse.mesh.compiling.compiled import Compiled, Options
from pilothouse.mesh.compiling.granting import Grant, grants
from pilothouse.mesh.compiling.routing import Branch, PortRouting, Shares, port_routings
from pilothouse.mesh.model import METHODS, Configuration, HttpMatch, Name
from pilothouse.mesh.regexes import whole_path

_API = "consul.hashicorp.com/v1alpha1"
_GRAIN = 10_000


def deny_in_consul(configuration: Configuration) -> Compiled:
    """Nobody is let in, where there are targets: the compiled targets open what they say."""
    compiled = Compiled()
    if configuration.targets:
        namespace = min(target.id.namespace for target in configuration.targets.values())
        deny = {"destination": {"name": "*"}, "sources": [{"name": "*", "action": "deny"}]}
        compiled.add(_API, "ServiceIntentions", Name(namespace, "smi-default-deny"), deny, "SMI: deny by default")
    return compiled


def compile_consul(configuration: Configuration, options: Options) -> Compiled:
    """Splits and targets for Consul."""
    compiled = Compiled()
    spoken: dict[Name, str] = {}
    routings = _one_port_each(configuration, compiled)
    divided = {routing.root.id for routing in routings if _is_divided(routing)}
    for routing in routings:
        _splits(compiled, routing, divided, spoken)
    _intentions(compiled, configuration, spoken)
    for id in sorted(spoken):
        compiled.add(_API, "ServiceDefaults", id, {"protocol": "http"}, spoken[id])
    return compiled


def _one_port_each(configuration: Configuration, compiled: Compiled) -> list[PortRouting]:
    """A Consul service has one port: the first that speaks HTTP is taken, others are told."""
    found: dict[Name, PortRouting] = {}
    names: dict[str, Name] = {}
    for routing in port_routings(configuration, compiled):
        root = routing.root.id
        if routing.port.protocol != "http":
            said = f"port {routing.port.port} is TCP, which Consul does not split: it is left as it is"
            compiled.lose("tcp", routing.source, "spec.service", said)
        elif root in found:
            said = f"a Consul service has one port; port {routing.port.port} is not split"
            compiled.lose("one-port", routing.source, "spec.service", said)
        elif names.setdefault(root.name, root) != root:
            said = f"Consul knows no namespaces: {root.name} is also in {names[root.name].namespace}. It is not split"
            compiled.lose("namespace", routing.source, "spec.service", said)
        else:
            found[root] = routing
    return list(found.values())


def _is_divided(routing: PortRouting) -> bool:
    """Whether the Service gets a splitter under its own name."""
    return any(not branch.matches and branch.source and branch.shares for branch in routing.branches)


def _splits(compiled: Compiled, routing: PortRouting, divided: set[Name], spoken: dict[Name, str]) -> None:
    root, routes = routing.root.id, []
    for branch in routing.branches:
        for service, _ in branch.shares:
            spoken.setdefault(Name(root.namespace, service), routing.source)
        branch = replace(branch, shares=_own_endpoints(compiled, root, branch, divided, spoken))
        if not branch.shares:
            said = "no backend has the port: in Consul the service itself goes on answering"
            compiled.lose("no-backend", branch.source, "spec.backends", said)
        elif not branch.matches:
            if branch.source:
                _splitter(compiled, root, branch.shares, branch.source)
        else:
            virtual = Name(root.namespace, f"{root.name}--smi-{_short(branch)}")
            spoken[virtual] = branch.source
            _splitter(compiled, virtual, branch.shares, branch.source)
            routes += [_route(match, virtual.name) for match in branch.matches]
    spoken.setdefault(root, routing.source)
    if routes:
        compiled.add(_API, "ServiceRouter", root, {"routes": routes}, routing.source)


def _own_endpoints(
    compiled: Compiled, root: Name, branch: Branch, divided: set[Name], spoken: dict[Name, str]
) -> Shares:
    """Shares whose backends are the Services' own endpoints, although Consul divides a backend that has a splitter
    again (agent/consul/discoverychain/compile.go): it is reached by a name that a resolver leads past its splitter.
    """
    made = []
    for service, weight in branch.shares:
        id = Name(root.namespace, service)
        # A splitter that names its own service is not asked again.
        if id in divided and (branch.matches or id != root):
            own = Name(root.namespace, f"{service}--smi-own")
            if own not in spoken:
                compiled.add(_API, "ServiceResolver", own, {"redirect": {"service": service}}, branch.source)
                spoken[own] = branch.source
            service = own.name
        made.append((service, weight))
    return tuple(made)


def _short(branch: Branch) -> str:
    return hashlib.sha256(repr((branch.source, branch.matches)).encode()).hexdigest()[:8]


def _splitter(compiled: Compiled, id: Name, shares: Shares, source: str) -> None:
    weights = percentages([weight for _, weight in shares])
    total = sum(weight for _, weight in shares)
    if any(abs(part / 100 - weight / total) > 1e-9 for part, (_, weight) in zip(weights, shares, strict=True)):
        said = "Consul divides by hundredths of a percent: weights are rounded"
        compiled.lose("weight-rounded", source, "spec.backends", said)
    splits = [{"weight": part, "service": service} for part, (service, _) in zip(weights, shares, strict=True) if part]
    compiled.add(_API, "ServiceSplitter", id, {"splits": _summing(splits)}, source)


def percentages(weights: list[int]) -> list[float]:
    """Weights as percentages with two digits that sum to 100: largest remainders get the hundredths that are left."""
    total = sum(weights)
    exact = [weight * _GRAIN / total for weight in weights]
    parts = [weight * _GRAIN // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[: _GRAIN - sum(parts)]:
        parts[place] += 1
    return [part / 100 for part in parts]


def _summing(splits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An order in which the webhook's running sum, in single precision, comes to exactly 100 (consul-k8s)."""
    for number, order in enumerate(permutations(splits)):
        total = np.float32(0)
        for split in order:
            total = np.float32(total + np.float32(split["weight"]))
        if total == np.float32(100):
            return list(order)
        if number > 5000:
            break
    return splits


def _route(match: HttpMatch, service: str) -> dict[str, Any]:
    return {"match": {"http": _http(match)}, "destination": {"service": service}}


def _http(match: HttpMatch) -> dict[str, Any]:
    http: dict[str, Any] = {}
    if match.path_regex:
        http["pathRegex"] = whole_path(match.path_regex)
    if match.headers:
        http["header"] = [{"name": name, "regex": f"^(?:{pattern})$"} for name, pattern in match.headers]
    if match.methods:
        http["methods"] = list(match.methods)
    return http or {"pathPrefix": "/"}


def _intentions(compiled: Compiled, configuration: Configuration, spoken: dict[Name, str]) -> None:
    allowed: dict[Name, dict[str, Any]] = defaultdict(dict)
    origin: dict[Name, str] = {}
    for grant in grants(configuration, compiled):
        destination = _service(compiled, configuration, grant, grant.target.destination.id, "spec.destination")
        if destination is None or not _expressible(compiled, grant):
            continue
        for account in grant.accounts:
            source = _service(compiled, configuration, grant, account, "spec.sources")
            if source is not None:
                _allow(allowed[destination], source.name, grant)
                origin[destination] = grant.subject
                if grant.http is not None:
                    spoken.setdefault(destination, grant.subject)
    for id, sources in sorted((id, sources) for id, sources in allowed.items() if sources):
        spec = {"destination": {"name": id.name}, "sources": [sources[name] for name in sorted(sources)]}
        compiled.add(_API, "ServiceIntentions", id, spec, origin[id])


def _allow(sources: dict[str, Any], name: str, grant: Grant) -> None:
    """Sources add up; one that is allowed everything needs no permissions beside it."""
    if grant.http is None:
        sources[name] = {"name": name, "action": "allow"}
    elif grant.http and "action" not in sources.get(name, {}):
        entry = sources.setdefault(name, {"name": name, "permissions": []})
        for match in grant.http:
            http = _http(match)
            http["methods"] = http.get("methods", list(METHODS))
            entry["permissions"].append({"action": "allow", "http": http})


def _expressible(compiled: Compiled, grant: Grant) -> bool:
    if grant.ports:
        said = "intentions have no ports: the target is denied, since it would open all of them"
        compiled.lose("ports", grant.subject, "spec.rules", said)
        return False
    if grant.spiffe:
        said = "Consul names callers by service, not by SPIFFE ID: these are denied"
        compiled.lose("spiffe-form", grant.subject, "spec.sources", said)
    return bool(grant.accounts)


def _service(compiled: Compiled, configuration: Configuration, grant: Grant, account: Name, field: str) -> Name | None:
    """The one service whose pods run under an account: with Consul's ACLs the two have the same name."""
    index = compiled.index(configuration)
    services = [service.id for service in index.services_of(account)]
    twins = [one for one in index.services_named(account.name) if one.id.namespace != account.namespace]
    if twins or (not services and account.namespace != grant.target.id.namespace):
        said = f"Consul knows no namespaces: {account.name} could be another than {account}. Denied"
        compiled.lose("namespace", grant.subject, field, said)
        return None
    if not services:
        return account
    if len(services) > 1 or len(configuration.services[services[0]].accounts) > 1:
        names = ", ".join(sorted(id.name for id in services))
        said = f"account {account} and services {names} are not one to one: a service's grant would be wider. Denied"
        compiled.lose("account-service", grant.subject, field, said)
        return None
    return services[0]
