"""One contract for all forges: the same calls mean the same on GitHub (by token and as an App), GitLab, Forgejo and
the built-in forge. The first four are asked over their documented REST shapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pilothouse.delivery.forges import (
    NO_COMMIT,
    ConflictError,
    Forge,
    InvalidError,
    LineComment,
    MergeError,
    MergeMethod,
    MissingError,
    Published,
    Status,
    StatusState,
)
from pilothouse.delivery.forges.opening import open_forge
from pilothouse.delivery.forges.settings import ForgeSettings
from tests.control.postgres import copy_directory
from tests.delivery.forges.conftest import Shop, filled, open_shop
from tests.delivery.forges.stand_ins.forgejo import ForgejoStandIn
from tests.delivery.forges.stand_ins.github import GitHubStandIn
from tests.delivery.forges.stand_ins.gitlab import GitLabStandIn
from tests.delivery.forges.stand_ins.rest import StandIn

CART = "shop/cart"
KEY = rsa.generate_private_key(65537, 2048)


@dataclass
class Side:
    """A forge under test and the built-in one behind it, which holds what is so."""

    name: str
    forge: Forge
    shop: Shop
    stand: StandIn | None = None
    untouched: Iterator[int] = field(default_factory=lambda: iter(()))
    _any: int = 0

    def any_pull(self) -> int:
        """A pull request for tests that leave it open: making one costs a dozen processes of git."""
        self._any = self._any or self.fresh_pull()
        return self._any

    def fresh_pull(self) -> int:
        """A pull request of bob's that no test has touched; the template has them, in the order of their numbers."""
        return next(self.untouched)

    def pull(self, branch: str, content: bytes, path: str) -> int:
        """A pull request of bob's."""
        return self.shop.pull(branch, {path: content})


def stand_in(kind: str, shop: Shop) -> tuple[StandIn, ForgeSettings]:
    """A stand-in and the settings that reach it."""
    if kind == "gitlab":
        return GitLabStandIn(shop, "https://gitlab.test/api/v4"), ForgeSettings(
            kind="gitlab", url="https://gitlab.test/api/v4", token="env:FORGE_TOKEN"
        )
    if kind == "forgejo":
        return ForgejoStandIn(shop, "https://forgejo.test/api/v1"), ForgeSettings(
            kind="forgejo", url="https://forgejo.test/api/v1", token="env:FORGE_TOKEN"
        )
    stand = GitHubStandIn(shop, "https://github.test/api/v3")
    if kind == "github app":
        stand.app_keys["4711"] = KEY.public_key()
        return stand, ForgeSettings(kind="github", url=stand.base, app_id="4711", app_key="env:APP_KEY", checks=False)
    return stand, ForgeSettings(kind="github", url=stand.base, token="env:FORGE_TOKEN")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """What each forge begins with, made once and closed, and the numbers of its pull requests."""
    directory = tmp_path_factory.mktemp("template")
    shop = filled(directory)
    numbers = [shop.pull(f"fresh-{at}", {"src/a.py": b"a = 2\n"}) for at in range(8)]
    shop.house.close()
    return directory, numbers


@pytest.fixture(scope="module", params=["local", "github", "gitlab", "forgejo"])
def module_side(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, template: tuple[Path, list[int]]
) -> Iterator[Side]:
    patch = pytest.MonkeyPatch()
    patch.setenv("FORGE_TOKEN", "let-me-in")
    form = serialization.PrivateFormat.PKCS8
    patch.setenv("APP_KEY", KEY.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode())
    directory = tmp_path_factory.mktemp("contract")
    copy_directory(template[0], directory)
    shop = open_shop(directory)
    forge: Forge = shop.bot
    stand = None
    if request.param != "local":
        stand, settings = stand_in(request.param, shop)
        forge = open_forge("theirs", settings, stand.transport())
    yield Side(request.param, forge, shop, stand, iter(template[1]))
    shop.house.close()
    patch.undo()


COUNT = iter(range(10_000))


@pytest.fixture
def side(module_side: Side) -> Side:
    """The forge, with branches of this test's own."""
    return module_side


@pytest.fixture
def branch() -> str:
    """A branch that no other test has."""
    return f"work-{next(COUNT)}"


def test_a_diff(side: Side) -> None:
    number = side.any_pull()
    shown = side.forge.diff(CART, number)
    assert shown.startswith("diff --git a/src/a.py b/src/a.py\n")
    assert shown.endswith("-a = 1\n+a = 2\n")
    assert "--- a/src/a.py\n+++ b/src/a.py\n@@ -1" in shown
    assert len(side.forge.pull_requests(CART, None, 2)) == 2


def test_who_we_are_and_what_there_is(side: Side) -> None:
    assert side.forge.me.is_bot
    assert side.forge.me.login == ("pilothouse[bot]" if side.name == "github app" else "pilothouse")
    assert CART in [one.full_name for one in side.forge.repositories()]
    assert side.forge.repository(CART).default_branch == "main"
    assert (side.forge.repository(CART).owner, side.forge.repository(CART).name) == ("shop", "cart")
    with pytest.raises(MissingError):
        side.forge.repository("shop/nothing")


@pytest.mark.parametrize("name", ["shop", "../etc/passwd", "shop/../cart", "shop/cart?x=1", "shop/cart/..", ""])
def test_a_name_never_leads_elsewhere(side: Side, name: str) -> None:
    with pytest.raises((MissingError, InvalidError)):
        side.forge.repository(name)


def test_a_pull_request_is_told(side: Side) -> None:
    number = side.fresh_pull()
    pull = side.forge.pull_request(CART, number)
    known = side.shop.bot.pull_request(CART, number)
    told = ("repository", "number", "title", "author", "head", "base", "body", "state", "draft", "labels", "milestone",
            "mergeable", "assignees", "requested_reviewers", "from_fork")  # fmt: skip
    assert {name: getattr(pull, name) for name in told} == {name: getattr(known, name) for name in told}
    assert pull.created == pytest.approx(known.created, abs=1)
    with pytest.raises(MissingError):
        side.forge.pull_request(CART, 9999)


def test_pull_requests_by_state_newest_first(side: Side) -> None:
    first, second, third = (side.fresh_pull() for _ in range(3))
    side.forge.close(CART, second)
    opened = [one.number for one in side.forge.pull_requests(CART)]
    assert [number for number in opened if number in (first, second, third)] == [third, first]
    assert second in [one.number for one in side.forge.pull_requests(CART, "closed")]
    assert {first, second, third} <= {one.number for one in side.forge.pull_requests(CART, None)}


def test_files_and_commits_of_a_pull_request(side: Side, branch: str) -> None:
    number = side.shop.pull(branch, {"src/a.py": b"a = 3\n", f"{branch}.txt": b"1\n2\n", "README": None})
    side.shop.by("bob").commit_files(CART, branch, "second", {f"{branch}.txt": b"1\n"})
    side.shop.by("bob").commit_files(CART, branch, "third", {f"{branch}.md": b"1\n"})
    files = {file.path: (file.change, file.additions, file.deletions) for file in side.forge.files(CART, number)}
    assert files == {"README": ("removed", 0, 1), "src/a.py": ("modified", 1, 1), f"{branch}.md": ("added", 1, 0),
                     f"{branch}.txt": ("added", 1, 0)}  # fmt: skip
    commits = side.forge.commits(CART, number)
    assert [one.message.strip() for one in commits] == [f"change on {branch}", "second", "third"]
    assert commits[2].parents == (commits[1].sha,)
    assert commits[0].author_email == "bob@example.org"


def test_what_lies_between_two_commits(side: Side, branch: str) -> None:
    before = side.forge.branches(CART)["main"]
    after = side.shop.by("bob").commit_files(CART, branch, "x", {"src/a.py": b"9\n", "new/x": b"", "README": None})
    found = {file.path: file.change for file in side.forge.changed_files(CART, before, after)}
    assert found == {"src/a.py": "modified", "new/x": "added", "README": "removed"}
    everything = {file.path: file.change for file in side.forge.changed_files(CART, NO_COMMIT, after)}
    assert everything == {"src/a.py": "added", "new/x": "added"}


def test_comments_and_their_keys(side: Side) -> None:
    number = side.fresh_pull()
    side.shop.by("ann").add_comment(CART, number, "/lgtm")
    first = side.forge.add_comment(CART, number, "Preview: none", key="preview/7")
    again = side.forge.add_comment(CART, number, "Preview: http://x", key="preview/7")
    other = side.forge.add_comment(CART, number, "Preview: none")
    assert first.id == again.id != other.id
    told = [(one.author, one.body) for one in side.forge.comments(CART, number)]
    bot = side.shop.bot.me.login
    assert told == [("ann", "/lgtm"), (bot, "Preview: http://x"), (bot, "Preview: none")]
    side.forge.edit_comment(CART, number, again.id, "Preview: gone")
    side.forge.add_comment(CART, number, "Preview: back", key="preview/7")
    side.forge.delete_comment(CART, number, other.id)
    side.forge.delete_comment(CART, number, other.id)
    assert [one.body for one in side.forge.comments(CART, number)] == ["/lgtm", "Preview: back"]
    with pytest.raises((MissingError, InvalidError)):
        side.forge.add_comment(CART, 9999, "hm")
    with pytest.raises(InvalidError):
        side.forge.add_comment(CART, number, "  ")


def test_comments_on_lines(side: Side) -> None:
    number = side.fresh_pull()
    head = side.forge.pull_request(CART, number).head.sha
    path, line = "src/a.py", 1
    side.shop.by("ann").comment_on_line(CART, number, LineComment(path, line, "/hold"))
    for _ in range(2):
        side.forge.add_line_comments(CART, number, head, [LineComment(path, line, "Careful")])
    told = [(one.author, one.path, one.line, one.body) for one in side.forge.comments(CART, number)]
    assert (side.shop.bot.me.login, path, line, "Careful") in told
    if side.name != "forgejo":
        # Those of others belong to no review in the stand-in.
        assert ("ann", path, line, "/hold") in told
    assert len([one for one in told if one[3] == "Careful"]) == 1


def test_a_reaction_may_be_given_twice(side: Side) -> None:
    number = side.any_pull()
    said = side.shop.by("ann").add_comment(CART, number, "/test all")
    for _ in range(2):
        side.forge.react(CART, number, said.id, "eyes")
    side.forge.react(CART, number, said.id, "+1")
    with pytest.raises(MissingError):
        side.forge.react(CART, number, "../../x", "eyes")


def test_reviews(side: Side) -> None:
    number = side.fresh_pull()
    head = side.forge.pull_request(CART, number).head.sha
    side.shop.by("ann").add_review(CART, number, "approved", "Fine")
    [review] = side.forge.reviews(CART, number)
    assert (review.author, review.state, review.commit) == ("ann", "approved", head)
    given = side.forge.add_review(CART, number, "approved", "", head)
    assert (given.state, given.author) == ("approved", side.shop.bot.me.login)
    assert {one.author for one in side.forge.reviews(CART, number)} == {"ann", side.shop.bot.me.login}
    side.forge.add_review(CART, number, "changes_requested", "Not quite")
    assert "changes_requested" in {one.state for one in side.forge.reviews(CART, number)}


def test_statuses(side: Side) -> None:
    head = side.forge.pull_request(CART, side.any_pull()).head.sha
    side.forge.set_status(CART, head, Status("success", "", "ci/lint"))
    states: tuple[StatusState, ...] = ("pending", "success", "failure", "error")
    for state in (*states, "error"):
        side.forge.set_status(CART, head, Status(state, "As it is", "ci/unit", "https://ci.test/1"))
        found = side.forge.statuses(CART, head)
        assert {name: one.state for name, one in found.items()} == {"ci/unit": state, "ci/lint": "success"}
        assert (found["ci/unit"].description, found["ci/unit"].url) == ("As it is", "https://ci.test/1")
    side.forge.set_status(CART, head, Status("success", "Now", "ci/unit"))
    assert side.forge.statuses(CART, head)["ci/unit"].state == "success"


def test_labels_come_and_go_and_are_made(side: Side) -> None:
    number = side.any_pull()
    side.forge.add_labels(CART, number, ["lgtm", "do-not-merge/hold"])
    side.forge.add_labels(CART, number, ["lgtm"])
    side.forge.add_labels(CART, number, [])
    assert side.forge.pull_request(CART, number).labels == {"lgtm", "do-not-merge/hold"}
    side.forge.remove_labels(CART, number, ["lgtm", "never"])
    side.forge.remove_labels(CART, number, ["lgtm"])
    assert side.forge.pull_request(CART, number).labels == {"do-not-merge/hold"}
    assert {"lgtm", "do-not-merge/hold"} <= side.forge.labels(CART)


def test_assignees(side: Side) -> None:
    number = side.any_pull()
    assert side.forge.assign(CART, number, ["bob", "ann", "nobody-here"]) == {"nobody-here"}
    assert side.forge.assign(CART, number, ["bob"]) == frozenset()
    assert side.forge.pull_request(CART, number).assignees == {"ann", "bob"}
    side.forge.unassign(CART, number, ["bob", "cat"])
    assert side.forge.pull_request(CART, number).assignees == {"ann"}
    side.forge.unassign(CART, number, ["ann"])
    assert side.forge.pull_request(CART, number).assignees == frozenset()


def test_reviewers(side: Side) -> None:
    number = side.any_pull()
    assert side.forge.request_review(CART, number, ["ann", "bob", "nobody-here"]) == {"bob", "nobody-here"}
    assert side.forge.pull_request(CART, number).requested_reviewers == {"ann"}
    side.forge.unrequest_review(CART, number, ["ann", "cat"])
    side.forge.unrequest_review(CART, number, ["ann"])
    assert side.forge.pull_request(CART, number).requested_reviewers == frozenset()


def test_title_description_and_draft(side: Side) -> None:
    number = side.any_pull()
    side.forge.set_draft(CART, number, True)
    side.forge.set_draft(CART, number, True)
    side.forge.set_title(CART, number, "Faster")
    side.forge.set_body(CART, number, "Because")
    pull = side.forge.pull_request(CART, number)
    assert (pull.title, pull.body, pull.draft) == ("Faster", "Because", True)
    side.forge.set_draft(CART, number, False)
    pull = side.forge.pull_request(CART, number)
    assert (pull.title, pull.draft) == ("Faster", False)


def test_contexts_that_a_protected_branch_requires(side: Side) -> None:
    said = {"github": {"ci/build", "from-a-ruleset"}, "forgejo": {"ci/*"}}
    assert side.forge.required_contexts(CART, "main") == said.get(side.name.partition(" ")[0], set())


def test_milestones(side: Side) -> None:
    number = side.any_pull()
    side.shop.bot.add_milestone(CART, "v1.0")
    side.shop.bot.add_milestone(CART, "v0.9", is_open=False)
    assert side.forge.milestones(CART) == {"v1.0"}
    side.forge.set_milestone(CART, number, "v1.0")
    assert side.forge.pull_request(CART, number).milestone == "v1.0"
    with pytest.raises(MissingError):
        side.forge.set_milestone(CART, number, "v0.9")
    side.forge.set_milestone(CART, number, "")
    assert side.forge.pull_request(CART, number).milestone == ""


def test_closing_and_reopening(side: Side) -> None:
    number = side.any_pull()
    for _ in range(2):
        side.forge.close(CART, number)
    assert side.forge.pull_request(CART, number).state == "closed"
    for _ in range(2):
        side.forge.reopen(CART, number)
    assert side.forge.pull_request(CART, number).state == "open"


def test_files_and_folders_of_a_ref(side: Side, branch: str) -> None:
    side.shop.by("bob").commit_files(CART, branch, "x", {"docs/a/ü b.md": b"\x00\xff", "docs/c.md": b"c"})
    assert side.forge.read_file(CART, "docs/a/ü b.md", branch) == b"\x00\xff"
    assert side.forge.read_file(CART, "README") == b"hello\n"
    assert [one.path for one in side.forge.read_folder(CART, "docs", branch)] == ["docs/a", "docs/c.md"]
    deep = side.forge.read_folder(CART, "docs", branch, deep=True)
    assert {one.path for one in deep if one.kind == "file"} == {"docs/a/ü b.md", "docs/c.md"}
    assert side.forge.read_folder(CART, "nothing", branch) == ()
    with pytest.raises(MissingError):
        side.forge.read_file(CART, "docs/none.md", branch)
    with pytest.raises(MissingError):
        side.forge.read_file(CART, "docs/c.md", "no-such-branch")
    with pytest.raises(InvalidError):
        side.forge.read_file(CART, "docs", branch)
    with pytest.raises((InvalidError, MissingError)):
        side.forge.read_file(CART, "../../etc/passwd", branch)


def test_branches(side: Side, branch: str) -> None:
    main = side.forge.branches(CART)["main"]
    for _ in range(2):
        side.forge.create_branch(CART, f"x/{branch}", main)
    assert side.forge.branches(CART)[f"x/{branch}"] == main
    ahead = side.shop.by("bob").commit_files(CART, branch, "x", {"x": branch.encode()})
    with pytest.raises(ConflictError):
        side.forge.create_branch(CART, branch, main)
    with pytest.raises(ConflictError):
        side.forge.move_branch(CART, f"x/{branch}", ahead, ahead[:-1] + ("0" if ahead[-1] != "0" else "1"))
    for _ in range(2):
        side.forge.move_branch(CART, f"x/{branch}", ahead, main)
    assert side.forge.branches(CART)[f"x/{branch}"] == ahead
    with pytest.raises(ConflictError):
        side.forge.move_branch(CART, f"x/{branch}", main, ahead)
    side.forge.move_branch(CART, f"x/{branch}", main, ahead, force=True)
    assert side.forge.branches(CART)[f"x/{branch}"] == main
    for _ in range(2):
        side.forge.delete_branch(CART, f"x/{branch}")
    assert f"x/{branch}" not in side.forge.branches(CART)
    with pytest.raises(InvalidError):
        side.forge.delete_branch(CART, "main")
    with pytest.raises((InvalidError, MissingError)):
        side.forge.create_branch(CART, "--upload-pack=x", main)


def test_tags_and_releases(side: Side, branch: str) -> None:
    main = side.forge.branches(CART)["main"]
    for _ in range(2):
        side.forge.create_tag(CART, f"v-{branch}", main, "The first")
    assert side.forge.tags(CART)[f"v-{branch}"] == main
    ahead = side.shop.by("bob").commit_files(CART, branch, "x", {"x": branch.encode()})
    with pytest.raises(ConflictError):
        side.forge.create_tag(CART, f"v-{branch}", ahead)
    side.forge.publish(CART, Published(f"v-{branch}", "1.0", "Words"))
    changed = side.forge.publish(CART, Published(f"v-{branch}", "1.0", "Better words"))
    assert (changed.tag, changed.title, changed.body) == (f"v-{branch}", "1.0", "Better words")
    with pytest.raises(MissingError):
        side.forge.publish(CART, Published("v-never", "x"))


def test_commits_of_files(side: Side, branch: str) -> None:
    main = side.forge.branches(CART)["main"]
    first = side.forge.commit_files(CART, branch, "Add", {"e/values.yaml": b"v: 1\n", "e/b": b"\xff"}, start="main")
    assert side.forge.commit(CART, branch).sha == first
    assert side.forge.commit(CART, branch).parents == (main,)
    same = side.forge.commit_files(CART, branch, "Again", {"e/values.yaml": b"v: 1\n"})
    assert same == first
    with pytest.raises(ConflictError):
        side.forge.commit_files(CART, branch, "Late", {"e/b": b"2"}, expected=main)
    second = side.forge.commit_files(CART, branch, "Change", {"e/values.yaml": b"v: 2\n", "e/b": None}, expected=first)
    assert side.forge.read_file(CART, "e/values.yaml", second) == b"v: 2\n"
    assert [one.path for one in side.forge.read_folder(CART, "e", branch)] == ["e/values.yaml"]
    with pytest.raises((InvalidError, MissingError)):
        side.forge.commit_files(CART, branch, "Out", {"../x": b"1"})


def test_opening_a_pull_request(side: Side, branch: str) -> None:
    side.forge.commit_files(CART, branch, "Add", {f"{branch}.yaml": b"v: 1\n"}, start="main")
    made = side.forge.create_pull_request(CART, branch, "main", "Promote", "Words", draft=True)
    again = side.forge.create_pull_request(CART, branch, "main", "Promote again")
    assert (made.number, made.title, made.draft, made.body) == (again.number, "Promote", True, "Words")
    assert made.author == side.shop.bot.me.login


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_merging(side: Side, branch: str, method: MergeMethod) -> None:
    number = side.pull(branch, branch.encode(), f"{branch}.txt")
    pull = side.forge.pull_request(CART, number)
    other = pull.head.sha[:-1] + ("0" if pull.head.sha[-1] != "0" else "1")
    with pytest.raises(ConflictError):
        side.forge.merge(CART, number, method, other)
    with pytest.raises(ConflictError):
        side.forge.merge(CART, number, method, pull.head.sha, base=other)
    made = side.forge.merge(CART, number, method, pull.head.sha, pull.base.sha, "Faster (#1)", "Words")
    assert side.forge.branches(CART)["main"] == made
    assert side.forge.pull_request(CART, number).state == "merged"
    assert side.forge.merge(CART, number, method, pull.head.sha) == made
    with pytest.raises(ConflictError):
        side.forge.reopen(CART, number)


def test_what_conflicts_is_closed_or_a_draft_does_not_merge(side: Side, branch: str) -> None:
    first, second = (side.pull(f"{branch}-{n}", f"{branch} = {n}\n".encode(), "src/a.py") for n in (1, 2))
    head = side.forge.pull_request(CART, first).head.sha
    side.forge.set_draft(CART, first, True)
    with pytest.raises(MergeError):
        side.forge.merge(CART, first, "merge", head)
    side.forge.set_draft(CART, first, False)
    side.forge.merge(CART, first, "merge", head)
    assert side.forge.pull_request(CART, second).mergeable is False
    with pytest.raises(MergeError):
        side.forge.merge(CART, second, "merge", side.forge.pull_request(CART, second).head.sha)
    side.forge.close(CART, second)
    with pytest.raises(MergeError):
        side.forge.merge(CART, second, "merge", side.forge.pull_request(CART, second).head.sha)


def test_a_batch_lands_as_a_whole(side: Side, branch: str) -> None:
    numbers = [side.pull(f"{branch}-{n}", b"1", f"{branch}-{n}") for n in (1, 2)]
    main = side.forge.branches(CART)["main"]
    git = side.shop.bot.git(side.shop.bot.kept(CART))
    tip = main
    for number in numbers:
        head = side.forge.pull_request(CART, number).head.sha
        tree = git.text("merge-tree", "--write-tree", tip, head)
        tip = git.text("-c", "user.name=P", "-c", "user.email=p@x.test", "commit-tree", tree, "-p", tip, "-p", head,
                       given=b"batch")  # fmt: skip
    git.run("update-ref", f"refs/heads/pool/{branch}", tip)
    with pytest.raises(ConflictError):
        side.forge.merge_all(CART, "main", side.forge.pull_request(CART, numbers[0]).head.sha, tip, numbers)
    if side.stand:
        side.stand.looks = True
    for _ in range(2):
        side.forge.merge_all(CART, "main", main, tip, numbers)
    assert side.forge.branches(CART)["main"] == tip
    assert {side.forge.pull_request(CART, number).state for number in numbers} == {"merged"}


def test_people(side: Side) -> None:
    assert side.forge.permission(CART, "bob") == "write"
    assert side.forge.permission(CART, "cat") == "read"
    assert side.forge.permission(CART, "nobody-here") == "none"
    found = side.forge.collaborators(CART)
    assert found["bob"] == "write"
    assert found["ann"] == "admin"
    assert "cat" not in found
    assert side.forge.is_member("shop", "ann")
    assert not side.forge.is_member("shop", "dan")
    assert side.forge.is_member("dan", "dan")


def test_git_gets_in_without_a_secret_in_the_address(side: Side) -> None:
    remote = side.forge.remote(CART)
    assert "let-me-in" not in remote.url
    assert side.forge.pull_ref(7).endswith("/7/head")
