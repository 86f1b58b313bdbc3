"""What changed, for people: commits by kind, what breaks first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pilothouse.delivery.versions.commits import Commit

_TITLES = {
    "feat": "New features", "fix": "Bug fixes", "perf": "Performance", "refactor": "Refactoring",
    "docs": "Documentation", "test": "Tests", "revert": "Reverts", "style": "Style", "chore": "Chores",
    "build": "Build", "ci": "Pipelines",
}  # fmt: skip
_OTHER = "Other changes"


def changelog(title: str, commits: Iterable[Commit], issue_url: str = "") -> str:
    """Markdown. `issue_url` is what issue numbers are appended to, where they are to be links."""
    found = [commit for commit in commits if not commit.text.startswith("release ")]
    parts = [f"## {title}"]
    if breaking := [f"- {_scope(one)}{_plain(one.breaking)}" for one in found if one.breaking]:
        parts.append("### Breaking changes\n\n" + "\n".join(breaking))
    for kind, heading in (*_TITLES.items(), ("", _OTHER)):
        lines = [_line(one, issue_url) for one in found if _group(one) == kind]
        if lines:
            parts.append(f"### {heading}\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _group(commit: Commit) -> str:
    return commit.kind if commit.kind in _TITLES else ""


def _line(commit: Commit, issue_url: str) -> str:
    sha = f" ({commit.sha[:7]})" if commit.sha else ""
    return f"- {_scope(commit)}{_plain(commit.text)}{sha}{_issues(commit.issues, issue_url)}"


def _scope(commit: Commit) -> str:
    return f"**{_plain(commit.scope)}:** " if commit.scope else ""


def _issues(numbers: Sequence[int], url: str) -> str:
    shown = [f"[#{number}]({url}{number})" if url else f"#{number}" for number in numbers]
    return f", closes {', '.join(shown)}" if shown else ""


def _plain(text: str) -> str:
    """A commit's text is somebody's: it must not become HTML, or notify people by @."""
    return text.replace("<", "&lt;").replace("@", "@\u200b")
