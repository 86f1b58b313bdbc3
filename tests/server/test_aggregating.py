"""The port for Kubernetes' API server lets in who has a certificate of its front proxy, and nobody else."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from pilothouse.mesh.envoy.certificates import write_certificates
from pilothouse.mesh.trafficmetrics.api import routes
from pilothouse.server.aggregating import check_files, tls_config
from tests.running import RunningServer


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The directory as a Secret would be mounted; beside it the certificate of a front proxy."""
    write_certificates(tmp_path, {"tls": "spiffe://cluster.local/metrics", "proxy": "spiffe://cluster.local/proxy"})
    write_certificates(tmp_path / "other", {"stranger": "spiffe://cluster.local/proxy"})
    (tmp_path / "tls.pem").rename(tmp_path / "tls.crt")
    (tmp_path / "authority.pem").rename(tmp_path / "ca.crt")
    return tmp_path


@pytest.fixture
def address(files: Path) -> Iterator[str]:
    check_files(files)
    server = uvicorn.Server(tls_config(Starlette(routes=routes(lambda query: [], None)), files))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"https://127.0.0.1:{bound.getsockname()[1]}/apis/metrics.smi-spec.io"
        server.should_exit = True
        thread.join()


def client(files: Path, certificate: Path | None) -> httpx.Client:
    context = ssl.create_default_context(cafile=str(files / "ca.crt"))
    context.check_hostname = False
    if certificate:
        context.load_cert_chain(certificate.with_suffix(".pem"), certificate.with_suffix(".key"))
    return httpx.Client(verify=context, timeout=60, trust_env=False)


def test_only_the_front_proxy_may_ask(files: Path, address: str) -> None:
    with client(files, files / "proxy") as proxy:
        assert proxy.get(address).json()["preferredVersion"]["version"] == "v1alpha2"
    for certificate in (None, files / "other" / "stranger"):
        with client(files, certificate) as other, pytest.raises(httpx.TransportError):
            other.get(address)


def test_the_same_is_on_the_http_port(server: RunningServer) -> None:
    found = server.get("/apis/metrics.smi-spec.io/v1alpha1")
    assert found["kind"] == "APIResourceList"
    assert server.get("/apis/metrics.smi-spec.io/v1alpha1/namespaces/shop/deployments")["items"] == []


def test_a_file_that_is_not_there_or_wrong_is_named(files: Path) -> None:
    (files / "tls.key").write_text("nonsense")
    with pytest.raises(OSError, match="aggregated_api_tls"):
        check_files(files)
    (files / "ca.crt").unlink()
    with pytest.raises(OSError, match=r"ca\.crt is not there"):
        check_files(files)
