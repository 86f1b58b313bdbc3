"""A pull request of the checkout on the server's own forge: pushed with git, reviewed, with a check that failed."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

_ROOT = "/api/forge/repositories/shop/checkout"


def make_pull_request(http: str, folder: Path) -> int:
    """Makes the repository, its people and one pull request; gives its number. `folder` is for the clone."""
    data = Path(httpx.get(f"{http}/api/status", timeout=60).json()["data"])
    # The forge opens when it is first asked for anything, and makes its owner's token then.
    httpx.get(f"{http}/api/forge/repositories", timeout=60).raise_for_status()
    admin = (data / "forge" / "admin.token").read_text().strip()
    with httpx.Client(base_url=http, timeout=60, trust_env=False) as client:

        def post(path: str, body: dict[str, Any], token: str = admin) -> dict[str, Any]:
            response = client.post(path, json=body, headers={"authorization": f"Bearer {token}"})
            assert response.is_success, response.text
            return dict(response.json())

        post("/api/forge/users", {"login": "shop", "name": "Shop", "email": "shop@example.org"})
        post("/api/forge/users", {"login": "ann", "name": "Ann", "email": "ann@example.org"})
        owner = _token(post("/api/forge/tokens", {"login": "shop", "name": "test"}))
        ann = _token(post("/api/forge/tokens", {"login": "ann", "name": "test"}))
        post("/api/forge/repositories", {"name": "shop/checkout", "description": "Takes the orders."}, owner)
        post(_ROOT, {"allow": "ann", "permission": "write"}, owner)
        _push(http, folder, owner)
        body = "Coupons are combined.\n\n<b>Not</b> HTML."
        made = post(f"{_ROOT}/pulls", {"head": "coupons", "title": "Combine coupons", "body": body}, owner)["pull"]
        failed = {"state": "failure", "context": "ci/test", "description": "2 of 412 tests failed"}
        post(f"{_ROOT}/statuses/{made['head']['sha']}", failed, owner)
        review = {"state": "changes_requested", "body": "This is quadratic."}
        post(f"{_ROOT}/pulls/{made['number']}/reviews", review, ann)
        on_line = {"path": "checkout.py", "line": 1, "body": "Each coupon once?"}
        post(f"{_ROOT}/pulls/{made['number']}/comments", on_line, ann)
        post(f"{_ROOT}/pulls/{made['number']}/comments", {"body": "/hold"}, ann)
        _judged(client, int(made["number"]))
    return int(made["number"])


def _token(answer: dict[str, Any]) -> str:
    return str(answer.get("secret") or answer["token"])


def _judged(client: httpx.Client, number: int) -> None:
    """Waits until the hold was acted on: events are worked on one after the other."""
    deadline = time.monotonic() + 120
    while True:
        said = client.get(f"/api/delivery/pulls/shop/checkout/{number}/why").json()
        if any("hold" in reason for reason in said.get("reasons", [])):
            return
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


def _push(http: str, folder: Path, token: str) -> None:
    folder.mkdir()

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=Shop", "-c", "user.email=shop@example.org", "-c", "credential.helper=")
        subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    file = folder / "checkout.py"
    (folder / "OWNERS").write_text("approvers: [shop, ann]\n")
    for branch, text in {
        "main": "total = sum(prices)\n",
        "coupons": "total = sum(prices) - combine(coupons)\n",
    }.items():
        if branch != "main":
            git("switch", "-q", "-c", branch)
        file.write_text(text)
        git("add", ".")
        git("commit", "-q", "-m", f"The checkout, {branch}")
    git("push", "-q", f"{http.replace('://', f'://shop:{token}@')}/git/shop/checkout.git", "main", "coupons")
