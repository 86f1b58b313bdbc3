"""No secret of the configuration is told: not by answers, logs, commands, backups, the record of acts, nor by errors.

Which settings are secret is asked of their own declarations, so that one that comes later is among them. What is shown
a secret here repeats it in its answer, as some servers do.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import BaseModel, SecretStr, ValidationError

from pilothouse.delivery.forges.settings import ForgeSettings
from pilothouse.server.access import settings as access_settings
from pilothouse.server.config import Config, ConfigError, load, shown
from pilothouse.signals.metrics import configuring
from tests.commands import apart, command
from tests.running import RunningServer, start_server

_HUSH = "hush7"
_NAMED_LIKE_ONE = re.compile(r"(password|secret|token|credential|key)s?")
_WORDS = [name for name, field in Config.model_fields.items() if field.annotation in (str, Path)]


def _models() -> list[type[BaseModel]]:
    """Everything that a configuration is read into."""
    found = {Config, ForgeSettings}
    for module in (access_settings, configuring):
        found |= {one for one in vars(module).values() if isinstance(one, type) and issubclass(one, BaseModel)}
    return sorted(found - {BaseModel}, key=lambda one: one.__name__)


def _declared(model: type[BaseModel]) -> list[str]:
    """The fields that a model keeps to itself."""
    return [name for name, one in model.model_fields.items() if one.annotation is SecretStr or not one.repr]


def _is_a_place(name: str) -> bool:
    """Whether a forge's setting says where a secret is, and takes none itself."""
    try:
        ForgeSettings(**{"token": "env:T", name: f"{_HUSH}-itself"})
    except ValidationError as error:
        return "a secret is not written here" in str(error)
    return False


_PLACES = [name for name in ForgeSettings.model_fields if _is_a_place(name)]


def test_what_is_named_like_a_secret_is_declared_as_one() -> None:
    # A file's name.
    known = {(Config, "tls_key")} | {(ForgeSettings, name) for name in _PLACES}
    for model in _models():
        text = (name for name, field in model.model_fields.items() if field.annotation is not bool)
        named = {name for name in text if _NAMED_LIKE_ONE.fullmatch(name.rpartition("_")[2])}
        assert {name for name in named if (model, name) not in known} <= set(_declared(model)), model
    assert _PLACES == ["token", "app_key", "webhook_secret"]


def test_what_is_secret_is_not_in_a_models_own_words() -> None:
    """They may get into a traceback, or a log."""
    auth = configuring.BasicAuth(username="me", password=f"{_HUSH}-password")
    one = configuring.HttpClient(basic_auth=auth, http_headers={"x-key": {"secrets": [f"{_HUSH}-header"]}})
    assert "me" in repr(one)
    assert _HUSH not in repr(one) + str(one)


@pytest.mark.parametrize("name", _WORDS)
def test_a_password_in_any_setting_is_shown_by_nobody(name: str, tmp_path: Path) -> None:
    """People paste an address with its password into whatever takes text."""
    for given in (
        f"https://me:{_HUSH}@db.example:1/a?x=1&password={_HUSH}",
        f"https://me:{_HUSH}/w#ith?all@db.example/a",
        f"https://{_HUSH}{'x' * 30}@db.example/a",
        f"me:{_HUSH}/x@db.example:1",
    ):
        try:
            told = shown(getattr(load({name: given}, tmp_path / "none", {}).config, name))
        except ConfigError as error:
            told = str(error)
        assert _HUSH not in told, told


@pytest.mark.parametrize(
    "told",
    [
        {"PILOTHOUSE_STORE": f"http://me:{_HUSH}@127.0.0.1:1/x"},
        {"PILOTHOUSE_STORE": f"clickhouse://me:{_HUSH}@127.0.0.1:1/x"},
        {"PILOTHOUSE_STORE": f"clickhouse://me:{_HUSH}#a@127.0.0.1:1/x"},
        {"PILOTHOUSE_STORE": f"clickhouse://me:pass@127.0.0.1:{_HUSH}/x"},
        {"PILOTHOUSE_DATABASE": f"postgresql://me:{_HUSH}@127.0.0.1:1/x"},
        {"PILOTHOUSE_DATABASE": f"postgresql://me:{_HUSH}/a@127.0.0.1:1/x"},
        {"PILOTHOUSE_DATABASE": f"nothing://me:{_HUSH}@127.0.0.1:1/x"},
        {"PILOTHOUSE_DATABASE": f"me:{_HUSH}@127.0.0.1:1/x"},
        {"PILOTHOUSE_FORGES": json.dumps({"github": {"token": f"{_HUSH}"}})},
        {"PILOTHOUSE_FORGES": json.dumps({"github": {"token": "env:T", "webhook_secret": [f"{_HUSH}"]}})},
        {"PILOTHOUSE_FORGES": f'{{"github": {{"token": "{_HUSH}'},
        {"PILOTHOUSE_OIDC_ISSUER": "http://127.0.0.1:1", "PILOTHOUSE_OIDC_CLIENT_SECRET": _HUSH},
        {"PILOTHOUSE_TOKENS_FILE": "{tokens}"},
        {"PILOTHOUSE_PROMETHEUS_CONFIG": "{prometheus}"},
        {"PILOTHOUSE_PROFILES_CONFIG": "{prometheus}"},
        {"PILOTHOUSE_PROMETHEUS_CONFIG": "{tokens}"},
        {"PILOTHOUSE_PROMETHEUS_CONFIG": "/nowhere/prometheus.yml"},
    ],
    ids=lambda told: " ".join(f"{name}={value}" for name, value in told.items())[11:50],
)
def test_what_cannot_be_started_is_told_in_a_line_without_secrets(told: dict[str, str], tmp_path: Path) -> None:
    tokens, prometheus = tmp_path / "tokens", tmp_path / "prometheus.yml"
    tokens.write_bytes(f"ci read {_HUSH}\n".encode() + b"\xff\n")
    prometheus.write_text(f"scrape_configs:\n- job_name: a\n  basic_auth: {{password: {_HUSH}, wrong: {_HUSH}}}\n")
    files = {"{tokens}": str(tokens), "{prometheus}": str(prometheus)}
    there = {name: files.get(value, value) for name, value in told.items()}
    where = ("--data", str(tmp_path / "data"), "--http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0")
    for verb in ("up", "config", "doctor"):
        # What is begun and refused is ended by the end of its process.
        done = apart(verb, *where, **there) if verb == "up" else command(verb, *where[:2], **there)
        assert _HUSH not in done.stdout + done.stderr, done
        assert "Traceback" not in done.stderr, done.stderr
        if verb == "up":
            assert done.returncode == 3, done
            # The library that asks ClickHouse says in the log that it tries again.
            [said] = [line for line in done.stderr.splitlines() if not line.startswith("{")]
            assert said.startswith("pilothouse: ")


class _Echo(BaseHTTPRequestHandler):
    """Refuses, and says back all that it was shown."""

    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        said = "; ".join(f"{name}: {value}" for name, value in self.headers.items())
        body = json.dumps({"message": said, "error_description": said, "path": self.path}).encode()
        self.send_response(403, "no")
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.asked.add(self.path.partition("?")[0])  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        self._refuse()

    def do_POST(self) -> None:
        self._refuse()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def echo() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as found:
        found.asked = set()  # type: ignore[attr-defined]
        thread = threading.Thread(target=found.serve_forever, args=(0.05,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def _client(model: type[BaseModel]) -> list[dict[str, Any]]:
    """The settings of an HTTP client, with a secret in one place of those that it declares each."""
    found = []
    for name in _declared(model):
        if name == "http_headers":
            found.append({name: {"x-key": {"secrets": [f"{_HUSH}-header"]}}})
        else:
            found.append({name: f"{_HUSH}-{name}"})
    for name, part in (("basic_auth", configuring.BasicAuth), ("authorization", configuring.Authorization)):
        found += [{name: {secret: f"{_HUSH}-{secret}"} | ({"username": "me"} if name == "basic_auth" else {})}
                  for secret in _declared(part)]  # fmt: skip
    return found


@dataclass(frozen=True)
class Planted:
    """A server that was given many secrets and has used each of them."""

    server: RunningServer
    token: str
    written: str

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.server.http + path, headers={"authorization": f"Bearer {self.token}"}, timeout=60)


def _configured(directory: Path, port: int) -> dict[str, str]:
    """The files with secrets in them, and the environment that names them."""
    at = f"127.0.0.1:{port}"
    jobs: list[dict[str, Any]] = [
        {"job_name": f"job{number}", "static_configs": [{"targets": [at]}]} | one
        for number, one in enumerate(_client(configuring.HttpClient))
    ]
    jobs.append({"job_name": "found", "http_sd_configs": [
        {"url": f"http://me:{_HUSH}-sd@{at}/sd?token={_HUSH}-query", "refresh_interval": "1s"}]})  # fmt: skip
    alerting = {
        "alertmanagers": [{"static_configs": [{"targets": [at]}]} | one for one in _client(configuring.HttpClient)]
    }
    rules = {"groups": [{"name": "a", "rules": [{"alert": "Always", "expr": "vector(1)"}]}]}
    every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    files = {
        "rules.yml": rules,
        "prometheus.yml": {"global": every, "scrape_configs": jobs, "alerting": alerting, "rule_files": ["rules.yml"]},
        "profiles.yml": {"scrape_configs": [{"scrape_interval": "1s", "profiles": ["cpu"]} | one for one in jobs]},
    }
    for name, content in files.items():
        (directory / name).write_text(yaml.safe_dump(content))
    for name in _PLACES:
        (directory / name).write_text(f"{_HUSH}-{name}")
    (directory / "tokens").write_text(f"listed admin pht_{'0' * 12}_{_HUSH}{'B' * 38}\n")
    places: dict[str, Any] = {name: f"file:{directory / name}" for name in _PLACES if name != "app_key"}
    forges = {
        kind: {"url": f"http://{at}/{kind}", "poll": "1s", "repositories": ["ann/shop"]} | places
        for kind in ("github", "gitlab", "forgejo")
    }
    return {
        "PILOTHOUSE_PROMETHEUS_CONFIG": str(directory / "prometheus.yml"),
        "PILOTHOUSE_PROFILES_CONFIG": str(directory / "profiles.yml"),
        "PILOTHOUSE_TOKENS_FILE": str(directory / "tokens"),
        "PILOTHOUSE_FORGES": json.dumps(forges),
        "PILOTHOUSE_REQUIRE_TOKENS": "true",
        "PILOTHOUSE_OIDC_ISSUER": f"http://{at}/oidc", "PILOTHOUSE_OIDC_CLIENT_ID": "us",
        "PILOTHOUSE_LOG_LEVEL": "debug",
        **{f"PILOTHOUSE_{name.upper()}": f"{_HUSH}-{name}" for name in _declared(Config)},
    }  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, echo: ThreadingHTTPServer) -> Iterator[Planted]:
    directory = tmp_path_factory.mktemp("secrets")
    environment = _configured(directory, echo.server_port)
    server = start_server(directory, **environment)
    token = (directory / "tokens").read_text().split()[2]
    try:
        written = _used(server, token, echo)
        yield Planted(server, token, written)
    finally:
        server.stop()


def _used(server: RunningServer, token: str, echo: ThreadingHTTPServer) -> str:
    """What all that was answered to acts, once every secret was shown to somebody."""
    at, bearer = f"127.0.0.1:{echo.server_port}", {"authorization": f"Bearer {token}"}
    hook = {
        "by": "http", "url": f"http://me:{_HUSH}-hook@{at}/hook?token={_HUSH}-query",
        "headers": {"x-key": f"{_HUSH}-header", "authorization": f"Bearer {_HUSH}-authorization"},
    }  # fmt: skip
    plan = {"service": "shop", "baseline": "1", "candidate": "2", "steps": [{"weight": 10, "for": "1h"}]}
    body = json.dumps({"zen": "a", "hook": {"config": {"secret": f"{_HUSH}-hook"}}}).encode()
    signature = hmac.new(f"{_HUSH}-webhook_secret".encode(), body, hashlib.sha256).hexdigest()
    about = {"x-github-event": "ping", "x-github-delivery": "1", "content-type": "application/json"}
    http = httpx.Client(base_url=server.http, timeout=60)
    with http:
        said = [
            http.post("/api/rollouts", json={"plan": plan, "traffic": hook}, headers=bearer),
            http.post("/webhooks/github", content=body, headers=about | {"x-hub-signature-256": f"sha256={signature}"}),
            http.post("/webhooks/github", content=body, headers=about | {"x-hub-signature-256": f"sha256={_HUSH}"}),
            http.post("/webhooks/gitlab", content=body, headers=about | {"x-gitlab-token": f"{_HUSH}-wrong"}),
            http.post("/api/releases", json={"service": "a"}, headers={"authorization": f"Bearer pht_{_HUSH}"}),
            http.post("/api/releases", json={"service": "a"}, headers={"authorization": f"Basic {_basic('wrong')}"}),
            http.post("/sign-in", data={"token": f"pht_{_HUSH}", "next": "/"}),
            http.get("/sign-in/openid", headers=bearer),
            http.get(f"/api/logs?token={_HUSH}", headers=bearer | {"x-scope-orgid": "a"}),
            http.post("/api/backups", json={}, headers=bearer),
            http.post("/prometheus/-/reload", headers=bearer),
        ]
        assert [one.status_code for one in said[:3]] == [201, 200, 401], [one.text for one in said[:3]]
        assert said[9].status_code == 201, said[9].text
        wanted = (
            "/hook",
            "/sd",
            "/metrics",
            "/api/v2/alerts",
            "/oidc",
            "/debug/pprof",
            "/github",
            "/gitlab",
            "/forgejo",
        )
        deadline = time.monotonic() + 60
        while missing := [one for one in wanted if not any(path.startswith(one) for path in echo.asked)]:  # type: ignore[attr-defined]
            assert time.monotonic() < deadline, f"never asked: {missing}; {server.log.read_text()[-3000:]}"
            time.sleep(0.1)
    # What repeats what it was sent may do so to who sent it.
    return "\n".join(one.text for one in said if f"token={_HUSH}" not in str(one.url))


def _basic(name: str) -> str:
    return base64.b64encode(f"me:{_HUSH}-{name}".encode()).decode()


def _clean(text: str, what: str) -> None:
    for form in (_HUSH, _basic("password"), _basic("hook"), _basic("sd")):
        found = text.find(form)
        assert found < 0, f"{what}: {text[max(0, found - 300) : found + 100]}"


def test_no_answer_tells_one(planted: Planted) -> None:
    _clean(planted.written, "answers to acts")
    paths = planted.get("/api/openapi.json").json()["paths"]
    more = (
        "/api/audit", "/api/tokens", "/metrics", "/api/delivery/events?format=lines", "/api/rollouts/1",
        "/prometheus/api/v1/status/config", "/prometheus/api/v1/targets", "/prometheus/api/v1/alertmanagers",
        "/prometheus/api/v1/status/flags", "/api/backups",
    )  # fmt: skip
    answered = 0
    for path in [*more, *(path for path, one in paths.items() if "get" in one and "tail" not in path)]:
        answer = planted.get(re.sub(r"\{\w+\}", "1", path))
        _clean(answer.text + str(answer.headers), path)
        answered += answer.is_success
    assert answered > 40
    # That they had something to tell.
    events = planted.get("/api/rollouts/1").json()["events"]
    assert "not shifted" in json.dumps(events)
    assert planted.get("/api/audit").json()["acts"]
    down = [one["health"] for one in planted.get("/prometheus/api/v1/targets").json()["data"]["activeTargets"]]
    assert "down" in down


def test_the_log_tells_none(planted: Planted) -> None:
    said = planted.server.log.read_text()
    _clean(said, "the log")
    for told in (
        "cannot ask for targets",
        "traffic was not shifted",
        "a webhook is refused",
        "an Alertmanager refused",
    ):
        assert told in said, f"{told} was not logged"


def test_no_command_and_no_backup_tells_one(planted: Planted, tmp_path: Path) -> None:
    data, where = planted.server.log.parent / "data", {"PILOTHOUSE_SERVER": planted.server.http}
    own = _configured(planted.server.log.parent, 1) | where | {"PILOTHOUSE_TOKEN": planted.token}
    [backup] = list((data / "backups").iterdir())
    _clean((backup / "manifest.json").read_text(), "the manifest")
    for words in (
        ("config",), ("config", "--output", "json"), ("doctor", "--data", str(data)), ("backup", "--list"), ("audit",),
        ("token", "list"), ("rollout", "status"), ("rollout", "status", "--output", "json"),
    ):  # fmt: skip
        done = command(*words, **own)
        assert done.returncode in (0, 1), done
        assert done.stdout or words[0] == "token", words
        _clean(done.stdout + done.stderr, " ".join(words))
