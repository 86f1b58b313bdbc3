"""What only GitHub does: Apps with their tokens, checks instead of statuses, comments on lines, small pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pilothouse.delivery.forges import AccessError, Forge, Status, StatusState
from pilothouse.delivery.forges.opening import open_forge
from pilothouse.delivery.forges.settings import ForgeSettings
from tests.delivery.forges.conftest import Shop, filled
from tests.delivery.forges.stand_ins.github import GitHubStandIn
from tests.delivery.forges.stand_ins.rest import moment

CART, BASE = "shop/cart", "https://github.test/api/v3"
KEY = rsa.generate_private_key(65537, 2048)
AS_APP = ForgeSettings(kind="github", url=BASE, app_id="4711", app_key="env:APP_KEY")


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """A key as it is written in files."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = filled(Path(tmp_path_factory.mktemp("github")))
    yield made
    made.house.close()


@pytest.fixture
def stand(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> GitHubStandIn:
    monkeypatch.setenv("APP_KEY", pem(KEY))
    monkeypatch.setenv("FORGE_TOKEN", "let-me-in")
    made = GitHubStandIn(shop, BASE)
    made.app_keys["4711"] = KEY.public_key()
    return made


@pytest.fixture
def app(stand: GitHubStandIn) -> Forge:
    return open_forge("github", AS_APP, stand.transport())


def test_an_app_is_its_bot_and_sees_what_it_was_installed_for(app: Forge, stand: GitHubStandIn) -> None:
    assert (app.me.login, app.me.is_bot) == ("pilothouse[bot]", True)
    assert [one.full_name for one in app.repositories()] == [CART]
    assert len(stand.app_tokens) == 1
    app.branches(CART)
    assert len(stand.app_tokens) == 1


def test_a_token_that_was_revoked_is_replaced(app: Forge, stand: GitHubStandIn) -> None:
    app.branches(CART)
    [first] = stand.app_tokens
    stand.app_tokens[first] = 0.0
    assert "main" in app.branches(CART)
    assert len(stand.app_tokens) == 2


def test_an_owner_without_the_app_is_told_so(app: Forge) -> None:
    with pytest.raises(AccessError, match="not installed for nobody"):
        app.repository("nobody/shop")


@pytest.mark.parametrize("key", ["nonsense", pem(ec.generate_private_key(ec.SECP256R1()))])
def test_a_key_that_is_none_is_said_without_it(stand: GitHubStandIn, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("APP_KEY", key)
    with pytest.raises(AccessError, match=r"^env:APP_KEY: is no RSA private key in PEM$"):
        _ = open_forge("github", AS_APP, stand.transport()).me


def test_another_apps_key_does_not_let_in(stand: GitHubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY", pem(rsa.generate_private_key(65537, 2048)))
    with pytest.raises(AccessError, match="401"):
        _ = open_forge("github", AS_APP, stand.transport()).me


def test_git_gets_in_with_the_installations_token(app: Forge, stand: GitHubStandIn) -> None:
    remote = app.remote(CART, write=True)
    [token] = stand.app_tokens
    assert token not in remote.url
    assert any("Authorization: Basic" in value for _, value in remote.environment)


@pytest.mark.parametrize(
    ("state", "status", "conclusion"),
    [("pending", "in_progress", None), ("success", "completed", "success"), ("failure", "completed", "failure"),
     ("error", "completed", "cancelled")],
)  # fmt: skip
def test_an_app_reports_checks(
    app: Forge, stand: GitHubStandIn, shop: Shop, state: StatusState, status: str, conclusion: str | None
) -> None:
    head = shop.bot.branches(CART)["main"]
    app.set_status(CART, head, Status("pending", "It runs", f"ci/{state}"))
    app.set_status(CART, head, Status(state, "x" * 200, f"ci/{state}", "https://ci.test/1"))
    [run] = stand.checks.values()
    assert (run["status"], run.get("conclusion"), run["name"]) == (status, conclusion, f"ci/{state}")
    assert len(run["output"]["title"]) == 140
    assert app.statuses(CART, head)[f"ci/{state}"].state == state


def test_comments_on_lines_are_among_the_comments_and_stay_as_they_are(stand: GitHubStandIn, shop: Shop) -> None:
    forge = open_forge("github", ForgeSettings(token="env:FORGE_TOKEN", url=BASE, kind="github"), stand.transport())
    number = shop.pull("lines", {"src/a.py": b"a = 7\n"})
    stand.line_comments.append({"id": 5, "user": stand.user("ann"), "body": "/hold", "created_at": moment(5.0)})
    [said] = forge.comments(CART, number)
    assert (said.id, said.body) == ("line-5", "/hold")


def test_small_pages_are_all_of_it(stand: GitHubStandIn, shop: Shop) -> None:
    stand.page = 2
    forge = open_forge("github", ForgeSettings(token="env:FORGE_TOKEN", url=BASE, kind="github"), stand.transport())
    number = shop.pull("pages", {f"f{n}": b"1" for n in range(5)})
    for n in range(5):
        shop.by("ann").add_comment(CART, number, f"comment {n}")
    assert len(forge.files(CART, number)) == 5
    assert [one.body for one in forge.comments(CART, number)] == [f"comment {n}" for n in range(5)]
    shop.by("ann").add_comment(CART, number, "one more")
    assert len(forge.comments(CART, number)) == 6
