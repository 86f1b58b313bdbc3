"""Promotions as pull requests on the built-in forge, with real git: opened, approved, merged, reverted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pilothouse.delivery.environments import read_environments
from pilothouse.delivery.forges import Remote, Status
from pilothouse.delivery.forges.local import House, LocalForge
from pilothouse.delivery.pipelines import provenance
from pilothouse.delivery.promoting.asking import promote, released
from pilothouse.delivery.releasing.publishing import Releasing
from pilothouse.delivery.releasing.release import ReleaseError
from pilothouse.delivery.releasing.serving import ReleaseServer
from tests.control.postgres import copy_directory
from tests.delivery.promoting.world import ENVIRONMENTS, MANIFEST, World

DEPLOY, SHOP = "acme/deploy", "acme/shop"


@dataclass
class Acme:
    """A company: ann owns its repositories, bob may write, eve may only read."""

    house: House
    world: World

    def by(self, login: str) -> LocalForge:
        return LocalForge(self.house, self.house.bearer(login))

    @property
    def forge(self) -> LocalForge:
        return LocalForge.as_pilothouse(self.house)

    def declared(self, environment: str) -> str:
        return self.forge.read_file(DEPLOY, f"{environment}/shop.yaml").decode()

    def approve(self, environment: str, by: str = "ann") -> None:
        self.by(by).add_review(DEPLOY, self.world.last(environment).number, "approved")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company before anything happened, closed: copying it costs no process of git."""
    place = tmp_path_factory.mktemp("acme")
    house = House(place / "forge", f"sqlite:///{place / 'control.db'}")
    house.open()
    for login in ("ann", "bob", "eve"):
        house.people.add(login, login.title(), f"{login}@example.org")
    house.people.add("acme", "Acme", "acme@example.org")
    acme = LocalForge(house, house.bearer("acme"))
    for repository in (DEPLOY, SHOP):
        acme.create_repository(repository)
        acme.allow(repository, "ann", "admin")
        acme.allow(repository, "bob", "write")
        acme.allow(repository, "pilothouse", "write")
    files: dict[str, bytes | None] = {
        f"{name}/shop.yaml": MANIFEST.format(name=name).encode() for name in ("lab", "staging", "production")
    }
    acme.commit_files(DEPLOY, "main", "feat: begin", files | {"environments.yaml": ENVIRONMENTS.encode()})
    acme.commit_files(SHOP, "main", "feat: begin", {"app.py": b"print('shop')\n"})
    house.close()
    return place


@pytest.fixture
def acme(tmp_path: Path, template: Path) -> Iterator[Acme]:
    copy_directory(template, tmp_path)
    house = House(tmp_path / "forge", f"sqlite:///{tmp_path / 'control.db'}")
    house.open()
    world = World(tmp_path, read_environments(ENVIRONMENTS, DEPLOY), LocalForge.as_pilothouse(house))
    yield Acme(house, world)
    world.close()
    house.close()


def test_the_pull_request_says_what_it_does(acme: Acme) -> None:
    asked = promote(acme.world.crew, "shop", "1.1.0", "production", by="bob", changes="### Bug fixes\n\n- round up")
    acme.world.tick()
    pull = acme.forge.pull_request(DEPLOY, acme.world.one(asked.id).number)
    assert pull.title == "Promote shop in production from 1.0.0 to 1.1.0"
    assert pull.labels == {"promotion", "env/production"}
    assert "-      - image: registry.example.org/acme/shop:1.0.0" in pull.body
    assert "+      - image: registry.example.org/acme/shop:1.1.0" in pull.body
    assert "rendered from plain manifests" in pull.body
    assert "somebody has approved it" in pull.body
    assert "- round up" in pull.body
    assert "### Hazards\n\nNone that were not there before (" in pull.body
    changed = acme.forge.files(DEPLOY, pull.number)
    assert [(one.path, one.additions, one.deletions) for one in changed] == [("production/shop.yaml", 1, 1)]
    assert acme.forge.statuses(DEPLOY, pull.head.sha)["pilothouse/hazards"].state == "success"
    assert acme.forge.commit(DEPLOY, pull.head.sha).message.startswith("chore(promote): ")


def test_automatic_waits_for_green_and_merges(acme: Acme) -> None:
    asked = promote(acme.world.crew, "shop", "1.1.0", "staging")
    acme.world.driver.drive()
    waiting = acme.world.one(asked.id)
    # Opened and merged in one look when nothing is against it; so the check is there before.
    assert waiting.state == "deployed"
    assert acme.declared("staging") == MANIFEST.format(name="staging").replace("1.0.0", "1.1.0")
    assert acme.forge.pull_request(DEPLOY, waiting.number).state == "merged"
    assert waiting.branch not in acme.forge.branches(DEPLOY), "its branch is gone"


def test_a_red_check_keeps_automatic_from_merging(acme: Acme) -> None:
    text = ENVIRONMENTS.replace("strategy: Auto, services", "strategy: Auto, checks: [test], services")
    acme.world.environments = read_environments(text, DEPLOY)
    asked = promote(acme.world.crew, "shop", "1.1.0", "staging")
    acme.world.tick()
    assert acme.world.one(asked.id).reason == "waits for test"
    head = acme.forge.pull_request(DEPLOY, acme.world.one(asked.id).number).head.sha
    acme.forge.set_status(DEPLOY, head, Status("failure", context="test"))
    acme.world.tick()
    assert acme.world.one(asked.id).reason == "waits: test failed"
    acme.forge.set_status(DEPLOY, head, Status("success", context="test"))
    acme.world.tick()
    assert acme.world.one(asked.id).state == "deployed"


def test_manual_waits_for_somebody_who_may_and_did_not_ask(acme: Acme) -> None:
    asked = promote(acme.world.crew, "shop", "1.1.0", "production", by="bob")
    acme.world.tick()
    for nobody in ("eve", "bob"):
        acme.approve("production", by=nobody)
        acme.world.tick()
        assert acme.world.one(asked.id).reason == "waits for an approval", nobody
    acme.approve("production")
    acme.world.tick()
    assert (acme.world.one(asked.id).state, acme.world.one(asked.id).approved_by) == ("rolling_out", "ann")


def test_an_approval_is_of_what_was_seen(acme: Acme) -> None:
    asked = promote(acme.world.crew, "shop", "1.1.0", "production")
    acme.world.tick()
    acme.approve("production")
    evil = MANIFEST.format(name="production").replace("acme/shop", "evil/shop")
    acme.by("bob").commit_files(
        DEPLOY, acme.world.one(asked.id).branch, "sneak", {"production/shop.yaml": evil.encode()}
    )
    acme.world.tick()
    assert acme.world.one(asked.id).state == "open"
    assert "evil" not in acme.declared("production")


def test_what_somebody_pushed_to_an_automatic_one_waits_for_a_person(acme: Acme) -> None:
    text = ENVIRONMENTS.replace("strategy: Auto, services", "strategy: Auto, checks: [test], services")
    acme.world.environments = read_environments(text, DEPLOY)
    asked = promote(acme.world.crew, "shop", "1.1.0", "staging")
    acme.world.tick()
    sha = acme.by("bob").commit_files(
        DEPLOY, acme.world.one(asked.id).branch, "sneak", {"staging/more.yaml": b"a: 1\n"}
    )
    acme.forge.set_status(DEPLOY, sha, Status("success", context="test"))
    acme.world.tick()
    assert acme.world.one(asked.id).reason == "waits for an approval: somebody has pushed to its branch"


def test_a_bad_verdict_is_a_pull_request_that_takes_it_back(acme: Acme) -> None:
    asked = promote(acme.world.crew, "shop", "2.0.0", "production")
    acme.world.tick()
    acme.approve("production")
    acme.world.tick()
    assert "2.0.0" in acme.declared("production")
    # Meanwhile somebody changes something else in the same file: that stays.
    kept = acme.declared("production").replace("# The shop", "# Our shop")
    acme.by("ann").commit_files(DEPLOY, "main", "docs: ours", {"production/shop.yaml": kept.encode()})
    acme.world.verdict = "worse"
    for _ in range(4):
        acme.world.tick(31)
    back = acme.world.last("production")
    assert (back.reverts, back.state) == (asked.id, "deployed")
    assert acme.declared("production") == MANIFEST.format(name="production").replace("# The shop", "# Our shop")
    pull = acme.forge.pull_request(DEPLOY, back.number)
    assert pull.title == "Take shop in production back from 2.0.0 to 1.0.0"
    assert "POST /pay fails: 8 % instead of 0.1 %" in pull.body
    told = acme.forge.comments(DEPLOY, acme.world.one(asked.id).number)
    [said] = [one.body for one in told if "the candidate is worse" in one.body]
    assert said.count("the candidate is worse") == 1, said
    assert said.startswith("**Rolled back.** Rollout 1 of shop 2.0.0 was taken back: ")
    assert "[the page](http://127.0.0.1:4000/compare?service=shop)" in said
    assert acme.world.shifts == [10, 0]


def test_closing_the_pull_request_ends_the_promotion(acme: Acme) -> None:
    asked = promote(acme.world.crew, "shop", "1.1.0", "production")
    acme.world.tick()
    acme.by("ann").close(DEPLOY, acme.world.one(asked.id).number)
    acme.world.tick()
    assert (acme.world.one(asked.id).state, acme.declared("production").count("1.0.0")) == ("closed", 1)


def test_a_merge_by_somebody_else_counts(acme: Acme) -> None:
    asked = promote(acme.world.crew, "shop", "1.1.0", "production")
    acme.world.tick()
    pull = acme.forge.pull_request(DEPLOY, acme.world.one(asked.id).number)
    acme.by("ann").merge(DEPLOY, pull.number, "merge", pull.head.sha)
    acme.world.tick()
    assert acme.world.one(asked.id).state == "rolling_out"


def test_a_crash_after_opening_opens_no_second_pull_request(acme: Acme) -> None:
    from dataclasses import replace

    asked = promote(acme.world.crew, "shop", "1.1.0", "production")
    acme.world.tick()
    opened = acme.world.one(asked.id)
    acme.world.store.change(replace(opened, state="opening", number=0, branch="", head="", url=""))
    acme.world.tick()
    assert acme.world.one(asked.id).number == opened.number
    assert len(acme.forge.pull_requests(DEPLOY)) == 1


def test_a_newer_version_closes_the_pull_request_of_an_older(acme: Acme) -> None:
    first = promote(acme.world.crew, "shop", "1.1.0", "production")
    acme.world.tick()
    second = promote(acme.world.crew, "shop", "1.2.0", "production")
    acme.world.tick()
    assert [one.number for one in acme.forge.pull_requests(DEPLOY)] == [acme.world.one(second.id).number]
    old = acme.world.one(first.id)
    assert old.state == "superseded"
    assert "has taken its place" in acme.forge.comments(DEPLOY, old.number)[-1].body


def test_a_merge_is_released_and_goes_to_staging(acme: Acme, tmp_path: Path) -> None:
    releasing = Releasing(acme.forge, acme.world.releases.marks, tmp_path / "data")
    bob = acme.by("bob")
    bob.commit_files(SHOP, "vouchers", "feat(cart): vouchers", {"vouchers.py": b"code = 1\n"})
    pull = bob.create_pull_request(SHOP, "vouchers", "main", "feat(cart): vouchers")
    acme.by("ann").merge(SHOP, pull.number, "squash", pull.head.sha, title=f"feat(cart): vouchers (#{pull.number})")
    release = releasing.work_out(SHOP)
    assert (release.version, release.pulls) == ("0.1.0", (pull.number,))
    releasing.publish(release)
    assert acme.forge.tags(SHOP)["v0.1.0"] == release.commit
    assert releasing.work_out(SHOP) == release, "a release that is there is the same again"
    releasing.publish(release)
    mark = acme.world.releases.marks.all("shop")[0]
    assert (mark.version, mark.commit, mark.note) == (
        "0.1.0", release.commit, f"acme/shop v0.1.0; pull requests #{pull.number}",
    )  # fmt: skip
    assert "is in shop 0.1.0" in acme.forge.comments(SHOP, pull.number)[-1].body
    envelope = json.loads(releasing.provenance(SHOP, "v0.1.0").read_text())
    statement = provenance.verify(envelope, provenance.load_public(tmp_path / "data" / "signing.pub"))
    assert statement["subject"][0]["digest"] == {"gitCommit": release.commit}
    promoted = released(acme.world.crew, "shop", release.version, release.changes)
    assert promoted is not None
    acme.world.tick()
    assert "shop:0.1.0" in acme.declared("staging")
    acme.by("ann").commit_files(SHOP, "main", "chore(promote): nothing of its own", {"staging.yaml": b"a: 1\n"})
    with pytest.raises(ReleaseError, match=r"nothing to release since v0\.1\.0"):
        releasing.work_out(SHOP)


def test_not_everybody_may_release_as_any_service(acme: Acme, tmp_path: Path) -> None:
    assert released_by_itself(acme, tmp_path, "acme/shop", "") == "released"
    assert released_by_itself(acme, tmp_path, "acme/shop", "somebody else's") == "refused: somebody else's"
    fork = acme.by("eve").fork(SHOP).full_name
    assert released_by_itself(acme, tmp_path, fork, "") == "refused: a fork makes no releases"


def test_a_forge_that_is_away_for_a_while_costs_no_release(
    acme: Acme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, text = LocalForge(acme.house, acme.house.bearer("acme")), b"service: shop\n"
    shas = [owner.commit_files(SHOP, "main", f"fix: {n}", {".pilothouse.yaml": text * n}) for n in (1, 2, 3)]
    releasing = Releasing(acme.forge, acme.world.releases.marks, tmp_path / "data")
    server = ReleaseServer(lambda _: releasing, f"sqlite:///{tmp_path / 'control.db'}", lambda _: None, every=60.0)
    asked: list[str] = []

    def stands() -> list[tuple[str, str]]:
        server.look()
        return [(one.state, one.version) for one in server.store.all(SHOP)[::-1]]

    def away(_: LocalForge, repository: str) -> Remote:
        asked.append(repository)
        return Remote("http://127.0.0.1:1/")

    try:
        for sha in shas[1:]:
            server.store.ask(SHOP, sha)
        with monkeypatch.context() as patch:
            patch.setattr(LocalForge, "remote", away)
            assert stands() == [("waiting", "")] * 2
            assert asked == [SHOP], "the second waits for the first"
            assert "127.0.0.1" in server.store.waiting()[0].reason
            assert stands() == [("waiting", "")] * 2
            assert asked == [SHOP], "it is left in peace for a while"
        server._resting.clear()
        assert stands() == [("released", "0.1.0"), ("released", "0.1.1")]
        server.store.ask(SHOP, shas[0])
        assert stands()[-1] == ("refused", "")
        assert server.store.all(SHOP)[0].reason == "it is in v0.1.0 already; give a version to release it by itself"
    finally:
        server.close()


def released_by_itself(acme: Acme, place: Path, repository: str, why: str) -> str:
    """How the server decides about a new commit of a repository."""
    owner = LocalForge(acme.house, acme.house.bearer(repository.partition("/")[0]))
    text = f"service: shop # {why or repository}\n"
    sha = owner.commit_files(repository, "main", "fix: more", {".pilothouse.yaml": text.encode()})
    releasing = Releasing(acme.forge, acme.world.releases.marks, place / "data")
    url = f"sqlite:///{place / 'control.db'}"
    server = ReleaseServer(lambda _: releasing, url, lambda _: None, lambda _repository, _service, _forge: why)
    try:
        server.store.ask(repository, sha)
        server.look()
        found = server.store.one(repository, sha)
    finally:
        server.close()
    assert found is not None
    return f"{found.state}: {found.reason}" if found.reason else found.state
