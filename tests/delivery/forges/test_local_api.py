"""`/api/forge`: what the page and the command line see of the built-in forge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pilothouse.delivery.forges.local import api
from tests.delivery.forges.conftest import Shop
from tests.delivery.forges.serving import served

CART = "/api/forge/repositories/shop/cart"


class Caller:
    """Somebody who calls the API."""

    def __init__(self, client: httpx.Client, token: str = "") -> None:
        self._client = client
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, status: int = 200, **params: str) -> Any:
        answer = self._client.get(path, headers=self._headers, params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        # As ASCII, so that half characters are sent as they are.
        headers = self._headers | {"content-type": "application/json"}
        answer = self._client.post(path, headers=headers, content=json.dumps(body))
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def client(shop: Shop) -> Iterator[httpx.Client]:
    with served([*api.routes(shop.house)]) as http, httpx.Client(base_url=http, timeout=60) as made:
        yield made


@pytest.fixture(scope="module")
def one_client(one_shop: Shop) -> Iterator[httpx.Client]:
    with served([*api.routes(one_shop.house)]) as http, httpx.Client(base_url=http, timeout=60) as made:
        yield made


def by(shop: Shop, client: httpx.Client, login: str) -> Caller:
    return Caller(client, shop.house.people.add_token(login))


def test_a_pull_request_from_end_to_end(shop: Shop, client: httpx.Client) -> None:
    bob, cat, nobody = by(shop, client, "bob"), by(shop, client, "cat"), Caller(client)
    head = shop.by("bob").commit_files("shop/cart", "fast", "faster", {"src/a.py": b"a = 2\n"})
    made = bob.post(f"{CART}/pulls", {"head": "fast", "title": "Faster", "body": "because"}, 201)["pull"]
    one = f"{CART}/pulls/{made['number']}"
    assert (made["author"], made["head"]["sha"], made["base"]["ref"]) == ("bob", head, "main")
    cat.post(f"{one}/comments", {"body": "/lgtm"}, 201)
    cat.post(f"{one}/reviews", {"state": "approved"}, 201)
    bob.post(f"{CART}/statuses/{head}", {"state": "success", "context": "ci/test", "description": "ran"})
    bob.post(one, {"add_labels": ["lgtm"], "assign": ["cat", "ghost"], "title": "Faster still"})
    seen = nobody.get(one)["pull"]
    assert (seen["title"], seen["labels"], seen["assignees"], seen["mergeable"]) == (
        "Faster still", ["lgtm"], ["cat"], True,
    )  # fmt: skip
    assert [(c["author"], c["body"]) for c in seen["comments"]] == [("cat", "/lgtm")]
    assert [(r["author"], r["state"]) for r in seen["reviews"]] == [("cat", "approved")]
    assert [(s["context"], s["state"]) for s in seen["statuses"]] == [("ci/test", "success")]
    assert [f["path"] for f in seen["files"]] == ["src/a.py"]
    assert "+a = 2" in client.get(f"{one}/diff").text
    merged = bob.post(one, {"action": "merge", "method": "squash", "head": head})
    assert merged["pull"]["state"] == "merged"
    assert nobody.get(CART)["repository"]["branches"]["main"] == merged["sha"]
    assert nobody.get(f"{CART}/pulls")["pulls"] == []
    assert [p["number"] for p in nobody.get(f"{CART}/pulls", state="merged")["pulls"]] == [1]


def test_who_nobody_can_be(shop: Shop, client: httpx.Client) -> None:
    nobody, forged = Caller(client), Caller(client, "phf_forged")
    assert [r["name"] for r in nobody.get("/api/forge/repositories")["repositories"]] == ["shop/cart"]
    assert forged.get(CART, 401)["error"]["code"] == "unknown_token"
    assert nobody.post("/api/forge/repositories", {"name": "a/b"}, 403)["error"]["code"] == "forbidden"
    assert by(shop, client, "cat").post(CART, {"allow": "cat", "permission": "admin"}, 403)
    assert by(shop, client, "ann").post("/api/forge/users", {"login": "eve", "admin": True}, 403)
    assert by(shop, client, "ann").post("/api/forge/tokens", {"login": "bob"}, 403)
    assert nobody.get("/api/forge/users", 403)


def test_users_and_tokens(shop: Shop, client: httpx.Client) -> None:
    admin = Caller(client, (shop.house.data / "admin.token").read_text().strip())
    admin.post("/api/forge/users", {"login": "eve", "name": "Eve", "email": "eve@example.org"}, 201)
    token = admin.post("/api/forge/tokens", {"login": "eve", "name": "laptop", "expires_in": "1d"}, 201)["token"]
    eve = Caller(client, token)
    mine = eve.get("/api/forge/tokens")["tokens"]
    assert [(t["name"], t["may_write"]) for t in mine] == [("laptop", True)]
    assert token not in str(mine)
    assert eve.post("/api/forge/repositories", {"fork_of": "shop/cart"}, 201)["repository"]["name"] == "eve/cart"
    assert eve.post("/api/forge/repositories", {"name": "eve/cart"}, 409)["error"]["code"] == "conflict"
    eve.post("/api/forge/tokens", {"revoke": mine[0]["id"]})
    eve.get(CART, 401)


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/api/forge/repositories", {"name": "../../etc"}, "cannot be a name"),
        ("/api/forge/repositories", {"name": 7}, "name: a text is needed here"),
        ("/api/forge/repositories", {}, "name: a text is needed here"),
        (f"{CART}/pulls", {"head": "fast", "title": ""}, "title: a text is needed here"),
        (f"{CART}/pulls/1", {"action": "explode"}, "action: 'explode' is not one of"),
        (f"{CART}/pulls/1", {"method": "octopus", "action": "merge"}, "is not one of merge, squash, rebase"),
        (f"{CART}/pulls/1", {"add_labels": "lgtm"}, "add_labels: a list of texts is needed here"),
        (f"{CART}/pulls/1", {"lables": []}, "lables: no such field"),
        (f"{CART}/pulls/1", {"title": "x" * 300}, "title: 300 characters"),
        (f"{CART}/pulls/1/comments", {"body": " "}, "body: say something"),
        (f"{CART}/pulls/1/reviews", {"state": "lgtm"}, "state: 'lgtm' is not one of"),
        (f"{CART}/statuses/{'1' * 40}", {"state": "green", "context": "x"}, "state: 'green' is not one of"),
        (f"{CART}/pulls/1/comments", {"body": "half \ud800"}, "body: this is no text"),
        (f"{CART}/pulls/1", {"add_labels": ["a\0b"]}, "add_labels: there is a NUL in it"),
        (CART, {"protect": "a..b"}, "cannot be the name of a branch"),
        (CART, {"allow": "cat", "permission": "root"}, "'root' is no permission"),
    ],
)
def test_what_is_wrong_is_named(one_shop: Shop, one_client: httpx.Client, path: str, body: Any, said: str) -> None:
    if not one_shop.bot.pull_requests("shop/cart"):
        one_shop.pull("fast", {"a": b"1"})
    assert said in by(one_shop, one_client, "ann").post(path, body, 400)["error"]["message"]


def test_files_are_never_pages(shop: Shop, client: httpx.Client) -> None:
    shop.by("bob").commit_files("shop/cart", "main", "page", {"x.html": b"<script>alert(1)</script>"})
    answer = client.get(f"{CART}/file", params={"path": "x.html"})
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    for path in ("../../../etc/passwd", "/etc/passwd", "src", "nothing", ""):
        assert client.get(f"{CART}/file", params={"path": path}).status_code in (400, 404)
    entries = client.get(f"{CART}/tree", params={"path": "src"}).json()["entries"]
    assert [(e["path"], e["size"]) for e in entries] == [("src/a.py", 6)]


def test_numbers_and_addresses_that_lead_nowhere(shop: Shop, client: httpx.Client) -> None:
    for path in (f"{CART}/pulls/99999999999999999999", f"{CART}/pulls/0", "/api/forge/repositories/shop/none"):
        assert client.get(path).status_code == 404
    for query in ("tree?path=%00", "file?path=%00", "tree?ref=%00", "tree?ref=--help", "tree?path=../.."):
        assert client.get(f"{CART}/{query}").status_code == 400
    assert client.get(f"{CART}/statuses/%00").status_code == 400
    assert client.get(f"{CART}/statuses/nothing").json() == {"statuses": []}
