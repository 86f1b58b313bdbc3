"""`$(...)`: finding references in texts, and replacing them by values.

Source: Tekton's `docs/variables.md` and `pkg/substitution`. Replacement is plain text: nothing is escaped for a shell.
An unknown reference stays as it is, so that a shell's own `$(date)` works.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Value = str | list[str] | dict[str, str]

_PART = r"\[(?:'[^'\]]*'|\"[^\"\]]*\"|[0-9]+|\*)\]"
REFERENCE = re.compile(rf"\$\(([_a-zA-Z][_a-zA-Z0-9.\-]*(?:{_PART}|\.[_a-zA-Z0-9.\-]+)*)\)")
_QUOTED = re.compile(r"\[(?:'([^'\]]*)'|\"([^\"\]]*)\")\]")
_PART_OF = re.compile(r"^(params\.[^.\[]+)(\[(?:[0-9]+|\*)\]|\.[^.\[]+)$")
_INDEX = re.compile(r"^(.*)\[([0-9]+)\]$")


def references(text: str) -> Iterator[str]:
    """The inside of each `$(...)` in `text`, in one normal form: `params["a.b"][0]` is `params.a.b[0]`."""
    if "$(" in text:
        for found in REFERENCE.finditer(text):
            yield normal(found[1])


def texts(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """All texts of a tree with their paths below it."""
    if isinstance(tree, str):
        yield path, tree
    elif isinstance(tree, Mapping):
        for key, inner in tree.items():
            yield from texts(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list):
        for index, inner in enumerate(tree):
            yield from texts(inner, f"{path}[{index}]")


def normal(reference: str) -> str:
    """One form for those that Tekton allows; `inputs.params.x` is how v1alpha1 wrote `params.x`, and still holds."""
    reference = reference.removeprefix("inputs.") if reference.startswith("inputs.params.") else reference
    return _QUOTED.sub(lambda found: "." + (found[1] or found[2] or ""), reference) if "[" in reference else reference


def isolated(text: str) -> str | None:
    """The reference, when `text` is nothing else."""
    found = REFERENCE.fullmatch(text)
    return normal(found[1]) if found else None


@dataclass(slots=True)
class Values:
    """What references stand for. Keys are in normal form without `$()`: `params.name`, `tasks.a.results.b`."""

    strings: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, list[str]] = field(default_factory=dict)
    objects: dict[str, dict[str, str]] = field(default_factory=dict)

    def put(self, key: str, value: Value) -> None:
        """Set `key`; of an object also each of its keys. What stood there before is gone."""
        self.drop(key)
        if isinstance(value, list):
            self.arrays[key] = value
        elif isinstance(value, dict):
            self.objects[key] = value
            self.strings.update({f"{key}.{name}": inner for name, inner in value.items()})
        else:
            self.strings[key] = value

    def drop(self, key: str) -> None:
        """Forget `key`."""
        self.strings.pop(key, None)
        self.arrays.pop(key, None)
        for name in self.objects.pop(key, {}):
            self.strings.pop(f"{key}.{name}", None)

    def copy(self) -> Values:
        """A copy that can be changed by itself."""
        return Values(dict(self.strings), dict(self.arrays), dict(self.objects))

    def update(self, other: Values) -> None:
        """Add all of `other`; its values win."""
        self.strings.update(other.strings)
        self.arrays.update(other.arrays)
        self.objects.update(other.objects)

    def text(self, reference: str) -> str | None:
        """The text that a reference in normal form stands for, or None: unknown, or not a single text."""
        found = self.strings.get(reference)
        if found is None and (indexed := _INDEX.match(reference)):
            array, index = self.arrays.get(indexed[1]), int(indexed[2])
            if array is not None and index < len(array):
                return array[index]
        return found if found is not None else self._later(reference)

    def _later(self, reference: str) -> str | None:
        """A part of a parameter that is itself a step's whole result: the same part of that result."""
        found = _PART_OF.match(reference)
        whole = self.strings.get(found[1]) if found else None
        if not found or whole is None or not (whole.startswith("$(steps.") and whole.endswith("[*])")):
            return None
        return f"{whole[: -len('[*])')]}{found[2]})"

    def whole(self, reference: str) -> list[str] | dict[str, str] | None:
        """The array or object that `x[*]` (or a bare `x`) stands for."""
        key = reference.removesuffix("[*]")
        return self.arrays[key] if key in self.arrays else self.objects.get(key)


def replace_text(text: str, values: Values) -> str:
    """`text` with all known references replaced."""
    if "$(" not in text:
        return text

    def one(found: re.Match[str]) -> str:
        known = values.text(normal(found[1]))
        return found[0] if known is None else known

    return REFERENCE.sub(one, text)


def replace(tree: Any, values: Values) -> Any:
    """A copy of the tree with references replaced.

    A list element that is nothing but a whole array becomes its elements; a text that is nothing but a whole array or
    object, and not in a list, becomes that array or object.
    """
    if isinstance(tree, str):
        if "$(" not in tree:
            return tree
        reference = isolated(tree)
        whole = values.whole(reference) if reference else None
        return replace_text(tree, values) if whole is None else whole
    if isinstance(tree, Mapping):
        return {key: replace(inner, values) for key, inner in tree.items()}
    if isinstance(tree, list):
        return [one for inner in tree for one in _element(inner, values)]
    return tree


def _element(inner: Any, values: Values) -> list[Any]:
    replaced = replace(inner, values)
    return replaced if isinstance(inner, str) and isinstance(replaced, list) else [replaced]
