"""A comparison as people read it: on a terminal, and as a comment on a pull request.

Works on the JSON of `/api/compare`, so that the command line needs nothing but a server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.releases.wording import digits, percent

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WORDS = {"worse": "WORSE", "no_worse": "NO WORSE", "cannot_tell": "CANNOT TELL", "no_data": "no data"}
_STYLES = {
    "worse": "bold red", "no_worse": "green", "cannot_tell": "yellow", "no_data": "dim", "better": "green",
    "moved": "cyan",
}  # fmt: skip
_MARKS = {"worse": "▲", "better": "▼", "moved": "◆"}
_MARKDOWN = {"worse": "🔴 **worse**", "no_worse": "🟢 no worse", "cannot_tell": "🟡 cannot tell", "no_data": "no data"}
_KINDS = {
    "canary": "side by side", "before_after": "one after the other", "subsets": "two parts side by side",
    "migration": "the old home against the new",
}  # fmt: skip
_MOST = 12
_MOST_STORIES = 3
_MOST_CHANGES = 8


def print_verdict(console: Console, comparison: dict[str, Any], base_url: str = "") -> None:
    """The verdict with its evidence; colours only where the console shows them."""
    from rich.text import Text

    verdict = comparison["verdict"]
    headline = Text.assemble(
        (f" {_WORDS[verdict]} ", f"{_STYLES[verdict]} reverse"),
        " ",
        (_pair(comparison), "bold"),
        "  ",
        _sureness(comparison),
    )
    console.print(headline)
    console.print(Text(_sides(comparison), style="dim"))
    for text in comparison["missing"]:
        console.print(Text.assemble(("needed: ", "yellow"), text))
    console.print()
    for story in _with_causes(comparison):
        _print_story(console, story)
    for finding in comparison["findings"][:_MOST]:
        _print_finding(console, finding)
    if len(comparison["findings"]) > _MOST:
        console.print(Text(f"  and {len(comparison['findings']) - _MOST} more", style="dim"))
    console.print(_signals(comparison))
    day = comparison["candidate"]["start"]
    for change in comparison.get("changes", [])[:_MOST_CHANGES]:
        console.print(Text(f"changed: {_clock(change['at'], day)} {change['words']}", style="dim"))
    for note in comparison.get("notes", []):
        console.print(Text(f"note: {note}", style="dim"))
    console.print(Text.assemble(("page: ", "dim"), f"{base_url.rstrip('/')}{comparison['page']}"), soft_wrap=True)


def to_markdown(comparison: dict[str, Any], base_url: str = "") -> str:
    """The same as a comment on a pull request (GitHub's Markdown)."""
    lines = [
        f"### Pilothouse: {_escaped(_pair(comparison))} is {_MARKDOWN[comparison['verdict']]}",
        "",
        f"{_escaped(comparison['summary'])}. {_sureness(comparison)}".strip(),
        "",
    ]
    lines += [f"- needed: {_escaped(text)}" for text in comparison["missing"]]
    for story in _with_causes(comparison):
        lines += ["", f"**{_escaped(story['title'])}**", ""]
        lines += [f"{cause['rank']}. {_escaped(cause['words'])}" for cause in story["causes"][:3]]
    if comparison["findings"]:
        lines += ["", "| | signal | finding | change | 95 % interval |", "|---|---|---|---|---|"]
        lines += [_row(finding) for finding in comparison["findings"][:_MOST]]
    lines += ["", "| signal | verdict | tests | smallest change it would have shown |", "|---|---|---:|---:|"]
    for name, report in comparison["signals"].items():
        smallest = report["smallest_effect"]
        shown = percent(smallest) if smallest is not None else ""
        lines.append(f"| {name} | {_MARKDOWN[report['state']]} | {report['tested']} | {shown} |")
    lines += ["", f"<sub>{_escaped(_sides(comparison))}</sub>", ""]
    lines += [f"<sub>{_escaped(note)}</sub>" for note in comparison.get("notes", [])]
    if base_url:
        lines += ["", f"[The comparison on the page]({base_url.rstrip('/')}{comparison['page']})"]
    return "\n".join(lines) + "\n"


def _with_causes(comparison: dict[str, Any]) -> list[dict[str, Any]]:
    """Stories that say more than their only finding does."""
    return [
        story
        for story in comparison.get("stories", [])
        if story["direction"] == "worse" and (len(story["findings"]) > 1 or story["causes"][0]["finding"] is None)
    ][:_MOST_STORIES]


def _print_story(console: Console, story: dict[str, Any]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    console.print(Padding(Text(story["title"], style="bold"), (0, 0, 0, 2)))
    for cause in [one for one in story["causes"] if one["kind"] != "symptom"][:3]:
        said = f"{cause['rank']}. {cause['words']}"
        if cause["share"] is not None:
            said += f" (explains {percent(cause['share'])})"
        console.print(Padding(Text(said), (0, 0, 0, 4)))
    for words in story["links"][:2]:
        console.print(Padding(Text(words, style="dim"), (0, 0, 0, 7)))
    console.print()


def _print_finding(console: Console, finding: dict[str, Any]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    style = _STYLES[finding["direction"]]
    text = Text.assemble(
        (f"{_MARKS[finding['direction']]} ", style), (f"{finding['signal']:<9}", "dim"), finding["title"]
    )
    console.print(Padding(text, (0, 0, 0, 2)))
    if size := _size(finding):
        console.print(Padding(Text(size, style="dim"), (0, 0, 0, 13)))
    if finding["signal"] == "logs" and finding["examples"]:
        console.print(Padding(Text(f"e.g. {finding['examples'][0].splitlines()[0][:200]}", style="dim"), (0, 0, 0, 13)))


def _signals(comparison: dict[str, Any]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(
        "signal", "verdict", "tests", "would have seen", "", box=None, header_style="dim", padding=(0, 2, 0, 0)
    )
    table.columns[2].justify = "right"
    for name, report in comparison["signals"].items():
        smallest = report["smallest_effect"]
        table.add_row(
            name,
            Text(_WORDS[report["state"]].lower(), style=_STYLES[report["state"]]),
            str(report["tested"]),
            f"{percent(smallest)} or more" if smallest is not None else "",
            Text(report["note"], style="dim"),
        )
    return table


def _pair(comparison: dict[str, Any]) -> str:
    return f"{comparison['service']} {comparison['candidate']['version']} against {comparison['baseline']['version']}"


def _sureness(comparison: dict[str, Any]) -> str:
    sure = comparison["confidence"]
    match comparison["verdict"]:
        case "worse":
            return f"{sure * 100:.4g} % sure"
        case "no_worse":
            return f"{sure * 100:.3g} % sure that nothing that matters most is worse by a quarter"
        case _:
            return ""


def _range(start: str, end: str) -> str:
    """From and to (RFC 3339), the day said once where it is the same."""
    return f"{_clock(start)} to {_clock(end, start)}"


def _clock(at: str, day: str = "") -> str:
    """An instant's day and time, without the day when it is that of another instant."""
    return at[11:19] if day and at[:10] == day[:10] else f"{at[:10]} {at[11:19]}"


def _sides(comparison: dict[str, Any]) -> str:
    def said(side: dict[str, Any]) -> str:
        plural = "" if side["instances"] == 1 else "s"
        return (
            f"{side['version']}: {side.get('requests', 0):,} requests on {side['instances']} instance{plural}, "
            f"{_range(side['start'], side['end'])} UTC"
        )

    kind = _KINDS.get(comparison["kind"], comparison["kind"])
    return f"{said(comparison['baseline'])}; {said(comparison['candidate'])}; {kind}"


def _size(finding: dict[str, Any]) -> str:
    if finding["change"] is None:
        return f"q = {_p(finding['q_value'])}"
    parts = [f"{_change(finding['change'])}"]
    if finding["interval"]:
        low, high = finding["interval"]
        parts.append(f"95 %: {_change(low)} to {_change(high)}")
    return ", ".join([*parts, f"q = {_p(finding['q_value'])}"])


def _change(change: float | None) -> str:
    return "unbounded" if change is None else f"{change * 100:+,.0f} %"


def _p(value: float) -> str:
    return "< 1e-9" if value < 1e-9 else digits(value)


def _row(finding: dict[str, Any]) -> str:
    interval = finding["interval"]
    shown = f"{_change(interval[0])} to {_change(interval[1])}" if interval else ""
    change = _change(finding["change"]) if finding["change"] is not None else "new"
    mark = {"worse": "🔴", "better": "🟢", "moved": "🔵"}[finding["direction"]]
    return f"| {mark} | {finding['signal']} | {_escaped(finding['title'])} | {change} | {shown} |"


def _escaped(text: str) -> str:
    """Text from telemetry in Markdown: no markup, no table cells, no HTML."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")
    for mark in "`*_[]":
        safe = safe.replace(mark, f"\\{mark}")
    return " ".join(safe.split())


def to_junit(comparison: dict[str, Any]) -> str:
    """The same as JUnit's XML, for a pipeline that shows test results: a test case a signal, a failure a finding.

    What could not be told is an error, a signal without data is skipped.
    """
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    cases = comparison["signals"]
    worse = [finding for finding in comparison["findings"] if finding["direction"] == "worse"]
    unsure = comparison["verdict"] == "cannot_tell"
    failing = {finding["signal"] for finding in worse}
    skipped = [name for name, report in cases.items() if report["state"] == "no_data"]
    suite = Element(
        "testsuite", name=_printable(_pair(comparison)), tests=str(len(cases) + unsure), failures=str(len(failing)),
        errors=str(int(unsure)), skipped=str(len(skipped)), time=str(comparison["took_seconds"]),
    )  # fmt: skip
    for name in cases:
        case = SubElement(suite, "testcase", classname=_printable(comparison["service"]), name=name)
        mine = [finding for finding in worse if finding["signal"] == name]
        if mine:
            said = "\n".join(f"{finding['title']} ({_size(finding)})" for finding in mine)
            SubElement(case, "failure", message=_printable(mine[0]["title"]), type="worse").text = _printable(said)
        elif name in skipped:
            SubElement(case, "skipped", message="no data")
    if unsure:
        case = SubElement(suite, "testcase", classname=_printable(comparison["service"]), name="enough data")
        SubElement(case, "error", message=_printable(comparison["summary"]), type="cannot_tell")
    SubElement(suite, "system-out").text = _printable(comparison["summary"])
    indent(suite)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(suite, encoding="unicode")}\n'


def _printable(text: str) -> str:
    """Text that XML 1.0 may hold: no control characters but tabs and line ends."""
    return "".join(one if one in "\t\n\r" or " " <= one < "\ud800" or one > "\udfff" else "\ufffd" for one in text)
