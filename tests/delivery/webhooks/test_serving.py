"""From the configuration to doors, polls and forges; and what is wrong in it, by its place."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from pilothouse.delivery.forges.settings import read
from pilothouse.delivery.inbox import Inbox
from pilothouse.delivery.webhooks.serving import ForgeServer
from pilothouse.server.config import Config, ConfigError, load
from pilothouse.server.guarding import HANDLERS
from tests.delivery.app_client import AppClient
from tests.delivery.forges.conftest import filled
from tests.delivery.forges.stand_ins.forgejo import ForgejoStandIn
from tests.delivery.webhooks import github_payloads

WHOLE: dict[str, dict[str, Any]] = {
    "github": {"token": "env:FORGE_TOKEN", "webhook_secret": "env:HOOK_SECRET", "repositories": ["acme/shop"]},
    "gitlab": {"token": "env:FORGE_TOKEN"},
    "code.example.org": {"kind": "forgejo", "url": "https://code.example.org/api/v1/", "token": "file:/run/token"},
}


def test_settings_are_read_with_what_follows_from_their_names() -> None:
    found = read(WHOLE)
    assert found["github"].url == "https://api.github.com"
    assert found["gitlab"].url == "https://gitlab.com/api/v4"
    assert (found["code.example.org"].kind, found["code.example.org"].url) == (
        "forgejo", "https://code.example.org/api/v1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "table", "words"),
    [("github", {}, "forges.github: token is needed"), ("github", {"token": "ghp_secret"}, "forges.github.token: a "
     "secret is not written here: write env:NAME or file:PATH"), ("github", {"token": "env:X", "tokn": ""},
     "forges.github.tokn"), ("github", {"app_id": "1"}, "app_id and app_key belong together"),
     ("gitlab", {"app_id": "1", "app_key": "env:K"}, "is for GitHub only"), ("forgejo", {"token": "env:X"},
     "forges.forgejo.url: is needed"), ("mine", {"token": "env:X"}, "forges.mine.kind: is needed"),
     ("local", {"token": "env:X"}, "`local` is built in"), ("a b", {"token": "env:X"}, "a name is of letters"),
     ("github", {"token": "env:X", "poll": "often"}, "forges.github.poll"), ("github", {"token": "env:X",
     "url": "ftp://x"}, "https://HOST"), ("github", {"token": "env:X", "webhook_secret": ["env:A", "hunter2"]},
     "forges.github.webhook_secret.1")],
)  # fmt: skip
def test_what_is_wrong_is_said_by_its_place_and_without_the_secret(
    name: str, table: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match="forges") as caught:
        read({name: table})
    assert words in str(caught.value)
    assert "ghp_secret" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_configuration_has_them_as_tables_or_as_json(tmp_path: Path) -> None:
    file = tmp_path / "pilothouse.toml"
    file.write_text('[forges.github]\ntoken = "env:FORGE_TOKEN"\n')
    assert load({}, file, {}).config.forges == {"github": {"token": "env:FORGE_TOKEN"}}
    there = {"PILOTHOUSE_FORGES": '{"gitlab": {"token": "env:T"}}'}
    assert load({}, None, there).config.forges == {"gitlab": {"token": "env:T"}}
    file.write_text("[forges.github]\n")
    with pytest.raises(ConfigError, match=r"forges \(from .*toml\): forges.github: token is needed"):
        load({}, file, {})
    assert Config().forges == {}


def test_a_delivery_comes_in_through_the_door_of_its_forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'control.db'}"
    inbox = Inbox(url)
    server = ForgeServer(read(WHOLE), inbox, url)
    client = AppClient(Starlette(routes=server.routes(), exception_handlers=HANDLERS))
    body = json.dumps(github_payloads.of_pull("opened")).encode()
    signature = hmac.new(b"hush", body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "x-github-event": "pull_request", "x-github-delivery": "d-1",
               "x-hub-signature-256": f"sha256={signature}"}  # fmt: skip
    assert client.post("/webhooks/github", content=body, headers=headers).status_code == 403
    monkeypatch.setenv("HOOK_SECRET", "hush")
    assert client.post("/webhooks/github", content=body, headers=headers).json()["taken"] == 1
    assert inbox.counts() == {"waiting": 1}
    server.close()
    inbox.close()


def test_what_cannot_reach_us_is_polled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_TOKEN", "let-me-in")
    shop = filled(tmp_path / "theirs")
    stand = ForgejoStandIn(shop, "https://forgejo.test/api/v1")
    settings = read({"forgejo": {"url": stand.base, "token": "env:FORGE_TOKEN", "poll": "20ms"}})
    url = f"sqlite:///{tmp_path / 'control.db'}"
    inbox = Inbox(url)
    server = ForgeServer(settings, inbox, url, lambda name: stand.transport())
    server.start()
    ends = time.monotonic() + 60
    while not any(path.endswith("/tags") for _, path, _ in stand.calls) and time.monotonic() < ends:
        time.sleep(0.02)
    shop.pull("fast", {"src/a.py": b"a = 2\n"})
    while len(inbox.events(state="waiting")) < 2 and time.monotonic() < ends:
        time.sleep(0.02)
    assert {one.kind for one in inbox.events()} >= {"push", "pull_request.opened"}
    server.close()
    inbox.close()
    shop.house.close()
