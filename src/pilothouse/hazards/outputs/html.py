"""One HTML file without scripts or references to elsewhere."""

from __future__ import annotations

from html import escape

from pilothouse.hazards.model import Finding, Rule
from pilothouse.hazards.outputs.grouping import as_dict, by_cause, summary
from pilothouse.hazards.outputs.legible import legible
from pilothouse.hazards.reviewing import Review

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1f26;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2rem 0 .3rem}code,pre{font:13px/1.5 ui-monospace,monospace}
pre{background:#f3f5f7;padding:.7rem;overflow:auto;border-radius:6px}table{border-collapse:collapse;width:100%}
td{padding:.3rem .6rem .3rem 0;vertical-align:top;border-top:1px solid #e3e7eb}.s{display:inline-block;min-width:5rem;
padding:0 .5rem;border-radius:4px;color:#fff;font-size:.85rem;text-align:center}.critical{background:#8a1032}
.high{background:#b3261e}.medium{background:#8f5d00}.low{background:#3f6184}.info{background:#5c6670}.why{color:#4a535d}
@media(prefers-color-scheme:dark){body{background:#14181d;color:#e4e8ec}pre{background:#1e242b}td{border-color:#2c343d}
.why{color:#a9b3bd}a{color:#8cb8ff}}
"""


def write(review: Review) -> str:
    """A page with a section for each cause."""
    sections = "\n".join(_section(review, rule, findings) for rule, findings in by_cause(review.findings))
    problems = "".join(f"<li><code>{_e(str(one))}</code></li>" for one in review.problems)
    notes = "".join(f"<li>{_e(one)}</li>" for one in review.notes)
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>Hazards</title><style>{_STYLE}</style></head>"
        f"<body><h1>Hazards</h1><p>{_e(summary(review))}</p>"
        f"{sections}"
        + (f"<h2>Could not be read</h2><ul>{problems}</ul>" if problems else "")
        + (f"<h2>Notes</h2><ul>{notes}</ul>" if notes else "")
        + "</body></html>\n"
    )


def _section(review: Review, rule: Rule, findings: list[Finding]) -> str:
    severity = max(one.severity for one in findings)
    rows = "".join(_row(one) for one in findings)
    fix = as_dict(review, findings[0])["fix"]
    sources = " ".join(f"<a href='{_e(link)}' rel='noreferrer'>{_e(link)}</a>" for link in rule.sources)
    return (
        f"<h2><span class='s {severity}'>{severity}</span> {_e(rule.id)} {_e(rule.title)}</h2>"
        f"<p class='why'>{_e(rule.why)}</p><table>{rows}</table><p>{_e(rule.advice)}</p>"
        + (f"<p>Other advice says otherwise: {_e(rule.conflict)}</p>" if rule.conflict else "")
        + (f"<pre>{_e(fix)}</pre>" if fix else "")
        + f"<p class='why'>{sources}</p>"
    )


def _row(one: Finding) -> str:
    evidence = "".join(f"<br>{_e(fact)}" for fact in one.evidence)
    return (
        f"<tr><td><code>{_e(str(one.place))}</code></td><td>{_e(str(one.subject))}</td><td>{one.state}</td>"
        f"<td>{_e(one.message)}{evidence}</td></tr>"
    )


def _e(text: str) -> str:
    return escape(legible(text), quote=True)
