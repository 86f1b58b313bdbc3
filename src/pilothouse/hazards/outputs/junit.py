"""JUnit XML: a suite for each file, a failure for each finding at or above medium, as CI systems show tests."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from pilothouse.hazards.model import Finding, Severity
from pilothouse.hazards.outputs.legible import legible
from pilothouse.hazards.reviewing import Review


def write(review: Review) -> str:
    """All findings; those below medium pass with a note, files that cannot be read are errors."""
    by_file: dict[str, list[Finding]] = {}
    for finding in review.findings:
        by_file.setdefault(finding.place.file or "cluster", []).append(finding)
    suites = [_suite(file, findings) for file, findings in by_file.items()]
    for problem in review.problems:
        case = f"<testcase name={_attribute('can be read')} classname={_attribute(problem.file)}>"
        body = f"<error message={_attribute(str(problem))}/>"
        suites.append(
            f"<testsuite name={_attribute(problem.file)} tests='1' errors='1'>{case}{body}</testcase></testsuite>"
        )
    if not suites:
        suites.append("<testsuite name='pilothouse check' tests='1'><testcase name='no findings'/></testsuite>")
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n<testsuites name='pilothouse check'>\n"
        + "\n".join(suites)
        + "\n</testsuites>\n"
    )


def _suite(file: str, findings: list[Finding]) -> str:
    cases = []
    failures = 0
    for finding in findings:
        name = f"{finding.rule.id} {finding.subject}"
        text = escape(legible("\n".join([finding.message, str(finding.place), *finding.evidence, finding.rule.advice])))
        if finding.severity >= Severity.MEDIUM:
            failures += 1
            kind = f"{finding.severity} {finding.state}"
            body = f"<failure message={_attribute(finding.message)} type={_attribute(kind)}>{text}</failure>"
        else:
            body = f"<system-out>{text}</system-out>"
        cases.append(f"<testcase name={_attribute(name)} classname={_attribute(file)}>{body}</testcase>")
    head = f"<testsuite name={_attribute(file)} tests='{len(findings)}' failures='{failures}'>"
    return head + "\n" + "\n".join(cases) + "\n</testsuite>"


def _attribute(text: str) -> str:
    return quoteattr(legible(text).replace("\n", " "))
