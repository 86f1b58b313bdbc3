"""The verdict as text: plain where it is piped, safe where it holds other people's text."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from pilothouse.engine import Engine
from pilothouse.releases.comparing import compare
from pilothouse.releases.report import print_verdict, to_markdown
from pilothouse.releases.wording import amount, digits, percent, signed_percent, times
from tests.releases.conftest import CANARY


@pytest.fixture(scope="module")
def worse(shop: Engine) -> dict[str, Any]:
    return compare(shop, "checkout", "1.0.0", "2.0.0", CANARY).to_json()


def printed(comparison: dict[str, Any], **options: Any) -> str:
    console = Console(file=io.StringIO(), width=140, **options)
    print_verdict(console, comparison, "http://127.0.0.1:4000/")
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_the_verdict_with_its_evidence(worse: dict[str, Any]) -> None:
    text = printed(worse)
    assert " WORSE  checkout 2.0.0 against 1.0.0" in text
    assert "POST /checkout is slower" in text
    assert "e.g. coupon " in text
    assert f"page: http://127.0.0.1:4000{worse['page']}" in text
    assert "\x1b" not in text


def test_colours_only_on_a_terminal(worse: dict[str, Any]) -> None:
    assert "\x1b[" in printed(worse, force_terminal=True, color_system="truecolor")


def test_no_worse_and_cannot_tell(shop: Engine) -> None:
    same = printed(compare(shop, "checkout", "1.0.0", "2.0.1", CANARY).to_json())
    assert "NO WORSE" in same
    assert "or more" in same
    unsure = printed(compare(shop, "checkout", "1.0.0", "3.0.0", CANARY).to_json())
    assert "CANNOT TELL" in unsure
    assert "needed: " in unsure


def test_markup_in_telemetry_is_text(worse: dict[str, Any]) -> None:
    finding = worse["findings"][0] | {"title": "[bold red]x[/] <script>alert(1)</script> | `a` | *b*\n# c"}
    hostile = worse | {"findings": [finding], "summary": finding["title"]}
    assert "[bold red]x[/]" in printed(hostile)
    markdown = to_markdown(hostile)
    assert "<script>" not in markdown
    row = next(line for line in markdown.splitlines() if "alert" in line and line.startswith("| "))
    assert row.count(" | ") == 4
    assert "\n# c" not in markdown


def test_markdown(worse: dict[str, Any]) -> None:
    text = to_markdown(worse, "https://pilothouse.example")
    assert text.startswith("### Pilothouse: checkout 2.0.0 against 1.0.0 is 🔴 **worse**\n")
    assert "| traces | 🔴 **worse** |" in text
    assert f"](https://pilothouse.example{worse['page']})" in text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (182_400_000, "By", "182 MB"), (999, "By", "999 B"), (0, "By", "0 B"), (-2_000_000, "By", "-2 MB"),
        (41.2, "ms", "41.2 ms"), (1500, "ms", "1.5 s"), (0.0041, "s", "4.1 ms"), (12e6, "ns", "12 ms"),
        (0.93, "1", "0.93"), (12, "{request}", "12 request"), (0, "ns", "0 ns"),
    ],
)  # fmt: skip
def test_amounts(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_numbers() -> None:
    assert percent(0.0421) == "4.2 %"
    assert signed_percent(0.35) == "+35 %"
    assert signed_percent(-0.5) == "-50 %"
    assert signed_percent(3) == "x4"
    assert times(2.06) == "2.1 times"
    assert times(0.004) == "once in 250 times"
    assert digits(12345.6) == "12,346"
    assert digits(0.00012) == "1.2e-04"
