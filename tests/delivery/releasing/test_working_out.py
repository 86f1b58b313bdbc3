"""The next release, from commits and tags: in real git repositories, and as values."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pilothouse.delivery.forges import Remote, UnavailableError
from pilothouse.delivery.releasing.history import history
from pilothouse.delivery.releasing.release import PastCommit, Release, ReleaseError
from pilothouse.delivery.releasing.working_out import pull_requests, since_tag, worked_out

WHO = {
    "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.org", "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org", "GIT_CONFIG_GLOBAL": "/dev/null",
}  # fmt: skip


def git(place: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=place, env=os.environ | WHO, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(place: Path, message: str) -> str:
    git(place, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(place, "rev-parse", "HEAD")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "-b", "main")
    return tmp_path


def next_of(place: Path, wanted: str = "") -> Release:
    with history(Remote(str(place)), "main") as past:
        sha = past.commit("refs/heads/main")
        tags = past.tags(sha)
        return worked_out("acme/shop", "shop", sha, tags, past.between(since_tag(tags), sha), wanted=wanted)


def test_versions_follow_the_commits_since_the_last_tag(place: Path) -> None:
    commit(place, "chore: begin")
    assert (next_of(place).tag, next_of(place).before) == ("v0.0.1", "")
    git(place, "tag", "-a", "-m", "first", "v0.1.0")
    with pytest.raises(ReleaseError, match=r"nothing to release since v0\.1\.0"):
        next_of(place)
    commit(place, "fix: round up (#7)")
    assert next_of(place).version == "0.1.1"
    head = commit(place, "feat(cart): vouchers (#8)\n\nCloses #3")
    found = next_of(place)
    assert (found.version, found.before, found.commit, found.pulls) == ("0.2.0", "0.1.0", head, (7, 8))
    assert "### New features\n\n- **cart:** vouchers (#8)" in found.changes
    assert "### Bug fixes" in found.changes
    assert "begin" not in found.changes
    commit(place, "feat!: another API")
    assert next_of(place).version == "1.0.0"


def test_a_release_on_another_branch_is_none_of_this_ones_past(place: Path) -> None:
    commit(place, "feat: one")
    git(place, "tag", "v1.0.0")
    git(place, "checkout", "--quiet", "-b", "next")
    commit(place, "feat!: two")
    git(place, "tag", "v2.0.0")
    git(place, "checkout", "--quiet", "main")
    commit(place, "fix: three")
    assert next_of(place).version == "1.0.1"


def test_promotions_and_releases_make_no_release(place: Path) -> None:
    commit(place, "feat: one")
    git(place, "tag", "v1.0.0")
    commit(place, "chore(promote): Promote shop in staging to 1.0.0")
    commit(place, "chore(release): 1.0.0")
    with pytest.raises(ReleaseError, match="nothing to release"):
        next_of(place)
    commit(place, "docs: explain")
    found = next_of(place)
    assert found.version == "1.0.1"
    assert "Promote shop" not in found.changes


def test_somebody_may_name_the_version(place: Path) -> None:
    commit(place, "feat: one")
    git(place, "tag", "v1.0.0")
    commit(place, "fix: two")
    assert next_of(place, "2.0.0-rc.1").version == "2.0.0-rc.1"
    for wanted, said in (("1.0.0", "is not after 1.0.0"), ("latest", "is no version")):
        with pytest.raises(ReleaseError, match=said):
            next_of(place, wanted)


def test_gits_words_are_told(tmp_path: Path) -> None:
    with (
        pytest.raises(UnavailableError, match=r"git: fatal: .*nowhere"),
        history(Remote(str(tmp_path / "nowhere")), "main"),
    ):
        pass


@pytest.mark.parametrize(
    ("message", "numbers"),
    [
        ("fix: round up (#7)", [7]),
        ("Merge pull request #12 from acme/cart\n\nVouchers", [12]),
        ("Merge pull request 'Vouchers' (#13) from cart into main", [13]),
        ("Merge branch 'cart' into 'main'\n\nVouchers\n\nSee merge request acme/shop!14", [14]),
        ("fix: as in #9", []),
        ("", []),
    ],
)
def test_the_pull_requests_of_a_commit(message: str, numbers: list[int]) -> None:
    assert pull_requests(message) == numbers


def test_commit_messages_are_text(place: Path) -> None:
    since = [PastCommit("a" * 40, "feat: <img src=x> @everyone")]
    found = worked_out("acme/shop", "shop", "a" * 40, [], since)
    assert "<img" not in found.changes
    assert "@everyone" not in found.changes
