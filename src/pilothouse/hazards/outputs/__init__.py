"""A review written down: for a person, for another program, for the tools around a repository."""

from __future__ import annotations

from collections.abc import Callable

from pilothouse.hazards.reviewing import Review

FORMATS = ("text", "json", "sarif", "junit", "github", "markdown", "html")


def writer(name: str) -> Callable[[Review], str]:
    """The function that writes a review in a format (not `text`, which wants to know the terminal)."""
    from pilothouse.hazards.outputs import github, html, json, junit, markdown, sarif

    return {
        "json": json.write, "sarif": sarif.write, "junit": junit.write, "github": github.write,
        "markdown": markdown.write, "html": html.write,
    }[name]  # fmt: skip
