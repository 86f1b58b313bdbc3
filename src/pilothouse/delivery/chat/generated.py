"""Files that a program wrote: they do not count for the size of a change.

Source: kubernetes-sigs/prow, `pkg/genfiles` (`.generated_files` in the root: lines of a key and a value) and
`pkg/gitattributes` (`linguist-generated` in the root's `.gitattributes`), as its plugin `size` reads them. Here a
pattern is git's own in full, the attribute counts without `=true` too, and a later line takes back an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

LISTED, ATTRIBUTES = ".generated_files", ".gitattributes"
_GENERATED = {"linguist-generated": True, "linguist-generated=true": True, "linguist-generated=false": False,
              "-linguist-generated": False, "!linguist-generated": False}  # fmt: skip
_KEYS = {"prefix": "prefixes", "path-prefix": "prefixes", "file-prefix": "name_prefixes", "file-name": "names",
         "path": "paths"}  # fmt: skip
_LONGEST_PATTERN = 1_000


@dataclass(frozen=True, slots=True)
class Generated:
    """`attributes` are patterns of git in their order, and whether what they match is generated."""

    paths: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    name_prefixes: tuple[str, ...] = ()
    attributes: tuple[tuple[str, bool], ...] = ()

    def __contains__(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        if path in self.paths or name in self.names or path.startswith(self.prefixes):
            return True
        if name.startswith(self.name_prefixes):
            return True
        found = [yes for pattern, yes in self.attributes if _expression(pattern).fullmatch(path)]
        return found[-1] if found else False


def generated(texts: Mapping[str, str]) -> Generated:
    """From the files of the root, by path. What cannot be understood is passed over, as in Prow."""
    found: dict[str, list[str]] = {name: [] for name in _KEYS.values()}
    for key, value in _lines(texts.get(LISTED, "")):
        if key in _KEYS:
            found[_KEYS[key]].append(value)
        elif key == "paths-from-repo":
            found["paths"] += [line.strip() for line in texts.get(value, "").splitlines()]
    attributes = tuple(
        (pattern, _GENERATED[said])
        for pattern, rest in _lines(texts.get(ATTRIBUTES, ""))
        for said in rest.split()
        if said in _GENERATED and len(pattern) <= _LONGEST_PATTERN
    )
    return Generated(
        frozenset(found["paths"]), tuple(found["prefixes"]), frozenset(found["names"]), tuple(found["name_prefixes"]),
        attributes,
    )  # fmt: skip


def named_lists(texts: Mapping[str, str]) -> frozenset[str]:
    """The further files of the repository that list paths."""
    return frozenset(value for key, value in _lines(texts.get(LISTED, "")) if key == "paths-from-repo")


def _lines(text: str) -> list[tuple[str, str]]:
    """Key and value of each line that has both."""
    lines = [line.strip() for line in text.splitlines()]
    parts = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return [(part[0], part[1].strip()) for part in parts if len(part) == 2]


@lru_cache(1000)
def _expression(pattern: str) -> Any:
    """A pattern of git: without a slash it is of a name anywhere, with one from the root; `**` is any directories."""
    anywhere = "/" not in pattern
    words = re2.split(r"(\*\*/|/\*\*|\*\*|\*|\?|\[!?[^]/]+\])", pattern.lstrip("/"))
    made = "".join(_part(word) for word in words)
    return re2.compile(("(?:.*/)?" if anywhere else "") + made)


def _part(word: str) -> str:
    fixed = {"**/": "(?:.*/)?", "/**": "/.*", "**": "[^/]*", "*": "[^/]*", "?": "[^/]"}
    if word in fixed:
        return fixed[word]
    if word.startswith("[") and word.endswith("]"):
        said = word[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return f"[^{said[1:]}]" if said.startswith("!") else f"[{said}]"
    return str(re2.escape(word))
