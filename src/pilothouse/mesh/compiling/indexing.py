"""A configuration's Services and pods by what compilers ask for, so that nobody looks at all of them each time."""

from __future__ import annotations

from collections import defaultdict

from pilothouse.mesh.model import Configuration, Name, Service, Workload
from pilothouse.mesh.reading.surroundings import Selecting

Labels = tuple[tuple[str, str], ...]


class Index:
    """Made once for a compilation; the configuration must not change meanwhile."""

    def __init__(self, configuration: Configuration) -> None:
        self._selecting = Selecting(configuration)
        self._pods: dict[str, list[Workload]] = defaultdict(list)
        self._of_account: dict[Name, list[Workload]] = defaultdict(list)
        for _, pods in sorted(configuration.workloads.items()):
            self._pods[pods.id.namespace].append(pods)
            self._of_account[Name(pods.id.namespace, pods.account)].append(pods)
        self._by_account: dict[Name, list[Service]] = defaultdict(list)
        self._by_name: dict[str, list[Service]] = defaultdict(list)
        self._by_label: dict[tuple[str, tuple[str, str]], list[Service]] = defaultdict(list)
        for id, service in configuration.services.items():
            self._by_name[id.name].append(service)
            for account in service.accounts:
                self._by_account[Name(id.namespace, account)].append(service)
            if service.selector:
                # Any one of its labels will do: pods that it selects have them all.
                self._by_label[id.namespace, service.selector[0]].append(service)

    def workloads(self, namespace: str) -> list[Workload]:
        """All of a namespace, sorted."""
        return self._pods.get(namespace, [])

    def running_as(self, account: Name) -> list[Workload]:
        """Those that run as an account, sorted."""
        return self._of_account.get(account, [])

    def selected(self, namespace: str, labels: Labels) -> list[Workload]:
        """Those that have all these labels."""
        return self._selecting.pods(namespace, labels)

    def services_of(self, account: Name) -> list[Service]:
        """Services whose pods run as an account."""
        return self._by_account.get(account, [])

    def services_named(self, name: str) -> list[Service]:
        """Services of this name in any namespace."""
        return self._by_name.get(name, [])

    def services_before(self, pods: Workload) -> list[Service]:
        """Services that lead to these pods."""
        labels = set(pods.labels)
        return [
            service
            for label in pods.labels
            for service in self._by_label.get((pods.id.namespace, label), [])
            if set(service.selector) <= labels
        ]
