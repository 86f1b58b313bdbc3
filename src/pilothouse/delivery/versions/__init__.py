"""The next version and the changelog, from commit messages."""

from pilothouse.delivery.versions.changelog import changelog
from pilothouse.delivery.versions.commits import Commit, parse_commit
from pilothouse.delivery.versions.next_version import Version, next_version

__all__ = ["Commit", "Version", "changelog", "next_version", "parse_commit"]
