"""What other rules of a repository change: DCO, merge commits, blocked paths, owners, and whose lgtm counts.

Source: Prow's plugins dco, mergecommitblocker, blockade, owners-label, verify-owners, blunderbuss, lgtm and approve
(kubernetes-sigs/prow `pkg/plugins`, https://docs.prow.k8s.io/docs/components/plugins/approve/approvers/).
"""

from __future__ import annotations

from dataclasses import replace

from pilothouse.delivery.chat import Comment, Event, Policy, PullRequest, Review, approving
from pilothouse.delivery.chat.model import ChangedFile, RequiredLabel, Status
from pilothouse.delivery.owners import OwnersTree
from tests.delivery.chat.state import FAILED, POLICY, PULL, comment, labelled

OWNERS = OwnersTree.read({
    "OWNERS": "approvers: [root, bob]\nreviewers: [mia]\nlabels: [area/shop]\n",
    "src/OWNERS": "approvers: [cat]\nreviewers: [dan, eve]\n",
    "vendor/OWNERS": "options: {no_parent_owners: true}\napprovers: [zed]\n",
})  # fmt: skip
BROKEN = OwnersTree.read({"OWNERS": "approvers: [bob]\n", "src/OWNERS": "approvers: bob\n"})
WRONG = (("src/OWNERS", "approvers: must be a list of logins"),)
OWNED = replace(POLICY, owners=OWNERS)
DCO, MERGES = replace(POLICY, require_dco=True), replace(POLICY, block_merge_commits=True)
SHOP = labelled("area/shop")
SIGNED = replace(PULL, commits=("Cart\n\nSigned-off-by: Ann <ann@acme.test>",))
GREEN = {"dco": Status("success", "All commits are signed off")}
RED = {"dco": Status("failure", "Not all commits are signed off")}
NEEDING = replace(POLICY, required_labels=(
    RequiredLabel("^kind/", "needs-kind", "Say `/kind bug`."), RequiredLabel("^priority/", "needs-priority", "",
    "release-.*"),
))  # fmt: skip
HM = comment("bob", "hm")
YES, NO = "dco-signoff: yes", "dco-signoff: no"
VENDOR = replace(SHOP, files=(ChangedFile("vendor/x.py", 3),))


NOTICE = Comment("pilothouse", approving.notice(SHOP, approving.approval(SHOP, OWNED)))
TREES = replace(POLICY, store_tree_hash=True)
READ = replace(PULL, tree="f00", assignees=frozenset({"bob"}))
TOLD = Comment("pilothouse", "The lgtm is for the tree `f00`: it stays")
SQUASHED = replace(READ, labels=READ.labels | {"lgtm"}, comments=(TOLD,))


def overridden(base: str) -> PullRequest:
    """With `unit` overridden while the base was at a commit; it is at 1111111 now."""
    said = Status("success", f"Overridden by root, while the base is at {base}")
    return replace(PULL, statuses={"unit": said}, base_sha="1111111")


ROWS: list[tuple[str, Policy, PullRequest, Event, set[str]]] = [
    ("signed off", DCO, SIGNED, HM, {f"+{YES}", "status:dco=success"}),
    ("signed off as it was", DCO, replace(SIGNED, labels=PULL.labels | {YES}, statuses=GREEN), HM, set()),
    ("signed off in small letters", DCO, replace(PULL, commits=("x\n\nsigned-off-by: ann",)), HM,
     {f"+{YES}", "status:dco=success"}),
    ("not signed off", DCO, PULL, HM, {f"+{NO}", "status:dco=failure", "say:--signoff"}),
    ("one of two is not signed off", DCO, replace(SIGNED, commits=(*SIGNED.commits, "more")), HM,
     {f"+{NO}", "status:dco=failure", "say:--signoff"}),
    ("not signed off as it was", DCO, labelled(NO, statuses=RED), HM, set()),
    ("signed off at last", DCO, replace(SIGNED, labels=PULL.labels | {NO}, statuses=RED), Event("synchronize", "ann"),
     {"abort", "run:unit,lint,code", f"+{YES}", f"-{NO}", "status:dco=success"}),
    ("amid a line it is none", DCO, replace(PULL, commits=("It is Signed-off-by: me",)), HM,
     {f"+{NO}", "status:dco=failure", "say:--signoff"}),
    ("check-dco says it again", DCO, labelled(NO, statuses=RED), comment("eve", "/check-dco"), {"say:--signoff"}),
    ("check-dco where all is well", DCO, replace(SIGNED, labels=PULL.labels | {YES}, statuses=GREEN),
     comment("eve", "/check-dco"), set()),
    ("check-dco where nobody asks for it", POLICY, PULL, comment("eve", "/check-dco"), set()),
    ("merge commits", MERGES, replace(PULL, merge_commits=True), HM,
     {"+do-not-merge/contains-merge-commits", "say:git rebase"}),
    ("merge commits that are gone", MERGES, labelled("do-not-merge/contains-merge-commits"), HM,
     {"-do-not-merge/contains-merge-commits"}),
    ("merge commits where they are welcome", POLICY, replace(PULL, merge_commits=True), HM, set()),
    ("blocked paths", replace(POLICY, blocked_paths=("^src/",)), PULL, HM, {"+do-not-merge/blocked-paths"}),
    ("other paths", replace(POLICY, blocked_paths=("^etc/",)), PULL, HM, set()),
    ("blocked paths that are left alone", replace(POLICY, blocked_paths=("^etc/",)),
     labelled("do-not-merge/blocked-paths"), HM, {"-do-not-merge/blocked-paths"}),
    ("an OWNERS file that it breaks", POLICY, replace(PULL, owners_problems=WRONG), comment("eve", "hm"),
     {"+do-not-merge/invalid-owners-file", "say:`src/OWNERS`"}),
    ("a broken OWNERS file of the base is asked above", replace(POLICY, owners=BROKEN), labelled("approved"),
     comment("eve", "hm"), {"-approved", "say:not approved"}),
    ("verify-owners where it breaks one", POLICY, labelled("do-not-merge/invalid-owners-file", owners_problems=WRONG),
     comment("eve", "/verify-owners"), {"say:`src/OWNERS`"}),
    ("verify-owners where it is mended", POLICY, labelled("do-not-merge/invalid-owners-file"),
     comment("eve", "/verify-owners"), {"-do-not-merge/invalid-owners-file"}),
    ("verify-owners where all are well", POLICY, PULL, comment("eve", "/verify-owners"), set()),
    ("owners' labels", OWNED, PULL, HM, {"+area/shop", "say:not approved"}),
    ("approve by the owner of the folder", OWNED, SHOP, comment("cat", "/approve"), {"+approved"}),
    ("approve by an owner above", OWNED, SHOP, comment("root", "/approve"), {"+approved"}),
    ("approve by somebody else", OWNED, SHOP, comment("dan", "/approve"), {"say:Ask: @cat"}),
    ("approve no-issue", OWNED, SHOP, comment("cat", "/approve no-issue"), {"+approved"}),
    ("approve in capitals", OWNED, SHOP, comment("CAT", "/APPROVE"), {"+approved"}),
    ("approve cancel", OWNED, replace(SHOP, labels=SHOP.labels | {"approved"}, reviews=(Review("cat", "approved"),)),
     comment("cat", "/approve cancel"), {"-approved", "say:not approved"}),
    ("remove-approve", OWNED, replace(SHOP, labels=SHOP.labels | {"approved"}, reviews=(Review("cat", "approved"),)),
     comment("cat", "/remove-approve"), {"-approved", "say:not approved"}),
    ("an approving review", OWNED, SHOP, Event("review", "cat", "", "approved"),
     {"say:is for collaborators", "+approved"}),
    ("a review that asks for changes takes it back", OWNED, replace(SHOP, labels=SHOP.labels | {"approved"}),
     Event("review", "cat", "", "changes_requested"), {"say:is for collaborators", "-approved", "say:not approved"}),
    ("the author owns it", OWNED, replace(SHOP, author="cat"), comment("eve", "hm"), {"+approved"}),
    ("the author owns it and has to say so", replace(OWNED, require_self_approval=True), replace(SHOP, author="cat"),
     comment("eve", "hm"), {"say:not approved"}),
    ("the author owns it and says so", replace(OWNED, require_self_approval=True), replace(SHOP, author="cat"),
     comment("cat", "/approve"), {"+approved"}),
    ("owners above do not count there", OWNED, VENDOR, comment("root", "/approve"),
     {"say:Ask: @zed"}),
    ("the only owner there", OWNED, VENDOR, comment("zed", "/approve"), {"+approved"}),
    ("lgtm acts as approve", replace(OWNED, lgtm_acts_as_approve=True), SHOP, comment("bob", "/lgtm"),
     {"assign:bob", "+lgtm", "+approved"}),
    ("lgtm does not act as approve", OWNED, SHOP, comment("bob", "/lgtm"),
     {"assign:bob", "+lgtm", "say:not approved"}),
    ("reviews do not act as lgtm", replace(POLICY, review_acts_as_lgtm=False), PULL,
     Event("review", "bob", "", "approved"), set()),
    ("lgtm of owners: a reviewer of the folder", replace(OWNED, skip_collaborators=True), SHOP,
     comment("dan", "/lgtm"), {"+lgtm", "say:not approved"}),
    ("lgtm of owners: a collaborator who owns nothing", replace(OWNED, skip_collaborators=True,
     collaborators=frozenset({"ann", "kim"})), SHOP, comment("kim", "/lgtm"),
     {"say:reviewers and approvers", "say:not approved"}),
    ("what is said of approval is kept up", OWNED, replace(SHOP, comments=(NOTICE,)), comment("cat", "/approve"),
     {"+approved", "say:is **approved** by `cat`"}),
    ("what is said of approval is not said twice", OWNED, replace(SHOP, comments=(NOTICE,)), HM, set()),
    ("approved in part", OWNED, replace(SHOP, files=(*SHOP.files, *VENDOR.files)), comment("cat", "/approve"),
     {"say:Approved in part by `cat`"}),
    ("an approving review that says otherwise", POLICY, labelled("lgtm", assignees=frozenset({"bob"})),
     Event("review", "bob", "/lgtm cancel", "approved"), {"-lgtm"}),
    ("lgtm and its cancel in one comment", POLICY, labelled("lgtm", assignees=frozenset({"bob"})),
     comment("bob", "/lgtm cancel\n/lgtm"), set()),
    ("lgtm tells the tree", TREES, READ, comment("bob", "/lgtm"), {"+lgtm", "say:tree `f00`"}),
    ("commits squashed into the same files keep it", TREES, SQUASHED, Event("synchronize", "ann"),
     {"abort", "run:unit,lint,code"}),
    ("other files do not", TREES, replace(SQUASHED, tree="ba5"), Event("synchronize", "ann"),
     {"abort", "run:unit,lint,code", "-lgtm", "say:New changes", "review:bob"}),
    ("nor does another's word of the tree", TREES, replace(SQUASHED, comments=(replace(TOLD, author="eve"),)),
     Event("synchronize", "ann"), {"abort", "run:unit,lint,code", "-lgtm", "say:New changes", "review:bob"}),
    ("override is not for owners where it is for administrators", replace(OWNED, allow_top_level_owners=False,
     admins=frozenset()), replace(SHOP, statuses=FAILED.statuses), comment("root", "/override unit"),
     {"say:administrators", "say:not approved"}),
    ("drafts that are tested", replace(POLICY, test_drafts=True), replace(PULL, draft=True), Event("opened", "ann"),
     {"run:unit,lint,code", "+do-not-merge/work-in-progress"}),
    ("test all where nothing runs by itself", replace(POLICY, jobs=POLICY.jobs[3:4]), PULL, comment("eve", "/test all"),
     {"say:can be asked for"}),
    # require-matching-label
    ("a kind is missing", NEEDING, PULL, comment("eve", "hm"), {"+needs-kind", "say:Say `/kind bug`"}),
    ("a kind is there", NEEDING, labelled("kind/bug"), comment("eve", "hm"), set()),
    ("a kind that is missing is said once", NEEDING, labelled("needs-kind"), comment("eve", "hm"), set()),
    ("a kind comes", NEEDING, labelled("needs-kind"), comment("eve", "/kind bug"), {"+kind/bug", "-needs-kind"}),
    ("a kind goes", NEEDING, labelled("kind/bug"), comment("eve", "/remove-kind bug"),
     {"-kind/bug", "+needs-kind", "say:Say `/kind bug`"}),
    ("a bot's push finds it missing", NEEDING, PULL, Event("synchronize", "helper[bot]", is_bot=True),
     {"+needs-kind", "say:Say `/kind bug`"}),
    ("a label is missing only on its branch", NEEDING, replace(PULL, base="release-1.0"), comment("eve", "hm"),
     {"+needs-kind", "say:Say `/kind bug`", "+needs-priority"}),
    ("what is closed needs nothing", NEEDING, replace(PULL, state="closed"), comment("eve", "hm"), set()),
    # overrides hold while the base is where it was
    ("override that holds", POLICY, overridden("1111111"), comment("eve", "hm"), set()),
    ("override of an older base", POLICY, overridden("2222222"), comment("eve", "hm"),
     {"status:unit=failure", "run:unit"}),
    ("override of an older base, as the base moves", POLICY, overridden("2222222"),
     Event("edited", "pilothouse", is_bot=True), {"status:unit=failure", "run:unit"}),
    ("override-sticky", POLICY, replace(overridden("2222222"), statuses={"unit": Status("success",
     "Overridden by root (stays while the head is this commit)")}), comment("eve", "hm"), set()),
    ("override of an older base of a stranger's", POLICY, replace(overridden("2222222"), author="eve"),
     comment("zed", "hm"), {"status:unit=failure"}),
    ("override by an approver of the whole", OWNED, replace(FAILED, labels=SHOP.labels), comment("bob",
     "/override unit"), {"status:unit=success", "say:not approved"}),
    ("override by an approver of a folder", OWNED, replace(FAILED, labels=SHOP.labels), comment("cat",
     "/override unit"), {"say:administrators", "say:not approved"}),
    ("reviewers are those who own most of it", replace(OWNED, reviewers=3), replace(SHOP, files=(ChangedFile(
     "src/a.py", 7), ChangedFile("README", 1))), comment("zed", "/auto-cc"),
     {"review:mia,eve,dan", "say:not approved"}),
    ("reviewers were asked already", OWNED, replace(SHOP, requested_reviewers=frozenset({"mia"})),
     comment("zed", "/auto-cc"), {"say:not approved"}),
    ("reviewers are named in the description", OWNED, replace(SHOP, body="/cc @mia"), Event("opened", "ann"),
     {"run:unit,lint,code", "review:mia", "say:not approved"}),
]  # fmt: skip
