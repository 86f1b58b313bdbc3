"""Pull requests on a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_STATES = {"open": "green", "merged": "magenta", "closed": "red"}
_CHECKS = {"success": "green", "pending": "yellow", "failure": "red", "error": "red"}
_CHANGES = {"added": "A", "removed": "D", "renamed": "R", "modified": "M"}


def table(found: list[dict[str, Any]]) -> None:
    """A line for each."""
    lines = Table("number", "title", "by", "branch", "state", "labels", box=None, padding=(0, 2, 0, 0))
    for one in found:
        state = Text("draft" if one["draft"] and one["state"] == "open" else one["state"])
        state.stylize(_STATES[one["state"]])
        branch = f"{one['head']['ref']} -> {one['base']['ref']}"
        lines.add_row(
            Text(f"#{one['number']}"), Text(one["title"]), Text(one["author"]), Text(branch), state,
            Text(", ".join(one["labels"])),
        )  # fmt: skip
    Console().print(lines)


def details(one: dict[str, Any]) -> None:
    """All of one."""
    console = Console()
    console.print(Text(f"#{one['number']} {one['title']}", style="bold"))
    where = one["head"]["ref"]
    if one["head"]["repository"] != one["base"]["repository"]:
        where = f"{one['head']['repository'] or 'a fork that is gone'}:{where}"
    said = {
        "state": one["state"] + (" (draft)" if one["draft"] else ""),
        "by": one["author"],
        "branch": f"{where} {one['head']['sha'][:10]} -> {one['base']['ref']}",
        "merges": {True: "cleanly", False: "not: it conflicts", None: ""}[one["mergeable"]],
        "labels": ", ".join(one["labels"]),
        "assigned": ", ".join(one["assignees"]),
        "asked": ", ".join(one["requested_reviewers"]),
        "milestone": one["milestone"],
    }
    lines = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for word, value in said.items():
        if value:
            lines.add_row(Text(word, style="dim"), Text(value))
    console.print(lines)
    if one["body"]:
        console.print(Text("\n" + one["body"].strip()))
    _files(console, one)
    _checks(console, one["statuses"])
    _talk(console, one)


def _files(console: Console, one: dict[str, Any]) -> None:
    console.print()
    for file in one["files"]:
        line = Text(f"  {_CHANGES[file['change']]} {file['path']} ")
        line.append(f"+{file['additions']} ", "green").append(f"-{file['deletions']}", "red")
        console.print(line)
    if one["files_left_out"]:
        console.print(Text(f"  and {one['files_left_out']} more files"))


def _checks(console: Console, statuses: list[dict[str, Any]]) -> None:
    if statuses:
        console.print()
    for status in statuses:
        line = Text(f"  {status['state']:8}", _CHECKS[status["state"]])
        console.print(line.append(f" {status['context']}  ", "default").append(status["description"], "dim"))


def _talk(console: Console, one: dict[str, Any]) -> None:
    """Comments and reviews in the order in which they were said."""
    for said in sorted([*one["comments"], *one["reviews"]], key=lambda said: str(said["at"])):
        on = f" on {said['path']}:{said['line']}" if said.get("path") else ""
        what = said.get("state", "").replace("_", " ") or f"said{on}"
        when = said["at"][:16].replace("T", " ")
        console.print(Text(f"\n{said['author']} {what}, {when} UTC", style="dim"))
        if said["body"]:
            console.print(Text(said["body"].strip()))


def coloured(text: str) -> None:
    """A diff."""
    console = Console()
    for line in text.splitlines():
        heading = line.startswith(("diff ", "index ", "--- ", "+++ "))
        style = "bold" if heading else {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        console.print(Text(line, style=style), soft_wrap=True)
