"""What each command does, to whom it answers, and what it refuses: a table of (event, state) and effects.

An effect is written short: `+label`, `-label`, `say:part of the text`, `assign:a,b`, `run:a,b`, `status:context=state`.
Source of each row: Prow's documentation and the behaviour of its plugins (kubernetes-sigs/prow).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pilothouse.delivery.chat import Comment, Event, Policy, PullRequest, Review, decide
from pilothouse.delivery.chat import effects as do
from pilothouse.delivery.chat.model import ChangedFile, Status
from pilothouse.delivery.merging import why_not
from tests.delivery.chat import (
    rows_labels,
    rows_merging,
    rows_people,
    rows_reading,
    rows_rules,
    rows_standing,
    rows_tests,
    rows_upkeep,
)
from tests.delivery.chat.state import FAILED, OK, POLICY, PULL, STRANGER, Row, comment, labelled

ROWS: list[Row] = [
    # lgtm
    ("a collaborator", PULL, comment("bob", "/lgtm"), {"assign:bob", "+lgtm"}),
    ("in capitals", PULL, comment("bob", "/LGTM"), {"assign:bob", "+lgtm"}),
    ("Lighthouse's prefix", PULL, comment("bob", "/lh-lgtm"), {"assign:bob", "+lgtm"}),
    ("amid other text", PULL, comment("bob", "Nice work.\n/lgtm\nThanks!"), {"assign:bob", "+lgtm"}),
    ("no-issue", PULL, comment("bob", "/lgtm no-issue"), {"assign:bob", "+lgtm"}),
    ("with other words it is no command", PULL, comment("bob", "/lgtm but rename it"), set()),
    ("not at the line's start", PULL, comment("bob", "I say /lgtm"), set()),
    ("in a code block", PULL, comment("bob", "```\n/lgtm\n```"), set()),
    ("in an open code block", PULL, comment("bob", "```\n/lgtm"), set()),
    ("in a quotation", PULL, comment("bob", "> /lgtm"), set()),
    ("hidden", PULL, comment("bob", "<!--\n/lgtm\n-->"), set()),
    ("the author", PULL, comment("ann", "/lgtm"), {"say:cannot lgtm your own"}),
    ("the author by another case", PULL, comment("Ann", "/lgtm"), {"say:cannot lgtm your own"}),
    ("a stranger", PULL, comment("eve", "/lgtm"), {"say:is for collaborators"}),
    ("it is there already", labelled("lgtm", assignees=frozenset({"bob"})), comment("bob", "/lgtm"), set()),
    ("cancel", labelled("lgtm"), comment("bob", "/lgtm cancel"), {"assign:bob", "-lgtm"}),
    ("remove-lgtm", labelled("lgtm", assignees=frozenset({"Bob"})), comment("bob", "/remove-lgtm"), {"-lgtm"}),
    ("the author cancels", labelled("lgtm", assignees=frozenset({"bob"})), comment("ann", "/lgtm cancel"), {"-lgtm"}),
    ("a stranger cancels", labelled("lgtm"), comment("eve", "/lgtm cancel"), {"say:is for collaborators"}),
    ("cancel without a label", replace(PULL, assignees=frozenset({"bob"})), comment("bob", "/lgtm cancel"), set()),
    ("on a closed one", replace(PULL, state="closed"), comment("bob", "/lgtm"), set()),
    ("a bot", PULL, replace(comment("bob", "/lgtm"), is_bot=True), set()),
    ("ourselves", PULL, comment("pilothouse", "/lgtm"), set()),
    ("a review that approves", PULL, Event("review", "bob", "", "approved"), {"assign:bob", "+lgtm"}),
    ("a review that asks for changes", labelled("lgtm"), Event("review", "bob", "", "changes_requested"),
     {"assign:bob", "-lgtm"}),
    ("a review that only comments", PULL, Event("review", "bob", "hm", "commented"), set()),
    ("a command in a review", PULL, Event("review", "bob", "/hold", "commented"), {"+do-not-merge/hold"}),
    ("new commits take it away", labelled("lgtm"), Event("synchronize", "ann"),
     {"-lgtm", "say:New changes", "abort", "run:unit,lint,code"}),
    # hold
    ("hold", PULL, comment("eve", "/hold"), {"+do-not-merge/hold"}),
    ("hold with a reason", PULL, comment("eve", "/hold until Monday"), {"+do-not-merge/hold"}),
    ("hold twice", labelled("do-not-merge/hold"), comment("eve", "/hold"), set()),
    ("hold cancel", labelled("do-not-merge/hold"), comment("eve", "/hold cancel"), {"-do-not-merge/hold"}),
    ("unhold", labelled("do-not-merge/hold"), comment("eve", "/unhold"), {"-do-not-merge/hold"}),
    ("remove-hold", labelled("do-not-merge/hold"), comment("eve", "/remove-hold"), {"-do-not-merge/hold"}),
    ("hold cancelled is a reason", PULL, comment("eve", "/hold cancelled trip"), {"+do-not-merge/hold"}),
    # labels
    ("kind", PULL, comment("eve", "/kind bug"), {"+kind/bug"}),
    ("kind in capitals", PULL, comment("eve", "/kind BUG"), {"+kind/bug"}),
    ("two at once", PULL, comment("eve", "/kind bug feature"), {"+kind/bug", "+kind/feature"}),
    ("two commands", PULL, comment("eve", "/kind bug\n/area ui"), {"+kind/bug", "+area/ui"}),
    ("one that is not there", PULL, comment("eve", "/kind nonsense"), {"say:`kind/nonsense`"}),
    ("remove-kind", labelled("kind/bug"), comment("eve", "/remove-kind bug"), {"-kind/bug"}),
    ("remove what is not set", PULL, comment("eve", "/remove-kind bug"), {"say:not set"}),
    ("priority", PULL, comment("eve", "/priority high"), {"+priority/high"}),
    ("sig", PULL, comment("eve", "/sig net"), {"+sig/net"}),
    ("triage accepted by a member", PULL, comment("mia", "/triage accepted"), {"+triage/accepted"}),
    ("triage accepted by others", PULL, comment("bob", "/triage accepted"), {"say:members of the organisation"}),
    ("label", PULL, comment("eve", "/label good first change"), {"+good first change"}),
    ("label that is not allowed", PULL, comment("eve", "/label lgtm"), {"say:cannot be set"}),
    ("label approved is no way in", PULL, comment("eve", "/label approved"), {"say:cannot be set"}),
    ("label for few", PULL, comment("bob", "/label tide/merge-method-squash"), {"+tide/merge-method-squash"}),
    ("label for few, by others", PULL, comment("ann", "/label tide/merge-method-squash"), {"say:is for bob"}),
    ("remove-label", labelled("good first change"), comment("eve", "/remove-label good first change"),
     {"-good first change"}),
    ("markup in a label", PULL, comment("eve", "/label <b>@bob"), {"say:bbob"}),
    ("lifecycle", PULL, comment("eve", "/lifecycle active"), {"+lifecycle/active"}),
    ("one lifecycle at a time", labelled("lifecycle/stale"), comment("eve", "/lifecycle rotten"),
     {"-lifecycle/stale", "+lifecycle/rotten"}),
    ("remove-lifecycle", labelled("lifecycle/stale"), comment("eve", "/remove-lifecycle stale"), {"-lifecycle/stale"}),
    ("an unknown lifecycle", PULL, comment("eve", "/lifecycle old"), set()),
    # people
    ("assign oneself", PULL, comment("eve", "/assign"), {"assign:eve"}),
    ("assign others", PULL, comment("eve", "/assign @bob mia"), {"assign:bob,mia"}),
    ("assign a stranger", PULL, comment("bob", "/assign @zed"), {"say:zed"}),
    ("assign both kinds", PULL, comment("bob", "/assign @zed @ann"), {"say:zed", "assign:ann"}),
    ("assign who commented", replace(PULL, comments=(Comment("zed", "hi"),)), comment("bob", "/assign zed"),
     {"assign:zed"}),
    ("unassign", PULL, comment("eve", "/unassign @bob"), {"unassign:bob"}),
    ("assign with punctuation is none", PULL, comment("eve", "/assign @bob, please!"), set()),
    ("cc", PULL, comment("eve", "/cc @bob"), {"review:bob"}),
    ("cc oneself", PULL, comment("bob", "/cc"), {"review:bob"}),
    ("cc the author", PULL, comment("bob", "/cc @ann"), {"say:author"}),
    ("uncc", PULL, comment("bob", "/uncc @mia"), {"unreview:mia"}),
    # tests
    ("test one", PULL, comment("eve", "/test unit"), {"run:unit"}),
    ("test two", PULL, comment("eve", "/test unit\n/test e2e"), {"run:unit,e2e"}),
    ("test two in a line", PULL, comment("eve", "/test unit, e2e"), {"run:unit,e2e"}),
    ("test all", PULL, comment("eve", "/test all"), {"run:unit,lint,code"}),
    ("test all with docs", replace(PULL, files=(ChangedFile("docs/a.md", 1),)), comment("eve", "/test all"),
     {"run:unit,lint,docs"}),
    ("a forced job need not match", PULL, comment("eve", "/test docs"), {"run:docs"}),
    ("a job of another branch", PULL, comment("eve", "/test release"), {"say:`/test unit`"}),
    ("a job of this branch", replace(PULL, base="release-1.0"), comment("eve", "/test release"), {"run:release"}),
    ("nothing", PULL, comment("eve", "/test"), {"say:`/test e2e` (optional)"}),
    ("a question", PULL, comment("eve", "/test ?"), {"say:`/test unit` (required)"}),
    ("one that is not there", PULL, comment("eve", "/test integration"), {"say:can be asked for"}),
    ("its own trigger", PULL, comment("eve", "/bench"), {"run:bench"}),
    ("retest runs what failed and what has not run", FAILED, comment("eve", "/retest"), {"run:unit,lint,e2e"}),
    ("retest-required leaves optional ones", FAILED, comment("eve", "/retest-required"), {"run:unit"}),
    ("retest with a name is a question", FAILED, comment("eve", "/retest unit"), {"say:can be asked for"}),
    ("retest when all is green", replace(PULL, statuses={j: Status("success") for j in ("unit", "lint", "code")}),
     comment("eve", "/retest"), set()),
    ("on a closed one", replace(PULL, state="closed"), comment("bob", "/test unit"), set()),
    ("skip", FAILED, comment("eve", "/skip"), {"status:lint=success", "status:e2e=success"}),
    # trust
    ("a trusted author's is tested at once", PULL, Event("opened", "ann"), {"run:unit,lint,code"}),
    ("a member's too", replace(PULL, author="mia"), Event("opened", "mia"), {"run:unit,lint,code"}),
    ("a stranger's is not", replace(STRANGER, labels=PULL.labels), Event("opened", "eve"),
     {"+needs-ok-to-test", "say:`/ok-to-test`"}),
    ("ok-to-test", STRANGER, comment("bob", "/ok-to-test"),
     {"trust:abc1234", "-needs-ok-to-test", "+ok-to-test", "run:unit,lint,code"}),
    ("ok-to-test of the commit", STRANGER, comment("bob", "/ok-to-test abc12"),
     {"trust:abc1234", "-needs-ok-to-test", "+ok-to-test", "run:unit,lint,code"}),
    ("ok-to-test of another commit", STRANGER, comment("bob", "/ok-to-test fff000"), {"say:not the head any more"}),
    ("ok-to-test by a stranger", STRANGER, comment("eve", "/ok-to-test"), {"say:people who work here"}),
    ("ok-to-test cancel", OK, comment("bob", "/ok-to-test cancel"), {"-ok-to-test", "+needs-ok-to-test", "trust:"}),
    ("a stranger may test what is trusted", OK, comment("eve", "/test unit"), {"run:unit"}),
    ("a stranger may not test what is not", STRANGER, comment("eve", "/test unit"), {"say:cannot be tested until"}),
    ("nor may the label stand for the commit", replace(OK, trusted_head="old"), comment("eve", "/test unit"),
     {"say:cannot be tested until"}),
    ("a trusted one says it of the commit first", STRANGER, comment("bob", "/test unit"), {"say:untrusted author"}),
    ("new commits of a stranger are looked at again", replace(OK, head="def5678"), Event("synchronize", "eve"),
     {"abort", "-ok-to-test", "+needs-ok-to-test", "say:have changed"}),
    ("new commits of a trusted author", PULL, Event("synchronize", "ann"), {"abort", "run:unit,lint,code"}),
    ("closing ends the tests", replace(PULL, state="closed"), Event("closed", "ann"), {"abort"}),
    # how it stands
    ("close one's own", replace(PULL, author="eve"), comment("eve", "/close"), {"close", "say:`eve` asked"}),
    ("close as a collaborator", PULL, comment("bob", "/close"), {"close", "say:closed"}),
    ("close another's", PULL, comment("eve", "/close"), {"say:cannot close"}),
    ("close what is stale", labelled("lifecycle/stale"), comment("eve", "/close"), {"close", "say:closed"}),
    ("close not-planned", PULL, comment("bob", "/close not-planned"), {"say:cannot be closed as not planned"}),
    ("reopen", replace(PULL, state="closed"), comment("ann", "/reopen"), {"reopen", "say:open again"}),
    ("reopen another's", replace(PULL, state="closed"), comment("eve", "/reopen"), {"say:cannot reopen"}),
    ("reopen what is merged", replace(PULL, state="merged"), comment("ann", "/reopen"), {"say:merged already"}),
    ("retitle", PULL, comment("bob", "/retitle Cart: half the time"), {"title:Cart: half the time"}),
    ("retitle by a stranger", PULL, comment("eve", "/retitle x"), {"say:people who work here"}),
    ("retitle to nothing", PULL, comment("bob", "/retitle"), {"say:cannot be empty"}),
    ("retitle with a mention", PULL, comment("bob", "/retitle ask @mia"), {"say:cannot mention"}),
    ("override", FAILED, comment("root", "/override unit"), {"status:unit=success"}),
    ("override two", FAILED, comment("root", "/override unit lint"), {"status:unit=success", "status:lint=success"}),
    ("override by a collaborator", FAILED, comment("bob", "/override unit"), {"say:administrators"}),
    ("override what is not there", FAILED, comment("root", "/override nope"), {"say:`e2e`, `lint`, `unit`"}),
    ("override what is green", FAILED, comment("root", "/override code"), {"say:not `code`"}),
    ("cherry-pick", PULL, comment("bob", "/cherry-pick release-1.0"), {"pick:release-1.0"}),
    ("cherrypick", replace(PULL, state="merged"), comment("bob", "/cherrypick release-1.0"), {"pick:release-1.0"}),
    ("cherry-pick by a stranger", PULL, comment("eve", "/cherry-pick release-1.0"), {"say:people who work here"}),
    ("cherry-pick to no branch", PULL, comment("bob", "/cherry-pick v9"), {"say:no branch `v9`"}),
    ("cherry-pick to its own", PULL, comment("bob", "/cherry-pick main"), {"say:made for `main`"}),
    ("milestone", PULL, comment("mia", "/milestone v1.0"), {"milestone:v1.0"}),
    ("milestone clear", PULL, comment("mia", "/milestone clear"), {"milestone:"}),
    ("milestone by others", PULL, comment("bob", "/milestone v1.0"), {"say:maintainers"}),
    ("milestone that is not there", PULL, comment("mia", "/milestone v2"), {"say:no milestone `v2`"}),
    ("why", PULL, comment("eve", "/why"), {"why"}),
    ("an unknown command", PULL, comment("bob", "/frobnicate"), set()),
    # what it is
    ("WIP in the title", replace(PULL, title="WIP: cart"), comment("bob", "ok"), {"+do-not-merge/work-in-progress"}),
    ("[WIP] in the title", replace(PULL, title="[WIP] cart"), comment("bob", "ok"), {"+do-not-merge/work-in-progress"}),
    ("wipe is not WIP", replace(PULL, title="Wipe the cart"), comment("bob", "ok"), set()),
    ("a draft", replace(PULL, draft=True), comment("bob", "ok"), {"+do-not-merge/work-in-progress"}),
    ("no draft any more", labelled("do-not-merge/work-in-progress"), comment("bob", "ok"),
     {"-do-not-merge/work-in-progress"}),
    ("conflicts", replace(PULL, conflicts=True), comment("bob", "ok"), {"+needs-rebase", "say:conflicts with `main`"}),
    ("Dependabot mends its conflicts itself", replace(PULL, author="dependabot[bot]", conflicts=True),
     comment("bob", "ok"), {"+needs-rebase", "say:@dependabot rebase"}),
    ("conflicts gone", labelled("needs-rebase"), comment("bob", "ok"), {"-needs-rebase"}),
    ("fixup commits", replace(PULL, commits=("fixup! cart",)), comment("bob", "ok"),
     {"+do-not-merge/invalid-commit-message", "say:git rebase --autosquash"}),
    ("commits that close issues", replace(PULL, commits=("Cart, fixes #7",)), comment("bob", "ok"),
     {"+do-not-merge/invalid-commit-message", "say:must not close issues"}),
    ("commits that mention people", replace(PULL, commits=("Cart for @mia",)), comment("bob", "ok"), set()),
    ("an address is no mention", replace(PULL, commits=("Cart\n\nCo-authored-by: M <m@x.org>",)), comment("bob", "ok"),
     set()),
]  # fmt: skip
SIZES = [(0, "XS"), (9, "XS"), (10, "S"), (29, "S"), (30, "M"), (99, "M"), (100, "L"), (499, "L"), (500, "XL"),
         (999, "XL"), (1000, "XXL")]  # fmt: skip


def short(effect: do.Effect) -> str:
    """An effect as the table writes it."""
    match effect:
        case do.AddLabel(name):
            return f"+{name}"
        case do.RemoveLabel(name):
            return f"-{name}"
        case do.Say(text):
            return f"say:{text}"
        case do.Assign(logins):
            return f"assign:{','.join(logins)}"
        case do.Unassign(logins):
            return f"unassign:{','.join(logins)}"
        case do.RequestReview(logins):
            return f"review:{','.join(logins)}"
        case do.UnrequestReview(logins):
            return f"unreview:{','.join(logins)}"
        case do.Run(jobs, _):
            return f"run:{','.join(jobs)}"
        case do.Cancel(jobs, _, _):
            return f"cancel:{','.join(jobs)}"
        case do.Trust(commit):
            return f"trust:{commit}"
        case do.SetStatus(context, state, _):
            return f"status:{context}={state}"
        case do.Retitle(title):
            return f"title:{title}"
        case do.CherryPick(branch, _):
            return f"pick:{branch}"
        case do.SetMilestone(title):
            return f"milestone:{title}"
        case do.Explain():
            return "why"
        case _:
            return type(effect).__name__.lower()


def same(found: list[str], expected: set[str]) -> bool:
    """Whether they are the same effects; of what is said, a part is enough."""
    left = list(found)
    for wanted in expected:
        hit = next((one for one in left if one == wanted or (wanted.startswith("say:") and one.startswith("say:")
                                                             and wanted[4:] in one)), None)  # fmt: skip
        if hit is None:
            return False
        left.remove(hit)
    return not left


ALL: list[Row] = [
    *ROWS, *rows_reading.ROWS, *rows_people.ROWS, *rows_labels.ROWS, *rows_tests.ROWS, *rows_standing.ROWS,
    *rows_upkeep.ROWS,
]  # fmt: skip


def test_the_tables_have_three_hundred_rows() -> None:
    assert len(ALL) + len(rows_rules.ROWS) + len(rows_merging.ROWS) >= 300
    assert len({(pull, event) for _, pull, event, _ in map(hashable, ALL)}) == len(ALL), "the same row twice"


def hashable(row: Row) -> tuple[str, str, str, set[str]]:
    """A row that can be told from others."""
    return row[0], repr(row[1]), repr(row[2]), row[3]


@pytest.mark.parametrize(("policy", "pull", "event", "expected"), [row[1:] for row in rows_rules.ROWS],
                         ids=[row[0] for row in rows_rules.ROWS])  # fmt: skip
def test_the_effects_under_other_rules(policy: Policy, pull: PullRequest, event: Event, expected: set[str]) -> None:
    found = [short(effect) for effect in decide(pull, policy, event).effects]
    assert same(found, expected), found


@pytest.mark.parametrize(("pull", "policy", "why"), [row[1:] for row in rows_merging.ROWS],
                         ids=[row[0] for row in rows_merging.ROWS])  # fmt: skip
def test_what_merges(pull: PullRequest, policy: Policy, why: set[str]) -> None:
    found = set(why_not(pull, policy, rows_merging.QUERIES))
    assert len(found) == len(why), found
    assert all(any(part in reason for reason in found) for part in why), found


@pytest.mark.parametrize(("pull", "event", "expected"), [row[1:] for row in ALL], ids=[row[0] for row in ALL])
def test_the_effects_of_an_event(pull: PullRequest, event: Event, expected: set[str]) -> None:
    found = [short(effect) for effect in decide(pull, POLICY, event).effects]
    assert same(found, expected), found


@pytest.mark.parametrize(("lines", "size"), SIZES)
def test_the_size_is_that_of_the_changed_lines(lines: int, size: str) -> None:
    files = (ChangedFile("src/a.py", lines), ChangedFile("gen/b.py", 5000))
    pull = replace(PULL, labels=frozenset({"size/XS"}), files=files)
    found = {short(e) for e in decide(pull, replace(POLICY, generated_paths=("^gen/",)), comment("bob", "hm")).effects}
    assert found == (set() if size == "XS" else {f"+size/{size}", "-size/XS"})


def test_deciding_twice_is_the_same_and_effects_are_not_doubled() -> None:
    event = comment("bob", "/lgtm\n/lgtm\n/hold\n/hold\n/test unit\n/test unit")
    first, second = (decide(PULL, POLICY, event) for _ in range(2))
    assert first == second
    assert sorted(map(short, first.effects)) == sorted({*map(short, first.effects)})


def test_an_injected_command_in_what_we_say_is_none() -> None:
    """What is quoted back must not be read as a command when it comes in again."""
    decision = decide(PULL, POLICY, comment("eve", "/label x\u2028/lgtm"))
    [said] = decision.of(do.Say)
    assert "\n/" not in said.text  # type: ignore[union-attr]
    assert Review("a", "approved").state == "approved"
