"""An image's version in a kustomization: the `newTag` of its entry among the `images`."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.environments.errors import EditError
from pilothouse.delivery.environments.images import Image
from pilothouse.delivery.environments.scalars import documents, find, replaced, values


def version(text: str, image: str) -> str:
    """The tag that the kustomization gives the image; empty when it gives none. Raises `EditError`."""
    entry = _entry(text, image)
    return str(entry[1].get("newTag") or "") if entry else ""


def changed(text: str, image: str, version: str, prefix: str) -> str:
    """The text with another tag for the image; its entry is added when there is none. Raises `EditError`."""
    entry = _entry(text, image)
    if entry is None:
        return _appended(text, image, Image(image).at(version, prefix))
    number, content = entry
    new = Image(str(content.get("name", image)), str(content.get("newTag") or ""), str(content.get("digest") or "")).at(
        version, prefix
    )
    places = [(find(text, f"images[{number}].newTag"), new.tag)]
    if new.digest and content.get("digest"):
        places.append((find(text, f"images[{number}].digest"), new.digest))
    changes = [(one, value) for one, value in places if one is not None and one.value != value]
    made = replaced(text, changes) if changes else text
    added = {
        name: value for name, value in (("newTag", new.tag), ("digest", new.digest)) if value and name not in content
    }
    return _extended(made, number, added) if added else made


def _entry(text: str, image: str) -> tuple[int, dict[str, Any]] | None:
    for content in values(text)[:1]:
        listed = content.get("images") if isinstance(content, dict) else None
        if listed is not None and not isinstance(listed, list):
            raise EditError("images: must be a list")
        for number, one in enumerate(listed or []):
            if isinstance(one, dict) and Image(str(one.get("name", ""))).is_called(image):
                return number, one
    return None


def _appended(text: str, image: str, new: Image) -> str:
    """One more entry at the end of the list; a list where there is none."""
    entry = {"name": image, "newTag": new.tag} | ({"digest": new.digest} if new.digest else {})
    found = _node(text, "images")
    if found is None or not found.value:
        if found is not None:
            raise EditError("images: is empty; take the key away, or write an entry")
        ending = "" if text.endswith("\n") or not text else "\n"
        return _checked(text, text + ending + "images:\n" + _lines(entry, ""), None, entry)
    if found.flow_style:
        raise EditError("images: is written in one line; write each image on lines of its own")
    last = found.value[-1]
    indent = " " * found.start_mark.column
    at = _line_after(text, last)
    ending = "" if text[:at].endswith("\n") else "\n"
    return _checked(text, text[:at] + ending + _lines(entry, indent) + text[at:], None, entry)


def _extended(text: str, number: int, added: dict[str, str]) -> str:
    """More keys for an entry that is there."""
    found = _node(text, "images")
    node = found.value[number] if found is not None else None
    if node is None or node.flow_style or not node.value:
        raise EditError(f"images[{number}]: is written in one line; write a newTag there first")
    key, value = node.value[0]
    at = _line_after(text, value)
    ending = "" if text[:at].endswith("\n") else "\n"
    lines = "".join(f"{' ' * key.start_mark.column}{name}: {_quoted(one)}\n" for name, one in added.items())
    return _checked(text, text[:at] + ending + lines + text[at:], number, added)


def _checked(before: str, after: str, number: int | None, entry: dict[str, str]) -> str:
    """The new text, when it differs by the entry and nothing else."""
    wanted = values(before) or [{}]
    if wanted[0] is None:
        wanted[0] = {}
    if number is None:
        wanted[0]["images"] = [*(wanted[0].get("images") or []), entry]
    else:
        wanted[0]["images"][number] |= entry
    if values(after) != wanted:
        raise EditError("images: no entry can be added without changing more than that")
    return after


def _node(text: str, key: str) -> Any:
    for node in documents(text)[:1]:
        if type(node).__name__ == "MappingNode":
            return next((value for name, value in node.value if name.value == key), None)
    return None


def _line_after(text: str, node: Any) -> int:
    """Where the line after the one that the node's last scalar ends on begins."""
    while type(node).__name__ in ("MappingNode", "SequenceNode") and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end = text.find("\n", node.end_mark.index)
    return len(text) if end < 0 else end + 1


def _lines(entry: dict[str, str], indent: str) -> str:
    lines = [f"{name}: {_quoted(value)}" for name, value in entry.items()]
    return f"{indent}- {lines[0]}\n" + "".join(f"{indent}  {line}\n" for line in lines[1:])


def _quoted(value: str) -> str:
    # Kustomize's own habit is to quote only what is not text otherwise; quoting always is never wrong.
    return value if value and all(letter.isalpha() or letter in "/-" for letter in value) else f'"{value}"'
