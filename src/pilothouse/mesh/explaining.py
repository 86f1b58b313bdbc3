"""One request explained: which split sends it where, and which target lets it in or why none does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pilothouse.mesh.evaluating import Access, Call, HttpRequest, Identity, Route, access, route
from pilothouse.mesh.model import Configuration, Name


@dataclass(frozen=True, slots=True)
class Leaf:
    """A backend with its share in percent, the account its pods run under (empty when not known), and the decision."""

    service: Name
    percent: float
    account: str
    access: Access | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a request goes and whether it gets in there."""

    route: Route
    leaves: tuple[Leaf, ...]

    def as_json(self) -> dict[str, Any]:
        """All of it as a JSON object."""
        return {
            "split": self.route.split or None,
            "match": self.route.match or None,
            "backends": [
                {
                    "service": str(leaf.service), "percent": leaf.percent, "account": leaf.account or None,
                    "allowed": leaf.access.allowed if leaf.access else None,
                    "why": leaf.access.why if leaf.access else "no pods are known behind this Service",
                    "by": list(leaf.access.by) if leaf.access else [],
                }
                for leaf in self.leaves
            ],
        }  # fmt: skip


def explain(
    configuration: Configuration, source: Name, service: Name, http: HttpRequest | None, port: int = 0
) -> Explanation:
    """What happens to a request from an account to a Service (`port` 0: its first)."""
    known = configuration.services.get(service)
    number = port or (known.ports[0].port if known and known.ports else 0)
    way = route(configuration, service, http, number)
    leaves = []
    for id, share in way.backends:
        backend = configuration.services.get(id)
        targets = {own.port: own.target_port for own in backend.ports} if backend else {}
        accounts = backend.accounts if backend else ()
        for account in accounts or ("",):
            who = Identity(Name(id.namespace, account), _labels(configuration, id, account))
            call = Call(Identity(source), who, targets.get(number, number), http)
            leaves.append(Leaf(id, float(share) * 100, account, access(configuration, call) if account else None))
    return Explanation(way, tuple(leaves))


def _labels(configuration: Configuration, service: Name, account: str) -> dict[str, str]:
    for pods in configuration.workloads.values():
        if pods.id.namespace == service.namespace and pods.account == account:
            return dict(pods.labels)
    return {}
