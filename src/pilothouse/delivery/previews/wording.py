"""What a pull request is told about its preview: one comment, edited as things change."""

from __future__ import annotations

import time

from pilothouse.delivery.previews.preview import Preview
from pilothouse.delivery.promoting.wording import fenced, plain

KEY = "preview"
_LAST = 3_000


def comment(preview: Preview, log: str = "") -> str:
    """The comment's text for the state that the preview is in."""
    commit = f"`{preview.commit[:10]}`"
    match preview.state:
        case "ready":
            until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(preview.expires))
            where = f"in namespace `{preview.place}`" if preview.place else "on the machine that Pilothouse runs on"
            return f"**Preview** of {commit}: {preview.url}\n\nIt runs {where} until {until}."
        case "failed":
            said = f"\n\n{fenced(log[-_LAST:].strip())}" if log.strip() else ""
            return f"**No preview** of {commit}: {plain(preview.reason)}{said}"
        case "stopped":
            return f"The preview of {commit} has ended: {plain(preview.reason)}."
        case _:
            return f"A preview of {commit} is being started."
