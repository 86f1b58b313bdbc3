"""Credentials from a command, as `aws eks get-token` or `gke-gcloud-auth-plugin` give them (client-go's exec plugins,
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from pilothouse.kube.errors import ConnectionFailedError

_TIMEOUT = 60
# A token is renewed a little before it ends, so that no request is sent with one that ends on the way.
_MARGIN = timedelta(seconds=30)


class ExecCredential(httpx.Auth):
    """Runs the kubeconfig's command for a token, keeps it until it expires, and renews it after a 401."""

    def __init__(self, settings: dict[str, Any], directory: Path, cluster: dict[str, Any]) -> None:
        self._settings = settings
        self._directory = directory
        self._cluster = cluster
        self._token = ""
        self._until = datetime.max.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        with self._lock:
            if not self._token or datetime.now(UTC) > self._until - _MARGIN:
                self._renew()
            token = self._token
        request.headers["authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            with self._lock:
                if self._token == token:
                    self._renew()
                request.headers["authorization"] = f"Bearer {self._token}"
            yield request

    def _renew(self) -> None:
        command = str(self._settings.get("command", ""))
        if os.sep in command and not os.path.isabs(command):
            command = str(self._directory / command)
        version = self._settings.get("apiVersion", "client.authentication.k8s.io/v1")
        spec: dict[str, Any] = {"interactive": False}
        if self._settings.get("provideClusterInfo"):
            spec["cluster"] = {
                "server": self._cluster.get("server"),
                "certificate-authority-data": self._cluster.get("certificate-authority-data"),
            }
        info = {"apiVersion": version, "kind": "ExecCredential", "spec": spec}
        environment = {str(one["name"]): str(one["value"]) for one in self._settings.get("env") or []}
        try:
            done = subprocess.run(  # noqa: S603 - the user's own kubeconfig names the command, as for kubectl
                [command, *map(str, self._settings.get("args") or [])],
                env=os.environ | environment | {"KUBERNETES_EXEC_INFO": json.dumps(info)},
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            hint = f" ({self._settings['installHint'].strip()})" if self._settings.get("installHint") else ""
            raise ConnectionFailedError(f"the credential plugin {command} failed: {error}{hint}") from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()[-500:]
            raise ConnectionFailedError(f"the credential plugin {command} ended with {done.returncode}: {said}")
        try:
            status = json.loads(done.stdout)["status"]
            self._token = status["token"]
            ends = status.get("expirationTimestamp")
            self._until = datetime.fromisoformat(ends) if ends else datetime.max.replace(tzinfo=UTC)
        except (ValueError, KeyError, TypeError):
            raise ConnectionFailedError(f"the credential plugin {command} gave no token") from None
