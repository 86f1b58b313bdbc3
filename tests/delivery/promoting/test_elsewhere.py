"""Releases, promotions and previews on GitHub, GitLab and Forgejo: asked over their documented shapes, real git."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pilothouse.delivery.environments.declaring import Declared
from pilothouse.delivery.forges import Event, Forge, InvalidError, RefChange
from pilothouse.delivery.forges.choosing import chosen
from pilothouse.delivery.forges.local.git import Git
from pilothouse.delivery.forges.opening import open_forge
from pilothouse.delivery.pipelines import provenance
from pilothouse.delivery.previews.local import fetched
from pilothouse.delivery.previews.preview import Preview
from pilothouse.delivery.previews.serving import PreviewServer
from pilothouse.delivery.projects.project import PreviewPlan
from pilothouse.delivery.promoting.asking import released
from pilothouse.delivery.promoting.promotion import Promotion
from pilothouse.delivery.releasing.publishing import Releasing
from pilothouse.delivery.releasing.serving import ReleaseServer
from tests.delivery.forges.conftest import Shop, filled
from tests.delivery.forges.test_contract import stand_in
from tests.delivery.promoting.world import ENVIRONMENTS, MANIFEST, World

DEPLOY, CART = "shop/deploy", "shop/cart"
PROJECT = "service: shop\npreview: {command: python3 app.py}\n"


@dataclass
class Elsewhere:
    """A forge elsewhere, called `theirs`, with the built-in one behind its stand-in; `world` promotes on it."""

    forge: Forge
    shop: Shop
    world: World
    place: Path

    def find(self, name: str) -> Forge:
        assert chosen(["theirs"], name) == "theirs"
        return self.forge

    def declared(self, environment: str) -> str:
        text = self.forge.read_file(DEPLOY, f"{environment}/shop.yaml").decode()
        return text.partition("shop:")[2].split()[0]


@pytest.fixture(scope="module", params=["github", "gitlab", "forgejo"])
def there(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    place = tmp_path_factory.mktemp("elsewhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORGE_TOKEN", "let-me-in")
        shop = filled(place / "theirs")
        ann = shop.by("ann")
        ann.create_repository(DEPLOY)
        ann.allow(DEPLOY, "bob", "write")
        for repository in (DEPLOY, CART):
            ann.allow(repository, "pilothouse", "write")
        names = ("lab", "staging", "production")
        files: dict[str, bytes | None] = {f"{name}/shop.yaml": MANIFEST.format(name=name).encode() for name in names}
        text = ENVIRONMENTS.replace("services: [shop]}", "services: {shop: {from: shop/cart}}}")
        text = text[: text.index("    rollout:")]
        ann.commit_files(DEPLOY, "main", "feat: begin", files | {"environments.yaml": text.encode()})
        stand, settings = stand_in(request.param, shop)
        forge = open_forge("theirs", settings, stand.transport())
        declared = Declared(f"theirs:{DEPLOY}:environments.yaml", lambda _: forge)
        (place / "ours").mkdir()
        world = World(place / "ours", declared.environments(), forge)
        yield Elsewhere(forge, shop, world, place)
        world.close()
        shop.house.close()


def test_a_merge_is_released_and_promoted(there: Elsewhere) -> None:
    sha = there.shop.by("ann").commit_files(CART, "main", "feat: vouchers", {".pilothouse.yaml": PROJECT.encode()})
    environments, marks = there.world.environments, there.world.releases.marks
    run = {
        "kind": "PipelineRun", "metadata": {"name": "test-1", "uid": "u1"}, "spec": {},
        "status": {"conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}]},
    }  # fmt: skip
    releasing = Releasing(there.forge, marks, there.place / "data", lambda _: (run, []), lambda _: "test-1")
    promoted: list[Promotion | None] = []
    server = ReleaseServer(
        lambda _: releasing, f"sqlite:///{there.place}/ours/control.db",
        lambda one: promoted.append(released(there.world.crew, one.service, one.version, one.changes)),
        environments.why_not_from,
    )  # fmt: skip
    try:
        change = RefChange("refs/heads/main", "0" * 40, sha)
        server.heard(Event("d1", "theirs", CART, "push", sender="ann", ref=change))
        server.look()
        kept = server.store.one(CART, sha, "theirs")
        assert kept is not None
        assert (kept.state, kept.reason, kept.run) == ("released", "", "test-1")
    finally:
        server.close()
    assert there.shop.bot.tags(CART)[f"v{kept.version}"] == sha, "the tag is on the forge"
    made = marks.made("shop", kept.version)
    assert made is not None
    assert made.to_json()["made_of"] == {
        "forge": "theirs", "repository": CART, "tag": f"v{kept.version}", "pull_requests": [], "run": "test-1",
        "provenance": f"/api/delivery/releases/provenance?repository=theirs%3Ashop%2Fcart&tag=v{kept.version}",
    }  # fmt: skip
    envelope = json.loads(releasing.provenance(CART, f"v{kept.version}").read_text())
    signed = provenance.verify(envelope, provenance.load_public(there.place / "data" / "signing.pub"))
    assert signed["subject"][0]["digest"] == {"gitCommit": sha}
    assert signed["predicate"]["buildDefinition"]["internalParameters"]["release"]["version"] == kept.version

    there.world.tick()
    assert there.declared("staging") == kept.version, "merged by itself"
    there.world.tick()
    promotion = there.world.last("production")
    assert (promotion.state, promotion.forge, promotion.reason) == ("open", "theirs", "waits for an approval")
    assert "### Hazards" in there.forge.pull_request(DEPLOY, promotion.number).body
    there.shop.by("bob").add_review(DEPLOY, promotion.number, "approved")
    there.world.tick()
    assert there.declared("production") == kept.version
    assert there.world.last("production").branch not in there.shop.bot.branches(DEPLOY)
    production = next(one for one in marks.all("shop") if one.environment == "production")
    assert (production.run, production.tag) == ("test-1", f"v{kept.version}"), "what it is made of goes along"


def test_the_same_name_on_another_forge_is_not_taken(there: Elsewhere) -> None:
    why = there.world.environments.why_not_from
    assert why(CART, "shop", "theirs") == ""
    assert why(CART, "shop", "local") == "staging takes shop from theirs:shop/cart"
    with pytest.raises(InvalidError, match=r"say on which forge, as in `local:OWNER/NAME`; there are: local, theirs"):
        chosen(["theirs", "local"])


class Fetching:
    """Starts nothing, but brings the commit's files here: the sandbox has tests of its own."""

    how, port, place, url = "fetched", 1, "", "http://127.0.0.1:1/"

    def __init__(self, there: Elsewhere) -> None:
        self._there = there

    def start(self, preview: Preview, plan: PreviewPlan, place: Path) -> Fetching:
        (place / "files").mkdir(parents=True)
        fetched(self._there.find(preview.forge), preview, place / "git", place / "files")
        assert (place / "files" / "app.py").read_text() == "print()\n"
        return self

    def sweep(self, live: Collection[int]) -> None:
        """Nothing is left."""

    def ready(self) -> bool:
        return True

    def failed(self) -> str:
        return ""

    def log(self) -> str:
        return ""

    def stop(self) -> None:
        """There is nothing to stop."""


def test_a_preview_is_told_on_the_forge(there: Elsewhere) -> None:
    number = there.shop.pull("look", {"app.py": b"print()\n", ".pilothouse.yaml": PROJECT.encode()})
    pull = there.shop.bot.pull_request(CART, number)
    directory = Path(there.shop.bot.remote(CART).url.removeprefix("file://"))
    # The forge's own name of a pull request's head.
    Git(directory).run("update-ref", there.forge.pull_ref(number), pull.head.sha)
    server = PreviewServer(
        there.find, f"sqlite:///{there.place}/ours/control.db", there.place / "data", Fetching(there)
    )
    server.heard(Event("d2", "theirs", CART, "pull_request", "opened", number, pull=pull))
    server.start()
    try:
        waits_for(lambda: any("http://127.0.0.1:1/" in one.body for one in there.shop.bot.comments(CART, number)))
        there.shop.by("bob").close(CART, number)
        server.heard(Event("d3", "theirs", CART, "pull_request", "closed", number))
        waits_for(lambda: "has ended" in there.shop.bot.comments(CART, number)[-1].body)
    finally:
        server.close()


def waits_for(what: object) -> None:
    import time

    deadline = time.monotonic() + 60
    assert callable(what)
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)
