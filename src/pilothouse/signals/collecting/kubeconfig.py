"""How to reach a Kubernetes API: the current context of a kubeconfig, or the service account of the pod around us."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from pathlib import Path
from typing import Any

import httpx

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class KubeconfigError(Exception):
    """There is no cluster to talk to, or its configuration cannot be used."""


def client(context: str = "") -> httpx.Client:
    """A client for the cluster's API; raises `KubeconfigError`."""
    paths = [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    path = next((one for one in paths or [Path.home() / ".kube" / "config"] if one.is_file()), None)
    if path:
        return _from_file(path, context)
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if host and (_ACCOUNT / "token").is_file():
        token = (_ACCOUNT / "token").read_text().strip()
        verify = ssl.create_default_context(cafile=str(_ACCOUNT / "ca.crt"))
        return httpx.Client(
            base_url=f"https://{host}:{port}", headers={"authorization": f"Bearer {token}"}, verify=verify
        )
    raise KubeconfigError("no kubeconfig and no service account: set KUBECONFIG, or run this in a pod")


def _from_file(path: Path, context: str) -> httpx.Client:
    import yaml

    try:
        content = yaml.safe_load(path.read_text()) or {}
        name = context or content["current-context"]
        chosen = _named(content, "contexts", name)["context"]
        cluster = _named(content, "clusters", chosen["cluster"])["cluster"]
        user = _named(content, "users", chosen["user"])["user"] if chosen.get("user") else {}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise KubeconfigError(f"{path}: cannot be used: {error}") from None
    if "exec" in user or "auth-provider" in user:
        raise KubeconfigError(
            f"{path}: credentials from a plug-in are not supported; `kubectl proxy` helps: point a kubeconfig at it"
        )
    headers = {"authorization": f"Bearer {user['token']}"} if user.get("token") else {}
    return httpx.Client(base_url=cluster["server"], headers=headers, verify=_verify(cluster, user, path))


def _named(content: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    found = next((row for row in content.get(kind) or [] if row.get("name") == name), None)
    if found is None:
        raise KeyError(f"{kind}: there is no {name!r}")
    return dict(found)


def _verify(cluster: dict[str, Any], user: dict[str, Any], path: Path) -> ssl.SSLContext | bool:
    if not cluster["server"].startswith("https"):
        return True
    verify = ssl.create_default_context()
    if authority := _bytes(cluster, "certificate-authority", path):
        verify = ssl.create_default_context(cadata=authority.decode())
    if cluster.get("insecure-skip-tls-verify"):
        verify.check_hostname, verify.verify_mode = False, ssl.CERT_NONE
    certificate, key = _bytes(user, "client-certificate", path), _bytes(user, "client-key", path)
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
