"""Replacing a file whole: whoever reads it sees the old content or the new one, and a crash leaves one of the two."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def replace_file(
    path: Path, content: str | bytes, mode: int | None = None, *, part: Path | None = None, durable: bool = False
) -> None:
    """Write `content` beside the file, then put it in its place. Raises `OSError`, and leaves nothing behind then.

    `mode` is that of the new file, less the process's umask; without one a file that is there keeps its own. `part` is
    where it is written first, on the same file system, and must not exist: `FileExistsError`. With `durable` the bytes
    are on the disk before the name is moved, for what has to outlast a power failure.
    """
    own = path.stat().st_mode & 0o777 if mode is None and path.exists() else None
    part = part or path.with_name(f".{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode or own or 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if own is not None:
                os.fchmod(file.fileno(), own)
            file.write(content.encode() if isinstance(content, str) else content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
