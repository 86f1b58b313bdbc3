"""`/close`, `/reopen`, `/retitle`, `/override` and its kin, `/cherry-pick`, `/milestone`.

Source: Prow's plugins lifecycle, retitle, override, milestone and cherrypicker (kubernetes-sigs/prow `pkg/plugins`,
`cmd/external-plugins/cherrypicker`).
"""

from __future__ import annotations

from dataclasses import replace

from pilothouse.delivery.chat.model import Status
from tests.delivery.chat.state import FAILED, PULL, Row, comment, labelled

SPACED = replace(PULL, statuses={"test / Unit Tests": Status("failure"), "lint": Status("pending")})
OVERRIDDEN = replace(PULL, statuses={"unit": Status("success", "Overridden by root"), "lint": Status("success",
                                     "Overridden by root (stays while the head is this commit)"),
                                     "code": Status("success", "It went well")})  # fmt: skip
CLOSED, MERGED = replace(PULL, state="closed"), replace(PULL, state="merged")
ROWS: list[Row] = [
    ("close as the author", PULL, comment("ann", "/close"), {"close", "say:closed"}),
    ("close in capitals", PULL, comment("ann", "/CLOSE"), {"close", "say:closed"}),
    ("close with words is no command", PULL, comment("ann", "/close this please"), set()),
    ("close what is closed", CLOSED, comment("ann", "/close"), set()),
    ("close what is rotten", labelled("lifecycle/rotten"), comment("eve", "/close"), {"close", "say:closed"}),
    ("close what is frozen", labelled("lifecycle/frozen"), comment("eve", "/close"), {"say:cannot close"}),
    ("close by a member who does not work here", PULL, comment("mia", "/close"), {"say:cannot close"}),
    ("reopen as a collaborator", CLOSED, comment("bob", "/reopen"), {"reopen", "say:open again"}),
    ("reopen what is open", PULL, comment("ann", "/reopen"), set()),
    ("reopen with words is no command", CLOSED, comment("ann", "/reopen it"), set()),
    ("reopen by a member who does not work here", CLOSED, comment("mia", "/reopen"), {"say:cannot reopen"}),
    ("retitle by a member", PULL, comment("mia", "/retitle Cart"), {"title:Cart"}),
    ("retitle to what it is", PULL, comment("bob", "/retitle Faster cart"), set()),
    ("retitle keeps case and signs", PULL, comment("bob", "/Retitle feat(cart)!: 2x"), {"title:feat(cart)!: 2x"}),
    ("retitle with what closes issues", PULL, comment("bob", "/retitle Fixes #12"), {"say:close issues"}),
    ("retitle with what closes another's issues", PULL, comment("bob", "/retitle resolves acme/web#2"),
     {"say:close issues"}),
    ("retitle with a number only", PULL, comment("bob", "/retitle Cart (#12)"), {"title:Cart (#12)"}),
    ("retitle on a closed one", CLOSED, comment("bob", "/retitle Cart"), set()),
    ("retitle with an address", PULL, comment("bob", "/retitle Mail to a@b.org"), {"title:Mail to a@b.org"}),
    ("retitle twice: the first counts", PULL, comment("bob", "/retitle One\n/retitle Two"), {"title:One"}),
    ("retitle to very much", PULL, comment("bob", "/retitle " + "x" * 300), {"title:" + "x" * 256}),
    ("override one with spaces", SPACED, comment("root", '/override "test / Unit Tests"'),
     {"status:test / Unit Tests=success"}),
    ("override one with spaces and one without", SPACED, comment("root", '/override lint "test / Unit Tests"'),
     {"status:test / Unit Tests=success", "status:lint=success"}),
    ("override without quotes", SPACED, comment("root", "/override test / Unit Tests"), {"say:`test / Unit Tests`"}),
    ("override one that is known and one that is not", FAILED, comment("root", "/override unit nope"),
     {"say:not `nope`"}),
    ("override none", FAILED, comment("root", "/override"), {"say:needs contexts"}),
    ("override the same twice", FAILED, comment("root", "/override unit unit"), {"status:unit=success"}),
    ("override in two lines", FAILED, comment("root", "/override unit\n/override lint"),
     {"status:unit=success", "status:lint=success"}),
    ("override where all is green", OVERRIDDEN, comment("root", "/override unit"), {"say:not green: none"}),
    ("override by the job's name", replace(FAILED, statuses={"ci/deep": Status("failure")}), comment("root",
     "/override deep"), {"status:ci/deep=success"}),
    ("override what is needed and has not run", PULL, comment("root", "/override unit"), {"status:unit=success"}),
    ("override by the author", FAILED, comment("ann", "/override unit"), {"say:administrators"}),
    ("override by a stranger", FAILED, comment("eve", "/override unit"), {"say:administrators"}),
    ("override on a closed one", replace(FAILED, state="closed"), comment("root", "/override unit"), set()),
    ("markup in an overridden name", FAILED, comment("root", "/override <b>@bob"), {"say:not `bbob`"}),
    ("override-sticky", FAILED, comment("root", "/override-sticky unit"), {"status:unit=success"}),
    ("override-sticky by a collaborator", FAILED, comment("bob", "/override-sticky unit"),
     {"say:`/override-sticky` is for administrators"}),
    ("override-sticky none", FAILED, comment("root", "/override-sticky"), {"say:`/override-sticky` needs"}),
    ("override-cancel of one", OVERRIDDEN, comment("root", "/override-cancel unit"), {"status:unit=failure"}),
    ("override-cancel of all", OVERRIDDEN, comment("root", "/override-cancel"),
     {"status:unit=failure", "status:lint=failure"}),
    ("override-cancel of what was not", OVERRIDDEN, comment("root", "/override-cancel code"),
     {"say:that is `lint`, `unit`"}),
    ("override-cancel where nothing was", FAILED, comment("root", "/override-cancel"), {"say:that is none"}),
    ("override-cancel by a collaborator", OVERRIDDEN, comment("bob", "/override-cancel"), {"say:administrators"}),
    ("cherry-pick to two", replace(PULL, base="next"), comment("bob", "/cherry-pick main release-1.0"),
     {"pick:main", "pick:release-1.0"}),
    ("cherry-pick to the same twice", PULL, comment("bob", "/cherry-pick release-1.0 release-1.0"),
     {"pick:release-1.0"}),
    ("cherry-pick in two lines", replace(PULL, base="next"), comment("bob",
     "/cherry-pick main\n/cherry-pick release-1.0"), {"pick:main", "pick:release-1.0"}),
    ("cherry-pick of a closed one", CLOSED, comment("bob", "/cherry-pick release-1.0"), {"say:not merged"}),
    ("cherry-pick to one that is there and one that is not", PULL, comment("bob", "/cherry-pick release-1.0 v9"),
     {"pick:release-1.0", "say:no branch `v9`"}),
    ("cherry-pick by a member", MERGED, comment("mia", "/cherry-pick release-1.0"), {"pick:release-1.0"}),
    ("cherry-pick to no name", PULL, comment("bob", "/cherry-pick"), set()),
    ("milestone of none", PULL, comment("mia", "/milestone"), set()),
    ("milestone clear in capitals", PULL, comment("mia", "/milestone CLEAR"), {"milestone:"}),
    ("milestone on a merged one", MERGED, comment("mia", "/milestone v1.0"), {"milestone:v1.0"}),
    ("milestone by an administrator who keeps none", PULL, comment("root", "/milestone v1.0"), {"say:maintainers"}),
    ("why on a merged one", MERGED, comment("eve", "/why"), {"why"}),
    ("why of a job", PULL, comment("eve", "/why docs"), {"why"}),
]  # fmt: skip
