"""How to reach a Kubernetes API: a context of the kubeconfig, or the service account of the pod around us."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from pilothouse.kube.credentials import ExecCredential
from pilothouse.kube.errors import ConnectionFailedError

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_AGENT = {"user-agent": "pilothouse"}
# A connection for each watch and each write at once. httpcore counts those in use against what it keeps open: with the
# default of 20, a controller's dozen watches left it none to keep, and each request made a connection of its own.
_LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=200, keepalive_expiry=60)


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a cluster's API is, as whom, and with which default namespace. `name` is the context's."""

    name: str
    server: str
    namespace: str
    verify: ssl.SSLContext | bool = field(repr=False)
    auth: httpx.Auth | None = field(default=None, repr=False)

    def client(self, timeout: float = 30) -> httpx.Client:
        """A client for blocking calls."""
        return httpx.Client(
            base_url=self.server, verify=self.verify, auth=self.auth, timeout=timeout, headers=_AGENT, trust_env=False,
            limits=_LIMITS,
        )  # fmt: skip

    def async_client(self, timeout: float = 30) -> httpx.AsyncClient:
        """A client for an event loop."""
        return httpx.AsyncClient(
            base_url=self.server, verify=self.verify, auth=self.auth, timeout=timeout, headers=_AGENT, trust_env=False,
            limits=_LIMITS,
        )  # fmt: skip


def connection(context: str = "", kubeconfig: str | Path = "") -> Connection:
    """The connection that a context names (the current one when empty); raises `ConnectionFailedError`.

    Looks where kubectl does: the file given, `$KUBECONFIG` (several files, the first that has a thing wins),
    `~/.kube/config`; without any, the pod's service account.
    """
    named = [str(kubeconfig)] if kubeconfig else os.environ.get("KUBECONFIG", "").split(os.pathsep)
    paths = [Path(part).expanduser() for part in named if part] or [Path.home() / ".kube" / "config"]
    found = [path for path in paths if path.is_file()]
    if found:
        return _from_files(found, context)
    if kubeconfig:
        raise ConnectionFailedError(f"{kubeconfig}: no such file")
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if host and (_ACCOUNT / "token").is_file():
        space = _ACCOUNT / "namespace"
        return Connection(
            "in-cluster",
            f"https://{f'[{host}]' if ':' in host else host}:{port}",
            space.read_text().strip() if space.is_file() else "default",
            ssl.create_default_context(cafile=str(_ACCOUNT / "ca.crt")),
            _TokenFile(_ACCOUNT / "token"),
        )
    raise ConnectionFailedError("no kubeconfig and no service account: set KUBECONFIG, or run this in a pod")


class _TokenFile(httpx.Auth):
    """A token that is rotated on disk (bound service account tokens live for an hour)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["authorization"] = f"Bearer {self._path.read_text().strip()}"
        yield request


class _Token(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["authorization"] = f"Bearer {self._token}"
        yield request


def _from_files(paths: list[Path], context: str) -> Connection:
    import yaml

    merged: dict[str, Any] = {}
    try:
        for path in paths:
            content = yaml.safe_load(path.read_text()) or {}
            for kind in ("contexts", "clusters", "users"):
                rows = [row | {"_path": path} for row in content.get(kind) or []]
                merged.setdefault(kind, []).extend(rows)
            merged["current-context"] = merged.get("current-context") or content.get("current-context")
        name = context or merged["current-context"]
        if not name:
            raise ConnectionFailedError(f"{paths[0]}: no current context; name one with --context")
        chosen = _named(merged, "contexts", name)["context"]
        cluster_row = _named(merged, "clusters", chosen["cluster"])
        nobody: dict[str, Any] = {"user": {}, "_path": paths[0]}
        user_row = _named(merged, "users", chosen["user"]) if chosen.get("user") else nobody
        cluster, user = cluster_row["cluster"], user_row.get("user") or {}
        verify = _verify(cluster, cluster_row["_path"], user, user_row["_path"])
        auth = _auth(user, user_row["_path"], cluster)
        return Connection(name, cluster["server"].rstrip("/"), chosen.get("namespace") or "default", verify, auth)
    except KeyError as error:
        raise ConnectionFailedError(f"{paths[0]}: cannot be used: {error.args[0]} is missing") from None
    except (OSError, yaml.YAMLError, TypeError, AttributeError, ValueError) as error:
        raise ConnectionFailedError(f"{paths[0]}: cannot be used: {error}") from None


def _named(content: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    found = next((row for row in content.get(kind) or [] if row.get("name") == name), None)
    if found is None:
        known = ", ".join(str(row.get("name")) for row in content.get(kind) or []) or "none"
        raise ConnectionFailedError(f"the kubeconfig has no {kind.removesuffix('s')} {name!r}; it has: {known}")
    return dict(found)


def _auth(user: dict[str, Any], path: Path, cluster: dict[str, Any]) -> httpx.Auth | None:
    if "exec" in user:
        return ExecCredential(user["exec"], path.parent, cluster)
    if "auth-provider" in user:
        raise ConnectionFailedError(
            f"{path}: `auth-provider` was removed from Kubernetes' clients in 1.26; use an `exec` plugin"
        )
    if user.get("tokenFile"):
        return _TokenFile(path.parent / user["tokenFile"])
    if user.get("token"):
        return _Token(str(user["token"]))
    if user.get("username"):
        return httpx.BasicAuth(str(user["username"]), str(user.get("password", "")))
    return None


def _verify(
    cluster: dict[str, Any], cluster_path: Path, user: dict[str, Any], user_path: Path
) -> ssl.SSLContext | bool:
    if not cluster["server"].startswith("https"):
        return True
    verify = ssl.create_default_context()
    if authority := _bytes(cluster, "certificate-authority", cluster_path):
        verify = ssl.create_default_context(cadata=authority.decode())
    if cluster.get("insecure-skip-tls-verify"):
        verify.check_hostname, verify.verify_mode = False, ssl.CERT_NONE
    certificate, key = _bytes(user, "client-certificate", user_path), _bytes(user, "client-key", user_path)
    if certificate and key:
        # The ssl module reads certificates from files only.
        with tempfile.NamedTemporaryFile() as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            verify.load_cert_chain(file.name)
    return verify


def _bytes(row: dict[str, Any], name: str, path: Path) -> bytes:
    if data := row.get(f"{name}-data"):
        return base64.b64decode(data)
    return (path.parent / row[name]).read_bytes() if row.get(name) else b""
