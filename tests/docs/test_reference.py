"""The reference names every setting, command, option and endpoint; nothing may be added without it."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer.main

from pilothouse.cli.program import program
from pilothouse.server import openapi
from pilothouse.server.config import Config

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("setting", Config.model_fields)
def test_each_setting_is_documented(setting: str) -> None:
    text = (DOCS / "reference" / "configuration.md").read_text()
    assert f"| `{setting}` | `PILOTHOUSE_{setting.upper()}` |" in text


@pytest.mark.parametrize("path", openapi.OPERATIONS)
def test_each_endpoint_is_documented(path: str) -> None:
    text = (DOCS / "architecture.md").read_text()
    assert f"`GET {path}`" in text or f"`{path}`" in text


def test_each_command_and_option_is_documented() -> None:
    text = (DOCS / "reference" / "command-line.md").read_text()
    missing = []
    root = typer.main.get_command(program())
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        for words, one in getattr(command, "commands", {"": command}).items():
            full = f"pilothouse {name} {words}".strip()
            missing += [full] if f"## `{full}`" not in text else []
            missing += [
                f"{full} {option.opts[0]}"
                for option in one.params
                if option.opts[0].startswith("-") and option.opts[0] not in text
            ]
    assert not missing
