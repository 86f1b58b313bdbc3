"""JSON, stable field names; a finding a line, which a tool by lines can work with too."""

from __future__ import annotations

import dataclasses
import json

from pilothouse.hazards.outputs.grouping import as_dict, as_dicts
from pilothouse.hazards.reviewing import Review


def write(review: Review) -> str:
    """One object with `findings`, `problems` and `notes`."""
    content = {
        "objects": len(review.objects),
        "files": review.files,
        "kubernetes": review.kubernetes,
        "live": review.live,
        "seconds": round(review.seconds, 3),
        "findings": [],
        "excepted": [as_dict(review, one, False) | {"reason": one.excepted} for one in review.excepted],
        "known": len(review.known),
        "problems": [dataclasses.asdict(one) for one in review.problems],
        "notes": review.notes,
    }
    # Indenting is done in Python, value by value: ten thousand findings would take seconds.
    rows = ",\n    ".join(map(json.dumps, as_dicts(review, review.findings)))
    whole = json.dumps(content, indent=2)
    return (whole.replace('"findings": []', f'"findings": [\n    {rows}\n  ]', 1) if rows else whole) + "\n"
