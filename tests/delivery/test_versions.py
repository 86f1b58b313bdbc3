"""Conventional Commits to versions and changelogs."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.delivery.versions import Version, changelog, next_version, parse_commit
from pilothouse.delivery.versions.next_version import latest


@pytest.mark.parametrize(
    ("before", "messages", "after"),
    [
        (None, ["chore: begin"], "0.0.1"),
        ("1.2.3", ["fix: a"], "1.2.4"),
        ("1.2.3", ["docs: a", "anything"], "1.2.4"),
        ("1.2.3", ["fix: a", "feat(api): b"], "1.3.0"),
        ("1.2.3", ["feat!: c"], "2.0.0"),
        ("1.2.3", ["refactor(core)!: c", "feat: d"], "2.0.0"),
        ("1.2.3", ["fix: a\n\nBREAKING CHANGE: the port is another"], "2.0.0"),
        ("1.2.3", ["fix: a\n\nBREAKING-CHANGE: the port is another"], "2.0.0"),
        ("0.4.9", ["feat!: c"], "1.0.0"),
        ("1.2.3", ["Feat: in capitals"], "1.3.0"),
        ("1.2.3", ["feature: not a feat"], "1.2.4"),
        ("1.2.3", ["feat:no space"], "1.2.4"),
    ],
)
def test_the_next_version(before: str | None, messages: list[str], after: str) -> None:
    version = Version.parse(before) if before else None
    assert str(next_version(version, [parse_commit(message) for message in messages])) == after


def test_the_order_of_versions_is_that_of_the_specification() -> None:
    order = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
             "1.0.0-rc.1", "1.0.0"]  # fmt: skip
    parsed = [version for text in order if (version := Version.parse(text))]
    assert all(low < high for low, high in pairwise(parsed))
    assert [str(version) for version in parsed] == order
    assert latest(["v1.9.0", "v1.10.0", "v2.0.0-rc.1", "other", "v1.2"]) == Version(1, 10)
    assert [Version.parse(text) for text in ("1.2", "01.2.3", "x", "")] == [None] * 4


@given(st.text(max_size=200))
def test_any_message_is_read(message: str) -> None:
    commit = parse_commit(message)
    assert changelog("1.0.0", [commit]).startswith("## 1.0.0\n")


def test_a_changelog_groups_and_notifies_nobody() -> None:
    commits = [
        parse_commit("feat(ui): flame graphs\n\nCloses #12", "abcdef1234"),
        parse_commit("fix: crash of @somebody's <b>page</b>"),
        parse_commit("feat!: new wire\n\nBREAKING CHANGE: old clients must upgrade"),
        parse_commit("release 1.2.0"),
        parse_commit("did a thing"),
    ]
    text = changelog("1.3.0", commits, "https://forge/issues/")
    assert text == (
        "## 1.3.0\n\n### Breaking changes\n\n- old clients must upgrade\n\n"
        "### New features\n\n- **ui:** flame graphs (abcdef1), closes [#12](https://forge/issues/12)\n- new wire\n\n"
        "### Bug fixes\n\n- crash of @\u200bsomebody's &lt;b>page&lt;/b>\n\n### Other changes\n\n- did a thing\n"
    )
