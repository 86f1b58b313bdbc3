"""Pull requests of the built-in forge, from their opening to their merge."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilothouse.delivery.forges import (
    AccessError,
    ConflictError,
    Event,
    InvalidError,
    MergeError,
    MergeMethod,
    MissingError,
    RefChange,
    Status,
)
from pilothouse.delivery.forges.local import House, LocalForge
from pilothouse.delivery.forges.local.store import Store
from tests.delivery.forges.conftest import Shop, open_shop


def test_a_pull_request_shows_what_it_changes(shop: Shop) -> None:
    number = shop.pull("fast", {"src/a.py": b"a = 2\n", "new name": b"x\n", "README": None})
    assert shop.told() == ["push bob", "pull_request opened 1 bob"]
    pull = shop.by("cat").pull_request("shop/cart", number)
    assert (pull.title, pull.author, pull.state, pull.mergeable) == ("Pull fast", "bob", "open", True)
    assert pull.head.sha == shop.bot.branches("shop/cart")["fast"]
    assert pull.base.sha == shop.bot.branches("shop/cart")["main"]
    files = shop.bot.files("shop/cart", number)
    assert [(f.path, f.change, f.additions, f.deletions) for f in files] == [
        ("README", "removed", 0, 1), ("new name", "added", 1, 0), ("src/a.py", "modified", 1, 1),
    ]  # fmt: skip
    assert files[2].patch == "@@ -1 +1 @@\n-a = 1\n+a = 2"
    assert [(c.message, c.login) for c in shop.bot.commits("shop/cart", number)] == [("change on fast", "bob")]


def test_the_same_pull_request_is_opened_once(shop: Shop) -> None:
    number = shop.pull("fast", {"a": b"1"})
    assert shop.by("bob").create_pull_request("shop/cart", "fast", "main", "Again").number == number
    assert shop.pull("slow", {"b": b"1"}) == number + 1


def test_a_branch_without_anything_new_is_refused(shop: Shop) -> None:
    shop.by("bob").create_branch("shop/cart", "same", "main")
    with pytest.raises(InvalidError, match="nothing that main has not"):
        shop.by("bob").create_pull_request("shop/cart", "same", "main", "Nothing")


def test_a_commit_on_the_branch_moves_the_pull_request(shop: Shop) -> None:
    number = shop.pull("fast", {"a": b"1"})
    before = shop.bot.pull_request("shop/cart", number).head.sha
    shop.events.clear()
    after = shop.by("bob").commit_files("shop/cart", "fast", "more", {"a": b"2"})
    event = next(e for e in shop.events if e.action == "synchronize")
    assert (event.before, event.number, event.sender) == (before, number, "bob")
    assert event.pull is not None
    assert event.pull.head.sha == after


def test_the_same_files_again_make_no_commit(shop: Shop) -> None:
    first = shop.by("bob").commit_files("shop/cart", "main", "once", {"a": b"1"})
    assert shop.by("bob").commit_files("shop/cart", "main", "twice", {"a": b"1"}) == first
    with pytest.raises(ConflictError, match="now, not at"):
        shop.by("bob").commit_files("shop/cart", "main", "third", {"a": b"2"}, expected="1" * 40)


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_the_three_ways_to_merge(shop: Shop, method: MergeMethod) -> None:
    number = shop.pull("fast", {"a": b"1\n"})
    shop.by("bob").commit_files("shop/cart", "fast", "second of two", {"b": b"1\n"})
    main = shop.by("bob").commit_files("shop/cart", "main", "meanwhile", {"c": b"1\n"})
    head = shop.bot.pull_request("shop/cart", number).head.sha
    shop.events.clear()
    made = shop.by("bob").merge("shop/cart", number, method, head, base=main)
    assert shop.told() == ["push bob", f"pull_request merged {number} bob"]
    assert shop.bot.branches("shop/cart")["main"] == made
    assert {entry.path for entry in shop.bot.read_folder("shop/cart")} == {"README", "a", "b", "c", "src"}
    commit = shop.bot.commit("shop/cart", "main")
    if method == "merge":
        assert (commit.parents, commit.message.splitlines()[0]) == ((main, head), f"Merge #{number}: Pull fast")
    elif method == "squash":
        assert (commit.parents, commit.message, commit.login) == ((main,), f"Pull fast (#{number})", "bob")
    else:
        assert (commit.message, commit.login) == ("second of two", "bob")
        assert shop.bot.commit("shop/cart", commit.parents[0]).parents == (main,)
    pull = shop.bot.pull_request("shop/cart", number)
    assert (pull.state, pull.merge_sha) == ("merged", made)
    # Said again it is no second merge; what it changed can still be seen.
    assert shop.by("bob").merge("shop/cart", number, method, head) == made
    assert [f.path for f in shop.bot.files("shop/cart", number)] == ["a", "b"]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_conflict_is_named(shop: Shop, method: MergeMethod) -> None:
    number = shop.pull("fast", {"src/a.py": b"a = 2\n"})
    shop.by("ann").commit_files("shop/cart", "main", "other", {"src/a.py": b"a = 3\n"})
    pull = shop.bot.pull_request("shop/cart", number)
    assert pull.mergeable is False
    with pytest.raises(MergeError, match=r"it conflicts in src/a\.py"):
        shop.bot.merge("shop/cart", number, method, pull.head.sha)
    shop.by("ann").commit_files("shop/cart", "main", "back", {"src/a.py": b"a = 1\n"})
    assert shop.bot.pull_request("shop/cart", number).mergeable is True


def test_what_moved_is_not_merged(shop: Shop) -> None:
    number = shop.pull("fast", {"a": b"1"})
    pull = shop.bot.pull_request("shop/cart", number)
    shop.by("bob").commit_files("shop/cart", "fast", "sneaky", {"a": b"2"})
    with pytest.raises(ConflictError, match="look at it again"):
        shop.bot.merge("shop/cart", number, "merge", pull.head.sha)
    now = shop.bot.pull_request("shop/cart", number)
    shop.by("ann").commit_files("shop/cart", "main", "meanwhile", {"c": b"1"})
    with pytest.raises(ConflictError, match="main is at"):
        shop.bot.merge("shop/cart", number, "merge", now.head.sha, base=now.base.sha)


def test_drafts_and_closed_ones_do_not_merge(shop: Shop) -> None:
    number = shop.pull("fast", {"a": b"1"})
    head = shop.bot.pull_request("shop/cart", number).head.sha
    shop.by("bob").set_draft("shop/cart", number, True)
    with pytest.raises(MergeError, match="draft"):
        shop.bot.merge("shop/cart", number, "merge", head)
    shop.by("bob").set_draft("shop/cart", number, False)
    shop.by("bob").close("shop/cart", number)
    with pytest.raises(MergeError, match="closed"):
        shop.bot.merge("shop/cart", number, "merge", head)
    shop.by("bob").reopen("shop/cart", number)
    assert shop.told("pull_request")[1:] == [
        "pull_request draft 1 bob", "pull_request ready 1 bob", "pull_request closed 1 bob",
        "pull_request reopened 1 bob",
    ]  # fmt: skip
    shop.bot.merge("shop/cart", number, "merge", head)


def test_a_batch_lands_as_a_whole(shop: Shop) -> None:
    one, two = shop.pull("one", {"a": b"1"}), shop.pull("two", {"b": b"1"})
    base = shop.bot.branches("shop/cart")["main"]
    # As the pool does it: both on a branch of its own, tested there.
    shop.bot.create_branch("shop/cart", "pool/batch", base)
    tip = shop.bot.commit_files("shop/cart", "pool/batch", "both", {"a": b"1", "b": b"1"})
    shop.events.clear()
    shop.bot.merge_all("shop/cart", "main", base, tip, [one, two])
    assert shop.told("pull_request") == ["pull_request merged 1 pilothouse", "pull_request merged 2 pilothouse"]
    shop.bot.merge_all("shop/cart", "main", base, tip, [one, two])
    three = shop.pull("three", {"c": b"1"})
    with pytest.raises(ConflictError, match="main is at"):
        shop.bot.merge_all("shop/cart", "main", base, tip, [three])
    assert shop.bot.pull_request("shop/cart", three).state == "open"


def test_commits_that_reach_main_by_themselves_merge_their_pull_request(shop: Shop) -> None:
    number = shop.pull("fast", {"a": b"1"})
    head, base = (shop.bot.branches("shop/cart")[name] for name in ("fast", "main"))
    shop.by("ann").move_branch("shop/cart", "main", head, expected=base)
    assert shop.bot.pull_request("shop/cart", number).merged


def test_a_fork_asks_for_a_merge(shop: Shop) -> None:
    dan = shop.by("dan")
    fork = dan.fork("shop/cart")
    assert (fork.full_name, fork.fork_of) == ("dan/cart", "shop/cart")
    assert dan.fork("shop/cart") == fork
    head = dan.commit_files("dan/cart", "idea", "an idea", {"idea": b"1"})
    with pytest.raises(AccessError, match="needs write"):
        dan.create_pull_request("shop/cart", "main", "main", "Not mine")
    pull = dan.create_pull_request("shop/cart", "dan:idea", "main", "An idea")
    assert (pull.head.repository, pull.head.sha, pull.from_fork, pull.mergeable) == ("dan/cart", head, True, True)
    head = dan.commit_files("dan/cart", "idea", "a better one", {"idea": b"2"})
    assert shop.bot.pull_request("shop/cart", pull.number).head.sha == head
    assert shop.bot.read_file("shop/cart", "idea", f"refs/pull/{pull.number}/merge") == b"2"
    shop.by("bob").merge("shop/cart", pull.number, "merge", head)
    assert shop.bot.read_file("shop/cart", "idea") == b"2"


def test_a_deleted_branch_closes_its_pull_request(shop: Shop) -> None:
    number = shop.pull("fast", {"a": b"1"})
    shop.by("bob").delete_branch("shop/cart", "fast")
    assert shop.bot.pull_request("shop/cart", number).state == "closed"
    with pytest.raises(ConflictError, match="is gone"):
        shop.by("bob").reopen("shop/cart", number)


def test_words_labels_and_people(shop: Shop) -> None:
    number = shop.pull("fast", {"a": b"1"})
    shop.events.clear()
    bot = shop.bot
    bot.add_comment("shop/cart", number, "first", key="summary")
    said = bot.add_comment("shop/cart", number, "second", key="summary")
    bot.add_comment("shop/cart", number, "second", key="summary")
    assert [c.body for c in bot.comments("shop/cart", number)] == ["second"]
    bot.react("shop/cart", number, said.id, "eyes")
    bot.add_labels("shop/cart", number, ["lgtm", "size/S"])
    bot.add_labels("shop/cart", number, ["lgtm"])
    bot.remove_labels("shop/cart", number, ["size/S", "never there"])
    assert bot.assign("shop/cart", number, ["CAT", "nobody"]) == {"nobody"}
    assert bot.request_review("shop/cart", number, ["cat", "bob"]) == {"bob"}
    shop.by("cat").add_review("shop/cart", number, "approved", "fine")
    pull = bot.pull_request("shop/cart", number)
    assert (set(pull.labels), set(pull.assignees), set(pull.requested_reviewers)) == ({"lgtm"}, {"cat"}, set())
    assert bot.labels("shop/cart") == {"lgtm", "size/S"}
    assert [(r.author, r.state, r.commit) for r in bot.reviews("shop/cart", number)] == [
        ("cat", "approved", pull.head.sha)
    ]
    assert shop.told() == [
        "comment created 1 pilothouse", "comment edited 1 pilothouse", "pull_request labeled 1 pilothouse",
        "pull_request labeled 1 pilothouse", "pull_request unlabeled 1 pilothouse",
        "pull_request assigned 1 pilothouse", "pull_request review_requested 1 pilothouse", "review submitted 1 cat",
    ]  # fmt: skip


def test_a_status_is_the_newest_for_its_context(shop: Shop) -> None:
    sha = shop.bot.branches("shop/cart")["main"]
    shop.bot.set_status("shop/cart", sha, Status("pending", "waits", "ci/test", at=10))
    shop.bot.set_status("shop/cart", sha, Status("success", "ran", "ci/test", at=20))
    shop.bot.set_status("shop/cart", sha, Status("failure", "came late", "ci/test", at=15))
    assert shop.bot.statuses("shop/cart", sha) == {"ci/test": Status("success", "ran", "ci/test", "", 20)}
    assert shop.told() == ["status pilothouse", "status pilothouse"]


def test_rights(shop: Shop) -> None:
    number = shop.pull("fast", {"a": b"1"})
    head = shop.bot.pull_request("shop/cart", number).head.sha
    cat, stranger = shop.by("cat"), LocalForge(shop.house, None)
    cat.add_comment("shop/cart", number, "may I?")
    for refused in (
        lambda: cat.merge("shop/cart", number, "merge", head),
        lambda: cat.add_labels("shop/cart", number, ["lgtm"]),
        lambda: cat.set_status("shop/cart", head, Status("success", "", "ci")),
        lambda: cat.commit_files("shop/cart", "main", "mine", {"a": b"2"}),
        lambda: cat.close("shop/cart", number),
        lambda: cat.allow("shop/cart", "cat", "admin"),
        lambda: cat.edit_comment("shop/cart", number, shop.bot.add_comment("shop/cart", number, "x").id, "y"),
        lambda: shop.by("bob").add_review("shop/cart", number, "approved"),
        lambda: shop.by("bob").protect("shop/cart", "main", None),
        lambda: stranger.add_comment("shop/cart", number, "hello"),
        lambda: stranger.create_repository("free/one"),
        lambda: cat.create_repository("bob/evil"),
        lambda: cat.create_repository("shop/evil"),
    ):
        with pytest.raises(AccessError):
            refused()
    assert stranger.pull_request("shop/cart", number).title == "Pull fast"


def test_what_is_private_is_not_there_for_others(shop: Shop) -> None:
    shop.by("ann").create_repository("shop/secret", private=True)
    with pytest.raises(MissingError):
        shop.by("bob").repository("shop/secret")
    assert [r.full_name for r in LocalForge(shop.house, None).repositories()] == ["shop/cart"]
    shop.by("ann").set_member("shop", "bob", "read")
    assert shop.by("bob").repository("shop/secret").private


@pytest.mark.parametrize(
    "name", ["../etc", "a/../b", "-x/y", "a/b.git", "a/.b", "a", "a/b/c", "a/b c", "a/" + "b" * 90]
)
def test_names_that_cannot_be(one_shop: Shop, name: str) -> None:
    with pytest.raises(InvalidError):
        one_shop.by("ann").create_repository(name)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", ".git/config", "a/.GIT/hooks/x", "a//b", "", "a/./b", ".git "])
def test_paths_that_cannot_be(one_shop: Shop, path: str) -> None:
    with pytest.raises(InvalidError):
        one_shop.by("ann").commit_files("shop/cart", "main", "evil", {path: b"x"})
    if path:
        with pytest.raises((InvalidError, MissingError)):
            one_shop.by("ann").read_file("shop/cart", path)


@pytest.mark.parametrize("branch", ["--upload-pack=x", "a..b", "a b", "refs/heads/x", "a~1", "x.lock", "@", "a\nb", ""])
def test_branches_that_cannot_be(one_shop: Shop, branch: str) -> None:
    with pytest.raises(InvalidError):
        one_shop.by("ann").create_branch("shop/cart", branch, "main")


def test_unusual_paths_are_just_paths(shop: Shop) -> None:
    odd = {'quo"te': b"1", "back\\slash": b"2", "ünï/ço dé": b"3", "*": b"4", ":(top)x": b"5"}
    shop.by("bob").commit_files("shop/cart", "odd", "odd", odd)
    for path, content in odd.items():
        assert shop.bot.read_file("shop/cart", path, "odd") == content
    shop.by("bob").commit_files("shop/cart", "odd", "gone", {"*": None})
    assert shop.bot.read_file("shop/cart", ":(top)x", "odd") == b"5"


def test_a_tag_and_its_release(shop: Shop) -> None:
    from pilothouse.delivery.forges import Published

    sha = shop.bot.branches("shop/cart")["main"]
    shop.bot.create_tag("shop/cart", "v1.0.0", sha, "the first")
    shop.bot.create_tag("shop/cart", "v1.0.0", sha, "the first")
    assert shop.bot.tags("shop/cart") == {"v1.0.0": sha}
    shop.bot.publish("shop/cart", Published("v1.0.0", "One", "words"))
    shop.bot.publish("shop/cart", Published("v1.0.0", "One", "words"))
    assert [(p.tag, p.title) for p in shop.bot.published("shop/cart")] == [("v1.0.0", "One")]
    assert shop.told() == ["push pilothouse", "release created pilothouse"]
    other = shop.bot.commit_files("shop/cart", "main", "more", {"b": b"1"})
    with pytest.raises(ConflictError, match="is there already"):
        shop.bot.create_tag("shop/cart", "v1.0.0", other)


def test_what_was_not_told_is_told_by_the_next_process(shop: Shop, tmp_path: Path) -> None:
    """As after a kill between a push and its telling: refs moved, nobody knows."""
    number = shop.pull("fast", {"a": b"1"})
    git = shop.house.repositories.git(shop.house.repositories.find("shop/cart"))
    fast = git.commit("refs/heads/fast")
    made = git.text("commit-tree", f"{fast}^{{tree}}", "-p", fast, given=b"more", environ=_NAMED)
    git.run("update-ref", "refs/heads/fast", made)
    shop.house.close()
    again = open_shop(tmp_path)
    assert again.told() == ["push", f"pull_request synchronize {number} bob"]
    assert again.bot.pull_request("shop/cart", number).head.sha == made
    again.house.close()


_NAMED = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def test_an_event_that_is_not_taken_is_told_again(tmp_path: Path) -> None:
    heard: list[Event] = []
    full = True

    def inbox(event: Event) -> None:
        if full:
            raise OSError("no room")
        heard.append(event)

    house = House(tmp_path / "forge", f"sqlite:///{tmp_path / 'control.db'}", inbox)
    house.open()
    forge = LocalForge.as_pilothouse(house)
    forge.create_repository("a/b")
    forge.commit_files("a/b", "main", "first", {"x": b"1"})
    full = False
    forge.commit_files("a/b", "main", "second", {"x": b"2"})
    assert [event.ref.created for event in heard if event.ref] == [True, False]
    assert len({event.delivery for event in heard}) == 2
    house.close()


def test_what_happens_within_one_look_is_told_once(tmp_path: Path) -> None:
    heard: list[str] = []

    def inbox(event: Event) -> None:
        assert len(heard) < 5, "told for ever"
        heard.append(event.kind)

    store = Store(f"sqlite:///{tmp_path / 'control.db'}", inbox)
    with store.one_look(), store.writing() as write:
        write.tell(
            Event("", "local", "a/b", "push", sender="ann", ref=RefChange("refs/heads/main", "0" * 40, "1" * 40))
        )
    store.tell()
    assert heard == ["push"]
    store.close()


def test_tokens_are_kept_as_hashes_and_end(shop: Shop, tmp_path: Path) -> None:
    people = shop.house.people
    token = people.add_token("bob", "laptop", may_write=False)
    found = people.who(token)
    assert found is not None
    assert (found.user.login, found.may_write) == ("bob", False)
    with pytest.raises(AccessError):
        LocalForge(shop.house, found).commit_files("shop/cart", "x", "m", {"a": b"1"})
    assert people.who(token + "x") is None
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("control.db*"))
    assert token.encode() not in stored
    people.revoke("bob", people.tokens("bob")[0].id)
    assert people.who(token) is None
    assert people.who(people.add_token("bob", seconds=-1)) is None
    assert (shop.house.data / "admin.token").stat().st_mode & 0o077 == 0


def test_a_repository_goes_with_all_that_hangs_on_it(shop: Shop) -> None:
    dan = shop.by("dan")
    dan.fork("shop/cart")
    dan.commit_files("dan/cart", "idea", "an idea", {"idea": b"1"})
    number = dan.create_pull_request("shop/cart", "dan:idea", "main", "An idea").number
    directories = set((shop.house.data / "repositories").glob("*.git"))
    with pytest.raises(AccessError):
        shop.by("bob").delete_repository("dan/cart")
    dan.delete_repository("dan/cart")
    with pytest.raises(MissingError):
        dan.repository("dan/cart")
    assert len(directories - set((shop.house.data / "repositories").glob("*.git"))) == 1
    pull = shop.bot.pull_request("shop/cart", number)
    assert (pull.head.repository, pull.mergeable) == ("", True)
    assert dan.create_repository("dan/cart").fork_of == ""


def test_who_leaves_has_no_rights_any_more(shop: Shop) -> None:
    token = shop.house.people.add_token("bob")
    number = shop.pull("fast", {"a": b"1"})
    shop.by("admin").remove_user("bob")
    assert shop.house.people.who(token) is None
    assert shop.bot.permission("shop/cart", "bob") == "none"
    assert shop.bot.pull_request("shop/cart", number).author == "bob"
    head = shop.bot.pull_request("shop/cart", number).head.sha
    shop.bot.merge("shop/cart", number, "squash", head)
    for login in ("admin", "pilothouse"):
        with pytest.raises(InvalidError, match="has to stay"):
            shop.by("admin").remove_user(login)


def test_settings_of_a_repository(shop: Shop) -> None:
    ann = shop.by("ann")
    ann.create_branch("shop/cart", "trunk", "main")
    ann.configure("shop/cart", "what people buy", private=True, default_branch="trunk")
    found = ann.repository("shop/cart")
    assert (found.description, found.private, found.default_branch) == ("what people buy", True, "trunk")
    with pytest.raises(MissingError):
        shop.by("cat").repository("shop/cart")
    with pytest.raises(MissingError, match="no branch"):
        ann.configure("shop/cart", default_branch="nowhere")
    with pytest.raises(AccessError):
        shop.by("bob").configure("shop/cart", private=False)
