"""How the demo tells what it does."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from rich.progress import Progress

from pilothouse.demo.narration import LiveNarration, PlainNarration, columns, narrate


def test_plain_lines_tell_begin_detail_and_end() -> None:
    written = io.StringIO()
    with PlainNarration(Console(file=written)).step("visitors come", 8) as step:
        step.say("http://127.0.0.1:4000 [bold]not markup[/]")
    begin, detail, end = written.getvalue().splitlines()
    assert begin.endswith("s  visitors come (8 s) ...")
    assert detail.endswith("http://127.0.0.1:4000 [bold]not markup[/]")
    assert re.search(r"s  visitors come: done in \d+\.\d s$", end)


def test_a_plain_step_that_fails_is_not_done() -> None:
    written = io.StringIO()
    with pytest.raises(ZeroDivisionError), PlainNarration(Console(file=written)).step("release"):
        raise ZeroDivisionError
    assert "done" not in written.getvalue()


def test_a_terminal_shows_all_steps_with_their_times() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=120)
    with Progress(*columns(), console=console) as progress:
        narration = LiveNarration(progress)
        with narration.step("Pilothouse starts") as step:
            step.say("at [::1]:4000")
        with narration.step("canary", 30):
            progress.refresh()
    shown = written.getvalue()
    assert "Pilothouse starts" in shown
    assert "at [::1]:4000" in shown
    assert "✓" in shown
    assert "━" in shown


def test_what_is_no_terminal_gets_plain_lines(capfd: pytest.CaptureFixture[str]) -> None:
    with narrate() as narration, narration.step("the shop starts"):
        pass
    assert "the shop starts: done" in capfd.readouterr().err
