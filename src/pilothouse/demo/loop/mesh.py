"""The TrafficSplit of checkout and the services behind it, as files that a real Envoy follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pilothouse.replacing import replace_file

_ROOT = "shop/checkout"


class MeshFiles:
    """`smi/` is what the server and the Envoy read; `services.yaml` says where each version runs, `envoys.json` where
    Envoy's metrics are: the server scrapes them, and so knows the shares that the versions really get.

    The server changes weights in the split while versions come and go, so each write is of the file as it is then.
    """

    def __init__(self, directory: Path, gateway: str) -> None:
        """`gateway` is the address at which the gateway's Envoy takes calls of checkout."""
        self.smi, self.services = directory / "smi", directory / "services.yaml"
        self.targets, self.scrape = directory / "envoys.json", directory / "prometheus.yml"
        self._split = self.smi / "checkout.yaml"
        self.gateway = f"http://{gateway}"
        self._addresses: dict[str, str] = {}
        self.smi.mkdir(parents=True)
        files = {"job_name": "envoy", "scrape_interval": "5s", "file_sd_configs": [{"files": [str(self.targets)]}]}
        _replace(self.scrape, {"scrape_configs": [files]})

    def begin(self, version: str, address: str) -> None:
        """The only version that there is gets everything."""
        self._addresses = {version: address}
        self._write_services()
        self._write_split({backend(version): 100})

    def add(self, version: str, address: str) -> None:
        """A version that runs and gets nothing yet."""
        self._addresses[version] = address
        self._write_services()
        self._write_split({backend(version): 0} | self.weights())

    def remove(self, version: str) -> None:
        """A version that is to end, after it got nothing any more."""
        self._addresses.pop(version, None)
        self._write_split({name: weight for name, weight in self.weights().items() if name != backend(version)})
        self._write_services()

    def weights(self) -> dict[str, int]:
        """The weights as they are, by the name of the backend."""
        found = yaml.safe_load(self._split.read_text())
        return {one["service"]: int(one["weight"]) for one in found["spec"]["backends"]}

    def weight(self, version: str) -> int:
        """The weight of a version; 0 when it is not there."""
        return self.weights().get(backend(version), 0)

    def _write_split(self, weights: dict[str, int]) -> None:
        _replace(
            self._split,
            {
                "apiVersion": "split.smi-spec.io/v1alpha4",
                "kind": "TrafficSplit",
                "metadata": {"name": "checkout", "namespace": "shop"},
                "spec": {
                    "service": "checkout",
                    "backends": [{"service": name, "weight": weight} for name, weight in weights.items()],
                },
            },
        )

    def _write_services(self) -> None:
        services: list[dict[str, Any]] = [
            {"name": f"shop/{backend(version)}", "endpoints": [address.removeprefix("http://")]}
            for version, address in self._addresses.items()
        ]
        services.append({"name": _ROOT, "endpoints": services[0]["endpoints"]})
        proxies = [{"name": "gateway", "outbound": {_ROOT: self.gateway.removeprefix("http://")}}]
        _replace(self.services, {"services": services, "proxies": proxies})


def backend(version: str) -> str:
    """The Service of a version, as a rollout by TrafficSplit names it."""
    return f"checkout-{version.replace('.', '-')}"


def _replace(path: Path, content: object) -> None:
    replace_file(path, yaml.safe_dump(content, sort_keys=False))
