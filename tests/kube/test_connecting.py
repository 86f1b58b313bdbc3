"""Kubeconfigs as people have them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kube import Cluster, ConnectionFailedError
from pilothouse.kube.connecting import connection
from tests.kube.apiserver import ApiServer


def write(path: Path, server: str, user: dict[str, Any], name: str = "c", **more: Any) -> Path:
    content = {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "shop"}}],
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "users": [{"name": name, "user": user}],
    }
    path.write_text(json.dumps(content | more))
    return path


def test_a_context_and_its_namespace(api: ApiServer, tmp_path: Path) -> None:
    with Cluster.connect(kubeconfig=write(tmp_path / "config", api.url, {"token": "secret"})) as cluster:
        assert cluster.namespace == "shop"
        assert cluster.version() == api.store.version


def test_several_files_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write(tmp_path / "one", "http://one", {}, "one")
    second = write(tmp_path / "two", "http://two", {}, "two")
    monkeypatch.setenv("KUBECONFIG", f"{first}:{second}")
    assert connection().server == "http://one"
    assert connection("two").server == "http://two"
    with pytest.raises(ConnectionFailedError, match="it has: one, two"):
        connection("three")


def test_a_credential_plugin_is_asked_once_and_again_after_a_401(api: ApiServer, tmp_path: Path) -> None:
    counter = tmp_path / "calls"
    script = (
        f"import json, os, pathlib; p = pathlib.Path({str(counter)!r}); p.write_text(p.read_text() + 'x' "
        "if p.exists() else 'x'); assert json.loads(os.environ['KUBERNETES_EXEC_INFO'])['kind'] == 'ExecCredential'; "
        "print(json.dumps({'status': {'token': 't', 'expirationTimestamp': '2199-01-01T00:00:00Z'}}))"
    )
    user = {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": ["-c", script]}
    }
    with Cluster.connect(kubeconfig=write(tmp_path / "config", api.url, user)) as cluster:
        cluster.version()
        cluster.version()
        assert counter.read_text() == "x"
        api.api.refused["/version"] = 401
        with pytest.raises(Exception, match="refused"):
            cluster.version()
        assert counter.read_text() == "xx"


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "cannot be used"), ("a: 1", "current context"), ("contexts: [{name: a}]\ncurrent-context: a", "context")],
)
def test_a_broken_file_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "broken"
    path.write_text(content)
    with pytest.raises(ConnectionFailedError, match=said):
        connection(kubeconfig=path)


def test_a_plugin_that_fails_says_why(tmp_path: Path, api: ApiServer) -> None:
    user = {"exec": {"command": "/no/such/plugin", "installHint": "Install it."}}
    with (
        Cluster.connect(kubeconfig=write(tmp_path / "config", api.url, user)) as cluster,
        pytest.raises(ConnectionFailedError, match="Install it"),
    ):
        cluster.version()
