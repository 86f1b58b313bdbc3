"""`/test` and its kin, `/ok-to-test`, `/skip`: for whom what is run.

Source: Prow's plugins trigger and skip (https://docs.prow.k8s.io/docs/jobs/, kubernetes-sigs/prow
`pkg/plugins/trigger`, `pkg/pjutil/filter.go`, `pkg/plugins/skip/skip.go`).
"""

from __future__ import annotations

from dataclasses import replace

from pilothouse.delivery.chat import Event
from pilothouse.delivery.chat.model import ChangedFile, Status
from tests.delivery.chat.state import FAILED, OK, PULL, STRANGER, Row, comment, labelled

DOCS = replace(PULL, files=(ChangedFile("docs/a.md", 1),))
BOTH = replace(PULL, files=(ChangedFile("docs/a.md", 1), ChangedFile("src/a.py", 1)))
RELEASE = replace(PULL, base="release-1.0")
WAITING = replace(PULL, statuses={"e2e": Status("pending"), "unit": Status("pending")})
RED_DOCS = replace(PULL, statuses={"docs": Status("failure"), "unit": Status("success"), "lint": Status("success"),
                                   "code": Status("success")})  # fmt: skip
WIP = labelled("do-not-merge/work-in-progress")
ROWS: list[Row] = [
    ("test all with a comma", PULL, comment("bob", "/test all,"), {"run:unit,lint,code"}),
    ("test all in capitals", PULL, comment("bob", "/test ALL"), {"run:unit,lint,code"}),
    ("test all of documents and code", BOTH, comment("bob", "/test all"), {"run:unit,lint,docs,code"}),
    ("test all on a release branch", RELEASE, comment("bob", "/test all"), {"run:unit,lint,code,release"}),
    ("test with spaces", PULL, comment("bob", "/test   unit"), {"run:unit"}),
    ("test the same twice", PULL, comment("bob", "/test unit unit"), {"run:unit"}),
    ("test one that is there and one that is not", PULL, comment("bob", "/test unit nothing"), {"run:unit"}),
    ("test an optional one", PULL, comment("bob", "/test e2e"), {"run:e2e"}),
    ("test one of an own trigger by its name", PULL, comment("bob", "/test bench"), {"run:bench"}),
    ("its own trigger amid a line", PULL, comment("bob", "please /bench"), set()),
    ("its own trigger in a code block", PULL, comment("bob", "```\n/bench\n```"), set()),
    ("test and its own trigger", PULL, comment("bob", "/bench\n/test unit"), {"run:bench,unit"}),
    ("test a skipped one by its name", DOCS, comment("bob", "/test code"), {"run:code"}),
    ("test by the author", PULL, comment("ann", "/test unit"), {"run:unit"}),
    ("test by a member", PULL, comment("mia", "/test unit"), {"run:unit"}),
    ("test in a review", PULL, Event("review", "bob", "/test unit", "commented"), {"run:unit"}),
    ("a job of a branch that it is not for", RELEASE, comment("bob", "/test docs"), {"run:docs"}),
    ("a question with a space", PULL, comment("bob", "/test  ?"), {"say:`/test unit` (required)"}),
    ("retest when nothing has run", PULL, comment("bob", "/retest"), {"run:unit,lint,code"}),
    ("retest waits for what is under way", WAITING, comment("bob", "/retest"), {"run:lint,code"}),
    ("retest runs what does not match any more", RED_DOCS, comment("bob", "/retest"), {"run:docs"}),
    ("retest twice", RED_DOCS, comment("bob", "/retest\n/retest"), {"run:docs"}),
    ("retest and one more", RED_DOCS, comment("bob", "/retest\n/test e2e"), {"run:docs,e2e"}),
    ("rerun is retest", RED_DOCS, comment("bob", "/rerun"), {"run:docs"}),
    ("rerun with a name is a question", RED_DOCS, comment("bob", "/rerun docs"), {"say:can be asked for"}),
    ("retest-required with a name is a question", RED_DOCS, comment("bob", "/retest-required docs"),
     {"say:can be asked for"}),
    ("retest of a stranger's", STRANGER, comment("eve", "/retest"), {"say:cannot be tested until"}),
    ("a stranger asks for the list", STRANGER, comment("eve", "/test ?"), {"say:cannot be tested until"}),
    ("retest of a stranger's that is trusted", OK, comment("zed", "/retest"), {"run:unit,lint,code"}),
    ("ok-to-test by a member", STRANGER, comment("mia", "/ok-to-test"),
     {"trust:abc1234", "-needs-ok-to-test", "+ok-to-test", "run:unit,lint,code"}),
    ("ok-to-test by an administrator", STRANGER, comment("root", "/ok-to-test"),
     {"trust:abc1234", "-needs-ok-to-test", "+ok-to-test", "run:unit,lint,code"}),
    ("ok-to-test by its author", STRANGER, comment("Eve", "/ok-to-test"), {"say:people who work here"}),
    ("ok-to-test of a commit in capitals", STRANGER, comment("bob", "/ok-to-test ABC1234"),
     {"trust:abc1234", "-needs-ok-to-test", "+ok-to-test", "run:unit,lint,code"}),
    ("ok-to-test with words", STRANGER, comment("bob", "/ok-to-test looks harmless"), {"say:not the head any more"}),
    ("ok-to-test on a closed one", replace(STRANGER, state="closed"), comment("bob", "/ok-to-test"), set()),
    ("ok-to-test cancel by a stranger", OK, comment("eve", "/ok-to-test cancel"), {"say:people who work here"}),
    ("ok-to-test of a trusted author's", PULL, comment("bob", "/ok-to-test"),
     {"trust:abc1234", "+ok-to-test", "run:unit,lint,code"}),
    ("ok-to-test and test in one comment by a stranger", STRANGER, comment("zed", "/ok-to-test\n/test unit"),
     {"say:people who work here", "say:cannot be tested until"}),
    ("a draft of a trusted author", replace(PULL, draft=True), Event("opened", "ann"),
     {"say:not tested by itself", "+do-not-merge/work-in-progress"}),
    ("new commits of a draft", replace(WIP, draft=True), Event("synchronize", "ann"), {"abort"}),
    ("a draft that somebody wants tested", replace(WIP, draft=True), comment("ann", "/test all"),
     {"run:unit,lint,code"}),
    ("made a draft", replace(WIP, draft=True), Event("draft", "ann"), {"cancel:"}),
    ("another base branch", replace(PULL, base_before="next"), Event("edited", "ann"), {"run:unit,lint,code"}),
    ("the same base branch", replace(PULL, base_before="main"), Event("edited", "ann"), set()),
    ("another base branch of a stranger's", replace(STRANGER, base_before="next"), Event("edited", "eve"), set()),
    ("ready for review", labelled("do-not-merge/work-in-progress"), Event("ready", "ann"),
     {"run:unit,lint,code", "-do-not-merge/work-in-progress"}),
    ("reopened", PULL, Event("reopened", "ann"), {"run:unit,lint,code"}),
    ("reopened by a stranger", STRANGER, Event("reopened", "eve"), set()),
    ("new commits of a stranger that nobody trusted", STRANGER, Event("synchronize", "eve"), {"abort"}),
    ("closing a merged one ends the tests", replace(PULL, state="merged"), Event("closed", "bob"), {"abort"}),
    ("skip what waits", WAITING, comment("bob", "/skip"), {"status:e2e=success"}),
    ("skip leaves what is required", RED_DOCS, comment("bob", "/skip"), set()),
    ("skip where nothing has run", PULL, comment("bob", "/skip"), set()),
    ("skip but test one", FAILED, comment("bob", "/skip\n/test e2e"), {"status:lint=success", "run:e2e"}),
    ("skip with words", FAILED, comment("eve", "/skip e2e"), {"say:takes no name"}),
    # Pipelines-as-Code
    ("cancel all that runs", PULL, comment("bob", "/cancel"), {"cancel:"}),
    ("cancel by a member", PULL, comment("mia", "/cancel"), {"cancel:"}),
    ("cancel one", PULL, comment("bob", "/cancel unit"), {"cancel:unit"}),
    ("cancel two", PULL, comment("bob", "/cancel unit, lint"), {"cancel:unit,lint"}),
    ("cancel what is not there", PULL, comment("bob", "/cancel `nope`"), {"say:There is no job"}),
    ("cancel by a stranger", PULL, comment("eve", "/cancel"), {"say:people who work here"}),
    ("cancel a stranger's by himself", OK, comment("eve", "/cancel"), {"say:people who work here"}),
    ("cancel a stranger's", OK, comment("bob", "/cancel e2e"), {"cancel:e2e"}),
    ("cancel on a closed one", replace(PULL, state="closed"), comment("bob", "/cancel"), set()),
    ("cancelled is no command", PULL, comment("bob", "/cancelled"), set()),
    ("skip on a closed one", replace(FAILED, state="closed"), comment("bob", "/skip"), set()),
]  # fmt: skip
