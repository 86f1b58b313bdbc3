"""What the verdict has to say, given what was planted in the shop."""

from typing import Any

PLANTED = {
    "traces": ("POST /checkout", "the operation that is slower"),
    "logs": ("coupon combinations", "the new error in the logs"),
    "metrics": ("process.memory.usage", "the memory that grows"),
    "profiles": ("try_all_coupon_combinations", "the function that burns CPU"),
}
"""By signal: the text that a finding has to hold, and what that is."""

VERDICTS = {"regression": "worse", "good": "no_worse"}


def differences(comparison: dict[str, Any], scenario: str) -> list[str]:
    """In words, what the comparison says otherwise than planted; empty when all of it is as planted."""
    verdict, expected = comparison["verdict"], VERDICTS[scenario]
    if verdict != expected:
        reasons = "".join(f"; {reason}" for reason in comparison.get("missing", []))
        return [f"the verdict is {verdict}, not {expected}{reasons}"]
    if scenario == "good":
        return []
    return [
        f"no {signal} finding names {what} ({text!r})"
        for signal, (text, what) in PLANTED.items()
        if not any(_names(finding, signal, text) for finding in comparison["findings"])
    ]


def _names(finding: dict[str, Any], signal: str, text: str) -> bool:
    if finding["signal"] != signal or finding["direction"] != "worse":
        return False
    said = [finding["subject"], finding["title"], *map(str, finding.get("examples") or [])]
    return any(text in part for part in said)
