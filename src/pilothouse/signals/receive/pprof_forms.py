"""multipart/form-data (RFC 7578) as profilers send it: a few named parts, already in memory."""

from __future__ import annotations

from email.message import Message

from pilothouse.signals.errors import BadRequestError

_MAX_PARTS = 16


def boundary_of(content_type: str) -> str:
    """The boundary of a multipart body, or nothing for another kind of body."""
    header = Message()
    header["content-type"] = content_type
    return str(header.get_param("boundary") or "") if header.get_content_type() == "multipart/form-data" else ""


def parts_of(body: bytes, boundary: str) -> dict[str, bytes]:
    """The content of each part by its name."""
    marker = b"\r\n--" + boundary.encode("latin-1", "replace")
    pieces = (b"\r\n" + body).split(marker, _MAX_PARTS + 2)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise BadRequestError("body: the multipart form has no end, or too many parts", "body")
    return dict(_part(piece) for piece in pieces[1:-1])


def _part(piece: bytes) -> tuple[str, bytes]:
    head, found, content = piece.partition(b"\r\n\r\n")
    if not found:
        raise BadRequestError("body: a part of the multipart form has no header", "body")
    header = Message()
    for line in head.decode("utf-8", "replace").strip().split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            header["content-disposition"] = value.strip()
    said = header.get_param("name", header="content-disposition")
    if not isinstance(said, str) or not said:
        raise BadRequestError("body: a part of the multipart form has no name", "body")
    return said, content
