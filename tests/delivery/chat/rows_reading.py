"""What is a command in a comment, and what only looks like one.

Source: the expressions of Prow's plugins (kubernetes-sigs/prow `pkg/plugins`), which begin a line, and Lighthouse's
prefix (jenkins-x/lighthouse `pkg/plugins`).
"""

from __future__ import annotations

from dataclasses import replace

from tests.delivery.chat.state import PULL, Row, comment

ROWS: list[Row] = [
    ("trailing spaces", PULL, comment("bob", "/hold   "), {"+do-not-merge/hold"}),
    ("a line of a letter's line ends", PULL, comment("bob", "Hm.\r\n/hold\r\n"), {"+do-not-merge/hold"}),
    ("the old Macintosh's line ends", PULL, comment("bob", "Hm.\r/hold"), {"+do-not-merge/hold"}),
    ("a space before it", PULL, comment("bob", " /hold"), set()),
    ("two slashes", PULL, comment("bob", "//hold"), set()),
    ("a longer word", PULL, comment("bob", "/holding"), set()),
    ("a path", PULL, comment("bob", "/hold/me"), set()),
    ("a bullet before it", PULL, comment("bob", "- /hold"), set()),
    ("a tilde fence", PULL, comment("bob", "~~~\n/hold\n~~~"), set()),
    ("after a fence", PULL, comment("bob", "```\nx\n```\n/hold"), {"+do-not-merge/hold"}),
    ("between two fences", PULL, comment("bob", "```\nx\n```\n/hold\n```\ny\n```"), {"+do-not-merge/hold"}),
    ("indented as code", PULL, comment("bob", "    /hold"), set()),
    ("with a tab", PULL, comment("bob", "\t/hold"), set()),
    ("in backquotes", PULL, comment("bob", "`/hold`"), set()),
    ("hidden and open", PULL, comment("bob", "<!-- \n/hold"), set()),
    ("after something hidden", PULL, comment("bob", "<!-- x -->\n/hold"), {"+do-not-merge/hold"}),
    ("a reply that quotes", PULL, comment("bob", "> /hold\n\n/unhold"), set()),
    ("Lighthouse's prefix in capitals", PULL, comment("bob", "/lh-hold"), {"+do-not-merge/hold"}),
    ("Lighthouse's prefix with words", PULL, comment("bob", "/lh-test unit"), {"run:unit"}),
    ("all in one comment", PULL, comment("bob", "/kind bug\n/hold\n/test unit\n/cc @mia"),
     {"+kind/bug", "+do-not-merge/hold", "run:unit", "review:mia"}),
    ("an empty comment", PULL, comment("bob", ""), set()),
    ("only a slash", PULL, comment("bob", "/"), set()),
    ("a very long comment", PULL, comment("bob", "x" * 70_000 + "\n/hold"), set()),
    ("commands of another forge", PULL, comment("bob", "/spend 2h\n/estimate 3d"), set()),
    ("a bot that holds", PULL, replace(comment("helper[bot]", "/hold"), is_bot=True), set()),
]  # fmt: skip
