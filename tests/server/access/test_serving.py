"""The server as others reach it: tokens and TLS with clients' certificates, on HTTP and gRPC, from our own commands."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest

from tests.acceptance import telemetry
from tests.authority import Authority, authority
from tests.running import RunningServer, control_plane, start_server


@dataclass(frozen=True)
class Served:
    server: RunningServer
    tokens: dict[str, str]
    authority: Authority

    def address(self, port: str) -> str:
        return self.server.addresses[port].replace("0.0.0.0", "127.0.0.1")

    def context(self, certificate: str = "client") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authority.directory / "ca.pem"))
        if certificate:
            path = self.authority.directory / certificate
            context.load_cert_chain(f"{path}.pem", f"{path}.key")
        return context


def _pilothouse(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pilothouse", *arguments], env=os.environ | environment, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("served")
    issuing = authority(directory / "pki")
    cert, key = issuing.issue("server")
    issuing.issue("client")
    data, kept = str(directory / "data"), control_plane(directory / "data")
    tokens = {
        scope: _pilothouse("token", "create", scope, "--scope", scope, "--data", data, **kept).strip()
        for scope in ("ingest", "admin")
    }
    running = start_server(
        directory, "--http", "0.0.0.0:0", "--tls-cert", str(cert), "--tls-key", str(key), "--client-ca",
        str(issuing.directory / "ca.pem"),
        PILOTHOUSE_STORE="", PILOTHOUSE_OIDC_CLIENT_SECRET="hush-hush-hush", PILOTHOUSE_FORGES=json.dumps({"theirs": {
            "kind": "github", "url": "http://127.0.0.1:1", "token": "env:HUSH", "webhook_secret": "env:HUSH"}}),
        HUSH="hush-hush-hush",
    )  # fmt: skip
    yield Served(running, tokens, issuing)
    running.stop()


def test_over_http_certificate_and_token_are_both_asked_for(served: Served) -> None:
    address = served.address("http")
    assert address.startswith("https://")
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{address}/-/healthy", verify=served.context(""))
    with httpx.Client(verify=served.context(), base_url=address) as client:
        assert client.get("/-/healthy").status_code == 200
        assert client.get("/api/services").status_code == 401
        assert (
            client.get("/api/services", headers={"authorization": f"Bearer {served.tokens['admin']}"}).status_code
            == 200
        )
    with pytest.raises(httpx.HTTPError):
        httpx.get(address.replace("https:", "http:") + "/-/healthy")


def _asked(served: Served, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of ours, asking this server with the token and the certificates of the environment."""
    shown = os.environ | {"PILOTHOUSE_TOKEN": served.tokens["admin"]} | environment
    return subprocess.run(
        [sys.executable, "-m", "pilothouse", *command], env=shown, capture_output=True, text=True, timeout=60
    )


def test_commands_show_a_certificate_of_ours(served: Served, tmp_path: Path) -> None:
    pki, address = served.authority.directory, served.address("http")
    trusting = {"SSL_CERT_FILE": str(pki / "ca.pem")}
    ours = {
        "PILOTHOUSE_CLIENT_CERTIFICATE": str(pki / "client.pem"),
        "PILOTHOUSE_CLIENT_KEY": str(pki / "client.key"),
    }
    asked = ("audit", "--server", address)
    assert _asked(served, *asked, **trusting, **ours).returncode == 0
    (tmp_path / "a.log").write_text("one line\n")
    collect = ("collect", "files", str(tmp_path / "a.log"), "--once", "--state", str(tmp_path / "state"))
    assert "sent 1 lines" in _asked(served, *collect, "--server", address, **trusting, **ours).stderr
    for environment, said in (
        (trusting, "does it ask for a certificate of ours (PILOTHOUSE_CLIENT_CERTIFICATE)?"),
        (ours, "its certificate is not trusted"),
        (trusting | ours | {"PILOTHOUSE_CLIENT_KEY": str(pki / "ca.key")}, "no certificate with its key"),
        ({"SSL_CERT_FILE": str(pki / "none.pem")}, "SSL_CERT_FILE="),
    ):
        done = _asked(served, *asked, **environment)
        assert (done.returncode, len(done.stderr.splitlines())) == (3, 1)
        assert said in done.stderr
    done = _asked(served, *asked[:-1], address.replace("https:", "http:"))
    assert "does it speak TLS (https://)?" in done.stderr


def test_a_strangers_certificate_is_not_enough(served: Served, tmp_path: Path) -> None:
    stranger = authority(tmp_path / "pki")
    cert, key = stranger.issue("client")
    context = served.context("")
    context.load_cert_chain(cert, key)
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{served.address('http')}/-/healthy", verify=context)


_ASKED = ("/jaeger.api_v2.QueryService/GetServices", "/jaeger.api_v3.QueryService/GetServices")


def _export(served: Served, token: str, certificate: bool = True, method: str = telemetry.LOGS) -> bytes:
    pki = served.authority.directory
    pair = ((pki / "client.key").read_bytes(), (pki / "client.pem").read_bytes()) if certificate else (None, None)
    credentials = grpc.ssl_channel_credentials((pki / "ca.pem").read_bytes(), *pair)
    with grpc.secure_channel(served.address("grpc").removeprefix("https://"), credentials) as channel:
        call = channel.unary_unary(method)
        metadata = [("authorization", f"Bearer {token}")] if token else []
        body = telemetry.logs("by-grpc", ["one"]) if method == telemetry.LOGS else b""
        return bytes(call(body, metadata=metadata, timeout=60))


def test_over_grpc_too(served: Served) -> None:
    assert _export(served, served.tokens["ingest"]) is not None
    with pytest.raises(grpc.RpcError) as refused:
        _export(served, "")
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert "needs a token" in refused.value.details()
    with pytest.raises(grpc.RpcError) as refused:
        _export(served, served.tokens["ingest"], certificate=False)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_question_over_grpc_needs_read(served: Served) -> None:
    for question in _ASKED:
        assert _export(served, served.tokens["admin"], method=question) is not None
        with pytest.raises(grpc.RpcError) as refused:
            _export(served, served.tokens["ingest"], method=question)
        assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED


def test_no_secret_is_in_the_log_or_an_answer(served: Served) -> None:
    headers = {"authorization": f"Bearer {served.tokens['admin']}"}
    with httpx.Client(verify=served.context(), base_url=served.address("http"), headers=headers) as client:
        status = "/prometheus/api/v1/status"
        paths = ("/api/status", "/api/audit", "/metrics", f"{status}/config", f"{status}/flags", "/api/not-there")
        answers = [client.get(path).text for path in paths]
        client.post("/api/releases", content=b"{")
    said = "".join(answers) + served.server.log.read_text()
    for secret in (*served.tokens.values(), "hush-hush-hush"):
        assert secret not in said
        assert secret.split("_", 2)[-1] not in said


def test_the_configuration_is_shown_without_its_secrets() -> None:
    said = _pilothouse(
        "config", "--output", "json",
        PILOTHOUSE_STORE="clickhouse://me:hush1@db.example:8123/telemetry",
        PILOTHOUSE_DATABASE="postgresql+psycopg://me:hush2@db.example/control",
        PILOTHOUSE_OIDC_CLIENT_SECRET="hush3",
    )  # fmt: skip
    assert "hush" not in said
    assert "clickhouse://me:***@db.example:8123/telemetry" in said
