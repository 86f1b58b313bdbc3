"""Envoys on one machine, kept at what files say: started, and given each change without a restart."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pilothouse.mesh.envoy.certificates import write_certificates
from pilothouse.mesh.envoy.discovery import DiscoveryServer
from pilothouse.mesh.envoy.local import LocalMesh, LocalMeshError
from pilothouse.mesh.envoy.resources import prepare, snapshot
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.model import Configuration, Name, spiffe_id

_GRACE = 5.0


class RunningMesh:
    """The proxies of a local mesh, as processes of ours. Leaving the block ends them."""

    def __init__(self, mesh: LocalMesh, envoy: Path, xds: str = "127.0.0.1:0", delta: bool = False) -> None:
        """`delta`: Envoys ask for what changed instead of the state of the world."""
        self._mesh, self._envoy, self._delta = mesh, envoy, delta
        self._directory = tempfile.TemporaryDirectory(prefix="pilothouse-mesh-")
        self._certificates = Path(self._directory.name) / "certificates"
        self.discovery = DiscoveryServer(xds)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def change(self, mesh: LocalMesh) -> None:
        """Other services or endpoints, from the next `apply` on. Raises `LocalMeshError` when proxies differ."""
        if mesh.proxies != self._mesh.proxies or mesh.trust_domain != self._mesh.trust_domain:
            raise LocalMeshError("proxies or the trust domain changed: start again for these")
        self._mesh = mesh

    def apply(self, configuration: Configuration) -> list[Finding]:
        """Give all proxies this configuration; what is to be said about it."""
        findings: dict[Finding, None] = {}
        prepared = prepare(configuration, self._mesh)
        made = {
            name: snapshot(prepared, self._mesh, proxy, self._certificates)
            for name, proxy in self._mesh.proxies.items()
        }
        self.discovery.put({name: found.resources for name, found in made.items()})
        for found in made.values():
            findings.update(dict.fromkeys(found.findings))
        return list(findings)

    def start(self) -> None:
        """Start an Envoy for each proxy."""
        write_certificates(
            self._certificates,
            {
                name: spiffe_id(proxy.account, self._mesh.trust_domain)
                for name, proxy in self._mesh.proxies.items()
                if proxy.account
            },
        )
        for name in self._mesh.proxies:
            self._processes[name] = self._launch(name)

    def ended(self) -> dict[str, int]:
        """Proxies that ended by themselves, with their exit codes."""
        return {n: code for n, process in self._processes.items() if (code := process.poll()) is not None}

    def pids(self) -> dict[str, int]:
        """The processes, by proxy."""
        return {name: process.pid for name, process in self._processes.items()}

    def log_of(self, proxy: str) -> str:
        """What an Envoy wrote."""
        return (Path(self._directory.name) / f"{proxy}.log").read_text(errors="replace")

    def admin(self, proxy: str, seconds: float = 10.0) -> str:
        """The address of an Envoy's admin page, once it is there; raises `TimeoutError`."""
        file, deadline = Path(self._directory.name) / f"{proxy}.admin", time.monotonic() + seconds
        while not (file.exists() and file.read_text().strip()):
            if time.monotonic() > deadline or self._processes[proxy].poll() is not None:
                raise TimeoutError(f"envoy for {proxy} did not start:\n{self.log_of(proxy)[-2000:]}")
            time.sleep(0.02)
        return file.read_text().strip()

    def close(self) -> None:
        """End all Envoys and the server, and remove keys and logs."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.discovery.close()
        self._directory.cleanup()

    def _launch(self, name: str) -> subprocess.Popen[bytes]:
        directory = Path(self._directory.name)
        file = directory / f"{name}.json"
        file.write_text(
            json.dumps(bootstrap(name, self.discovery.address, self._mesh.proxies[name].account, self._delta))
        )
        command = [str(self._envoy), "-c", str(file), "--use-dynamic-base-id", "--concurrency", "1",
                   "--admin-address-path", str(directory / f"{name}.admin"), "--log-level", "warning",
                   "--drain-time-s", "10"]  # fmt: skip
        with (directory / f"{name}.log").open("wb") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # noqa: S603


def bootstrap(proxy: str, xds: str, account: Name | None = None, delta: bool = False) -> dict[str, Any]:
    """An Envoy's own start: who it is, where its configuration comes from, and an admin page on a free port.

    Its metrics say whose proxy they are of: Envoy itself names only the cluster that was called.
    """
    host, _, port = xds.rpartition(":")
    endpoint = {"endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}}}
    ads = {"ads": {}, "resource_api_version": "V3"}
    return {
        "node": {"id": proxy, "cluster": "pilothouse"},
        "stats_config": {
            "stats_tags": [
                {"tag_name": "pilothouse_proxy", "fixed_value": proxy},
                {"tag_name": "pilothouse_account", "fixed_value": str(account or proxy)},
            ]
        },
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC" if delta else "GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}],
            },
            "lds_config": ads,
            "cds_config": ads,
        },
        "static_resources": {
            "clusters": [
                {
                    "name": "xds",
                    "type": "STATIC",
                    "connect_timeout": "2s",
                    "typed_extension_protocol_options": {
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                            "explicit_http_config": {"http2_protocol_options": {}},
                        }
                    },
                    "load_assignment": {"cluster_name": "xds", "endpoints": [{"lb_endpoints": [endpoint]}]},
                }
            ]
        },
    }
