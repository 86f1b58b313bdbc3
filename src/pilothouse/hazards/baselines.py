"""A baseline: the findings that were there when a team started, so that only what is new counts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pilothouse.hazards.model import Finding


def write(path: Path, findings: Iterable[Finding]) -> int:
    """Write the fingerprints of all findings, readable and in order; returns how many."""
    rows = {
        one.fingerprint: {"rule": one.rule.id, "subject": str(one.subject), "file": one.place.file} for one in findings
    }
    content = {
        "version": 1,
        "findings": dict(sorted(rows.items(), key=lambda row: (row[1]["rule"], row[1]["subject"]))),
    }
    path.write_text(json.dumps(content, indent=2) + "\n")
    return len(rows)


def read(path: Path) -> set[str]:
    """The fingerprints of a baseline; raises `ValueError` that names the file."""
    try:
        content = json.loads(path.read_text())
        return set(content["findings"])
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; make it once with --write-baseline {path}") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path}: is no baseline; write one with --write-baseline {path}") from None
