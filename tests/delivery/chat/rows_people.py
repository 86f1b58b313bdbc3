"""`/lgtm`, `/assign`, `/cc` and who is asked to review.

Source: Prow's plugins lgtm, assign and blunderbuss (https://docs.prow.k8s.io/docs/components/plugins/approve/,
kubernetes-sigs/prow `pkg/plugins/lgtm`, `assign`, `blunderbuss`).
"""

from __future__ import annotations

from dataclasses import replace

from pilothouse.delivery.chat import Event
from tests.delivery.chat.state import PULL, Row, comment, labelled

REVIEWED = labelled("lgtm", assignees=frozenset({"bob"}))
ROWS: list[Row] = [
    ("lgtm by an administrator", PULL, comment("root", "/lgtm"), {"assign:root", "+lgtm"}),
    ("lgtm by a member who does not work here", PULL, comment("mia", "/lgtm"), {"say:is for collaborators"}),
    ("lgtm in a review that comments", PULL, Event("review", "bob", "/lgtm", "commented"), {"assign:bob", "+lgtm"}),
    ("an approving review by the author", PULL, Event("review", "ann", "", "approved"), {"say:cannot lgtm your own"}),
    ("an approving review by a stranger", PULL, Event("review", "eve", "", "approved"), {"say:is for collaborators"}),
    ("a dismissed review changes nothing", REVIEWED, Event("review", "bob", "", "dismissed"), set()),
    ("a review asks for changes where there is no lgtm", replace(PULL, assignees=frozenset({"bob"})),
     Event("review", "bob", "", "changes_requested"), set()),
    ("lgtm cancel in capitals", REVIEWED, comment("bob", "/LGTM CANCEL"), {"-lgtm"}),
    ("lgtm cancel with other words", REVIEWED, comment("bob", "/lgtm cancel please"), set()),
    ("lgtm and cancel in one comment", replace(PULL, assignees=frozenset({"bob"})), comment("bob",
     "/lgtm\n/lgtm cancel"), {"+lgtm"}),
    ("lgtm on a merged one", replace(PULL, state="merged"), comment("bob", "/lgtm"), set()),
    ("lgtm by another case", PULL, comment("BOB", "/lgtm"), {"assign:BOB", "+lgtm"}),
    ("new commits without lgtm", PULL, Event("synchronize", "bob"), {"abort", "run:unit,lint,code"}),
    ("editing is no push", REVIEWED, Event("edited", "ann"), set()),
    ("assign with an @ and without", PULL, comment("eve", "/assign bob @mia"), {"assign:bob,mia"}),
    ("assign twice the same", PULL, comment("eve", "/assign bob @bob"), {"assign:bob"}),
    ("assign in two lines", PULL, comment("eve", "/assign bob\n/assign mia"), {"assign:bob", "assign:mia"}),
    ("assign the author", PULL, comment("bob", "/assign @ann"), {"assign:ann"}),
    ("assign oneself as a stranger", PULL, comment("zed", "/assign"), {"assign:zed"}),
    ("unassign oneself", PULL, comment("bob", "/unassign"), {"unassign:bob"}),
    ("unassign several", PULL, comment("eve", "/unassign @bob mia"), {"unassign:bob,mia"}),
    ("assign with a comma", PULL, comment("eve", "/assign bob,mia"), set()),
    ("assign on a closed one", replace(PULL, state="closed"), comment("bob", "/assign"), {"assign:bob"}),
    ("cc several", PULL, comment("eve", "/cc @bob mia"), {"review:bob,mia"}),
    ("cc a team", PULL, comment("eve", "/cc @acme/core"), {"review:acme/core"}),
    ("cc the author and another", PULL, comment("bob", "/cc @ann @mia"), {"say:author", "review:mia"}),
    ("cc by the author of himself", PULL, comment("ann", "/cc"), {"say:author"}),
    ("uncc oneself", PULL, comment("bob", "/uncc"), {"unreview:bob"}),
    ("uncc several", PULL, comment("eve", "/uncc bob mia"), {"unreview:bob,mia"}),
    ("cc with a sentence", PULL, comment("eve", "/cc who knows carts?"), set()),
    ("auto-cc where nobody owns anything", PULL, comment("eve", "/auto-cc"), set()),
]  # fmt: skip
