"""The running system of the demo: Pilothouse, the services of the shop, and the load."""

import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from pilothouse.demo import environment
from pilothouse.demo.addresses import url
from pilothouse.demo.asking import ask
from pilothouse.demo.failures import DemoError
from pilothouse.demo.processes import Child, Processes

START_SECONDS = 45.0
VERSIONS = {"gateway": "3.0.2", "catalog": "1.4.0", "payments": "2.3.1"}
OVER_GRPC = {"gateway", "payments"}
"""These send OTLP over gRPC, the others over HTTP, so that a demo goes through both doors."""


@dataclass(frozen=True)
class Service:
    """One running service of the shop and its base address."""

    child: Child
    address: str


class System:
    """Starts, finds and stops the parts of the demo's system.

    Every wait calls `check`, which raises when the demo has to end (a process died, a signal came).
    """

    def __init__(self, processes: Processes, addresses: tuple[str, str, str], check: Callable[[], None]) -> None:
        self._processes = processes
        self._http, self._otlp_grpc, self._otlp_http = addresses
        self._check = check
        self._client = httpx.Client(timeout=60, trust_env=False)
        self._server: Child | None = None
        self.base_url = url(self._http)

    @property
    def scratch(self) -> Path:
        """A directory that ends with the demo."""
        return self._processes.directory

    def start_pilothouse(self, data: Path, **settings: str) -> None:
        """Starts the server, without any configuration file of the user's, and waits until it is ready.

        `settings` are further ones, by their names in the configuration.
        """
        ports = ["--http", self._http, "--otlp-grpc", self._otlp_grpc, "--otlp-http", self._otlp_http]
        command = [sys.executable, "-m", "pilothouse", "up", "--config", os.devnull, "--data", str(data), *ports]
        more = {f"PILOTHOUSE_{name.upper()}": value for name, value in settings.items()}
        self._server = self._processes.start("pilothouse", command, environment.clean() | more)
        self.wait_ready(self.base_url)

    def start_service(self, name: str, version: str, stage: str = "demo", **settings: str) -> Service:
        """Starts a service of the shop on a free port; `settings` are its own variables. Does not wait.

        `stage` is its `deployment.environment.name`.
        """
        grpc = name in OVER_GRPC
        otlp = ("grpc", url(self._otlp_grpc)) if grpc else ("http/protobuf", url(self._otlp_http))
        variables = environment.telemetry(name, version, otlp, f"{self.base_url}/pyroscope", stage)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            variables["SHOP_LISTEN"] = f"fd:{listening.fileno()}"
            child = self._processes.start(
                f"{name} {version}" if stage == "demo" else f"{name} {version} in {stage}",
                [sys.executable, "-m", f"pilothouse.demo.shop.{name}"],
                {**environment.clean(), **variables, **settings},
                [listening.fileno()],
            )
            return Service(child, f"http://127.0.0.1:{listening.getsockname()[1]}")

    def start_command(self, name: str, *arguments: str) -> Child:
        """Starts a command of `pilothouse`."""
        return self._processes.start(name, [sys.executable, "-m", "pilothouse", *arguments], environment.clean())

    def start_load(self, gateway: Service, rate: float) -> Child:
        """Visitors that make `rate` requests a second."""
        settings = {"SHOP_GATEWAY": gateway.address, "SHOP_RATE": str(rate)}
        command = [sys.executable, "-m", "pilothouse.demo.load"]
        return self._processes.start("load", command, {**environment.clean(), **settings})

    def stop(self, child: Child) -> None:
        """Ends one process after it sent its last telemetry."""
        self._processes.stop(child)

    def split_checkout(self, gateway: Service, *checkouts: Service) -> None:
        """Spreads the traffic evenly over these instances of checkout."""
        backends = [{"address": checkout.address, "weight": 1} for checkout in checkouts]
        self._client.put(f"{gateway.address}/-/routes/checkout", json=backends).raise_for_status()

    def wait_ready(self, *addresses: str) -> None:
        """Until `/-/ready` answers on all of them. Raises DemoError when that takes too long."""
        deadline = time.monotonic() + START_SECONDS
        for address in addresses:
            while not self.is_ready(address):
                self.pause(0.1)
                if time.monotonic() > deadline:
                    raise DemoError(f"{address} was not ready after {START_SECONDS:.0f} s")

    def pause(self, seconds: float) -> None:
        """Waits, and watches over the processes while it does."""
        deadline = time.monotonic() + seconds
        while True:
            self._check()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.1))

    def get(self, path: str, **parameters: str) -> Any:
        """Asks Pilothouse for JSON. Raises DemoError when there is no good answer."""
        try:
            answer = ask("GET", self.base_url + path, check=self._check, params=parameters)
        except httpx.TransportError as error:
            self._check()
            raise DemoError(f"{self.base_url}{path}: {error or type(error).__name__}") from error
        if answer.is_success:
            return answer.json()
        log = self._server.end_of_log() if self._server and answer.is_server_error else ""
        raise DemoError(f"{answer.url} answered {answer.status_code}: {answer.text[:500]}\n{log}".rstrip())

    def end_of_log(self) -> str:
        """The last lines that Pilothouse wrote."""
        return self._server.end_of_log() if self._server else ""

    def close(self) -> None:
        """Closes the connections; the processes go on."""
        self._client.close()

    def is_ready(self, address: str) -> bool:
        """Whether `/-/ready` answers there now."""
        try:
            return self._client.get(f"{address}/-/ready", timeout=2).is_success
        except httpx.TransportError:
            return False
