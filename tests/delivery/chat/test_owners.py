"""OWNERS as Prow reads them, and approval by them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pilothouse.delivery.chat import Comment, Event, Policy, PullRequest, Review, decide
from pilothouse.delivery.chat.approving import approval
from pilothouse.delivery.chat.effects import AddLabel, RemoveLabel, Say
from pilothouse.delivery.forges.model import ChangedFile
from pilothouse.delivery.owners import OwnersError, OwnersTree, read_aliases, read_owners

TREE = OwnersTree.read(
    {
        "OWNERS": "approvers: [root-one]\nreviewers: [rev]\n",
        "OWNERS_ALIASES": "aliases:\n  ui-team: [Uma, ulf]\n",
        "ui/OWNERS": "approvers: [ui-team]\nlabels: [area/ui]\n",
        "ui/secure/OWNERS": "options: {no_parent_owners: true}\napprovers: [sec]\n",
        "mixed/OWNERS": 'filters: {".*": {approvers: [all]}, "[.]go$": {approvers: [gopher], reviewers: [gina]}}\n',
        "doc/OWNERS.md": "ignored",
    }
)


@pytest.mark.parametrize(
    ("path", "people"),
    [
        ("main.py", {"root-one"}),
        ("ui/page.ts", {"root-one", "uma", "ulf"}),
        ("ui/deep/er/page.ts", {"root-one", "uma", "ulf"}),
        ("ui/secure/key.ts", {"sec"}),
        ("mixed/a.go", {"root-one", "all", "gopher"}),
        ("mixed/a.py", {"root-one", "all"}),
    ],
)
def test_approvers_are_those_of_the_directory_and_above(path: str, people: set[str]) -> None:
    assert TREE.approvers(path) == people


def test_the_nearest_file_is_asked_first() -> None:
    assert TREE.leaf_approvers("ui/page.ts") == {"uma", "ulf"}
    assert TREE.owners_file("ui/page.ts") == "ui/OWNERS"
    assert TREE.owners_file("other/x") == "OWNERS"
    assert TREE.labels(["ui/page.ts", "main.py"]) == {"area/ui"}
    assert TREE.reviewers("mixed/a.go") == {"gina", "rev"}


@pytest.mark.parametrize(
    "text",
    ["- a", "approvers: ann", "filters: [x]", "filters: {'(': {approvers: [a]}}", "a: [", "options: 7",
     "approvers: [a]\nfilters: {'.*': {approvers: [b]}}", "approvers: [{a: b}]"],
)  # fmt: skip
def test_a_broken_file_is_told_and_owns_nothing(text: str) -> None:
    with pytest.raises(OwnersError):
        read_owners(text)
    tree = OwnersTree.read({"OWNERS": "approvers: [root]", "a/OWNERS": text})
    assert tree.approvers("a/x") == {"root"}
    assert tree.broken[0][0] == "a/OWNERS"


def test_markdown_heads_and_empty_files() -> None:
    assert read_owners("---\napprovers: [ann]\n---\n# Owners\n").everywhere.approvers == {"ann"}
    assert not read_owners("").everywhere
    assert read_aliases("aliases: {Team: ['@Ann']}") == {"team": {"ann"}}


POLICY = Policy(collaborators=frozenset({"root-one", "uma", "sec"}), owners=TREE)


def pull(*paths: str, author: str = "eve", **more: object) -> PullRequest:
    """A pull request that changes these files."""
    files = tuple(ChangedFile(path, 1) for path in paths)
    return replace(PullRequest(1, author, "t", labels=frozenset({"size/XS"}), files=files), **more)  # type: ignore[arg-type]


def said(*pairs: tuple[str, str]) -> tuple[Comment, ...]:
    """Comments in order."""
    return tuple(Comment(author, text, at) for at, (author, text) in enumerate(pairs))


CASES = [
    (pull("ui/a.ts"), False),
    (pull("ui/a.ts", comments=said(("uma", "/approve"))), True),
    (pull("ui/a.ts", comments=said(("UMA", "/approve"))), True),
    (pull("ui/a.ts", comments=said(("root-one", "/approve"))), True),
    (pull("ui/a.ts", comments=said(("eve", "/approve"))), False),
    (pull("ui/a.ts", author="uma"), True),
    (pull("ui/a.ts", author="uma", comments=said(("uma", "/approve cancel"))), False),
    (pull("ui/a.ts", comments=said(("uma", "/approve"), ("uma", "/approve cancel"))), False),
    (pull("ui/a.ts", comments=said(("uma", "/approve"), ("uma", "/remove-approve"))), False),
    (pull("ui/a.ts", comments=said(("uma", "/approve cancel"), ("uma", "/approve"))), True),
    (pull("ui/a.ts", comments=said(("uma", "/approve no-issue"))), True),
    (pull("ui/a.ts", comments=said(("uma", "`/approve`"))), False),
    (pull("ui/a.ts", "main.py", comments=said(("uma", "/approve"))), False),
    (pull("ui/a.ts", "main.py", comments=said(("uma", "/approve"), ("root-one", "/approve"))), True),
    (pull("ui/secure/k", comments=said(("root-one", "/approve"))), False),
    (pull("ui/secure/k", comments=said(("sec", "/approve"))), True),
    (pull("ui/a.ts", reviews=(Review("uma", "approved", at=1),)), True),
    (pull("ui/a.ts", reviews=(Review("uma", "approved", at=1), Review("uma", "changes_requested", at=2))), False),
    (pull("ui/a.ts", reviews=(Review("uma", "commented", "/approve", at=1),)), True),
    (pull("ui/a.ts", comments=(Comment("uma", "/approve", 1, is_bot=True),)), False),
]


@pytest.mark.parametrize(("given", "complete"), CASES)
def test_every_changed_file_needs_an_approver(given: PullRequest, complete: bool) -> None:
    assert approval(given, POLICY).complete is complete


def test_the_label_follows_and_the_notice_says_whom_to_ask() -> None:
    given = pull("ui/a.ts", "main.py")
    decision = decide(given, POLICY, Event("comment", "uma", "/approve"))
    [notice] = [effect for effect in decision.of(Say) if "APPROVALNOTIFIER" in effect.text]  # type: ignore[union-attr]
    assert "@root-one" in notice.text  # type: ignore[union-attr]
    assert "`OWNERS`" in notice.text  # type: ignore[union-attr]
    approved = decide(pull("ui/a.ts"), POLICY, Event("comment", "uma", "/approve"))
    assert AddLabel("approved") in approved.effects
    taken = decide(
        replace(
            pull("ui/a.ts"), labels=frozenset({"size/XS", "approved", "area/ui"}), comments=said(("uma", "/approve"))
        ),
        POLICY,
        Event("comment", "uma", "/approve cancel"),
    )
    assert RemoveLabel("approved") in taken.effects


def test_a_change_of_owners_does_not_let_itself_in() -> None:
    """Owners are read from the base branch: what the change makes of them is not asked."""
    given = pull("ui/OWNERS", author="eve", comments=said(("eve", "/approve")))
    assert not approval(given, POLICY).complete
    assert approval(given, replace(POLICY, require_self_approval=True)).suggested[0] in {"uma", "ulf"}
