"""Credentials of a service account as files in the step's home. Source: Tekton's `docs/auth.md` (creds-init)."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from pilothouse.delivery.pipelines.catalog import Catalog

_TYPES = {
    "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth", "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg",
}  # fmt: skip


def secrets_of(account: str, catalog: Catalog) -> list[dict[str, Any]]:
    """The Secrets of a service account that are meant for git or registries."""
    body = catalog.find("ServiceAccount", account) or {}
    found = [catalog.find("Secret", str(one.get("name", ""))) for one in body.get("secrets") or []]
    return [one for one in found if one and one.get("type") in _TYPES and (_addresses(one) or "docker" in one["type"])]


def write(found: list[dict[str, Any]], home: Path, catalog: Catalog) -> None:
    """Write the files that ssh, git and docker read."""
    registries: dict[str, Any] = {}
    for one in found:
        name = one["metadata"]["name"]
        entries = {key: value.decode("utf-8", "surrogateescape") for key, value in (catalog.secret(name) or {}).items()}
        if one["type"] == "kubernetes.io/ssh-auth":
            _ssh(home, name, entries, _addresses(one).get("git", []))
        elif one["type"] == "kubernetes.io/basic-auth":
            _git(home, entries, _addresses(one).get("git", []))
            token = base64.b64encode(f"{entries.get('username', '')}:{entries.get('password', '')}".encode()).decode()
            registries |= {address: {"auth": token} for address in _addresses(one).get("docker", [])}
        else:
            loaded = json.loads(entries.get(".dockerconfigjson") or "{}").get("auths", {})
            registries |= loaded or json.loads(entries.get(".dockercfg") or "{}")
    if registries:
        _private(home / ".docker" / "config.json", json.dumps({"auths": registries}))


def _addresses(secret: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in sorted(((secret.get("metadata") or {}).get("annotations") or {}).items()):
        for kind in ("git", "docker"):
            if key.startswith(f"tekton.dev/{kind}-"):
                found.setdefault(kind, []).append(str(value))
    return found


def _ssh(home: Path, name: str, entries: dict[str, str], hosts: list[str]) -> None:
    _private(home / ".ssh" / f"id_{name}", entries.get("ssh-privatekey", ""))
    _append(home / ".ssh" / "known_hosts", entries.get("known_hosts", ""))
    for host in hosts:
        plain, _, port = host.partition(":")
        text = f"Host {plain}\n    HostName {plain}\n    IdentityFile ~/.ssh/id_{name}\n    Port {port or 22}\n"
        _append(home / ".ssh" / "config", text)


def _git(home: Path, entries: dict[str, str], addresses: list[str]) -> None:
    if not addresses:
        return
    user, password = entries.get("username", ""), entries.get("password", "")
    config = "[credential]\n    helper = store\n"
    for address in addresses:
        parts = urlsplit(address)
        _append(home / ".git-credentials", f"{parts.scheme}://{quote(user)}:{quote(password)}@{parts.netloc}\n")
        config += f'[credential "{address}"]\n    username = {user}\n'
    _append(home / ".gitconfig", config)


def _private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(0o600)
    path.write_text(text, errors="surrogateescape")


def _append(path: Path, text: str) -> None:
    if text:
        old = path.read_text(errors="surrogateescape") if path.exists() else ""
        _private(path, old + text)
