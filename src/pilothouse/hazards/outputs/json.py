"""JSON, stable field names."""

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
        "findings": as_dicts(review, review.findings),
        "excepted": [as_dict(review, one, False) | {"reason": one.excepted} for one in review.excepted],
        "known": len(review.known),
        "problems": [dataclasses.asdict(one) for one in review.problems],
        "notes": review.notes,
    }
    return json.dumps(content, indent=2) + "\n"
