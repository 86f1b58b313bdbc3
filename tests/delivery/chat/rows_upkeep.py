"""What a pull request gets by what it is, with every event: work in progress, conflicts, bad messages.

Source: Prow's plugins wip, needs-rebase and invalidcommitmsg (kubernetes-sigs/prow `pkg/plugins`).
"""

from __future__ import annotations

from dataclasses import replace

from pilothouse.delivery.chat import Comment, Event, Review
from tests.delivery.chat.state import PULL, STRANGER, Row, comment, labelled

WIP, BAD = "do-not-merge/work-in-progress", "do-not-merge/invalid-commit-message"
SAID = {f"+{BAD}", "say:must not close issues"}
HM = comment("bob", "hm")


def titled(title: str) -> Row:
    """A title that makes it work in progress."""
    return (f"{title!r} is work in progress", replace(PULL, title=title), HM, {f"+{WIP}"})


def plain(title: str) -> Row:
    """A title that does not."""
    return (f"{title!r} is finished", replace(PULL, title=title), HM, set())


def closing(message: str) -> Row:
    """A commit's message that closes an issue."""
    return (f"{message!r} closes", replace(PULL, commits=("Cart", message)), HM, SAID)


def quiet(message: str) -> Row:
    """A commit's message that does not."""
    return (f"{message!r} closes nothing", replace(PULL, commits=("Cart", message)), HM, set())


ROWS: list[Row] = [
    *map(titled, ("wip: cart", "(WIP) cart", "WIP cart", "[wip]cart", "Wip- cart")),
    *map(plain, ("WIPers", "Cart WIP", "No WIP: cart", "wipe", "")),
    *map(closing, ("closes #1", "Close #1", "closed: #1", "fix #1", "Fixes  #1", "FIXED #1", "resolve #1",
                   "Resolves acme/web#1", "resolved\n#1", "x\n\nThis fixes #12 and more")),
    *map(quiet, ("#1", "See #1", "fixes 1", "closes issue #1", "prefixes", "Reverts \"fix\"", "fixup the cart",
                 "A fixup! in the middle", "Cart for mia@acme.test")),
    ("a title that closes issues", replace(PULL, title="Fixes #7"), HM, SAID),
    ("a squash commit", replace(PULL, commits=("squash! Cart",)), HM, SAID),
    ("an amend commit", replace(PULL, commits=("amend! Cart",)), HM, SAID),
    ("bad messages that are mended", labelled(BAD), HM, {f"-{BAD}"}),
    ("bad messages that were said", labelled(BAD, commits=("fixup! Cart",)), HM, set()),
    ("conflicts that stay", labelled("needs-rebase", conflicts=True), HM, set()),
    ("a bot's push is looked at too", replace(PULL, title="WIP: cart"), Event("synchronize", "helper[bot]",
     is_bot=True), {f"+{WIP}"}),
    ("a bot's comment is nothing", replace(PULL, title="WIP: cart"), replace(comment("helper[bot]", "x"),
     is_bot=True), set()),
    ("an edited title", labelled(WIP), Event("edited", "ann"), {f"-{WIP}"}),
    ("what is closed stays as it is", replace(PULL, state="closed", title="WIP: cart"), HM, set()),
    ("a description's commands count when it is opened", replace(PULL, body="/kind bug\n/hold\nWords"),
     Event("opened", "ann"), {"run:unit,lint,code", "+kind/bug", "+do-not-merge/hold"}),
    ("and not when it is edited", replace(PULL, body="/kind bug"), Event("edited", "ann"), set()),
    ("a description cannot let itself in", replace(STRANGER, body="/ok-to-test\n/lgtm"), Event("opened", "eve"),
     {"say:cannot lgtm your own"}),
    ("a comment that is there already", replace(PULL, comments=(Comment("bob", "/hold"),), reviews=(Review("mia",
     "commented"),)), comment("bob", "/hold"), {"+do-not-merge/hold"}),
]  # fmt: skip
