"""`{{ revision }}` and its kin in a run's texts: replaced in values, and in scripts only what cannot end a word there.

Pipelines-as-Code replaces them in the YAML's text before it is read, so that a title can become YAML or shell. Here the
YAML is read first; a value stays a value, and one that a stranger chose does not become part of a script.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pilothouse.delivery.triggering import celling
from pilothouse.delivery.triggering.occasion import Occasion

_FORM = re.compile(r"\{\{\s*(.+?)\s*\}\}", re.DOTALL)
_HEADER = re.compile(r"headers\[\s*['\"]?([\w-]+)['\"]?\s*\]")
# Letters that mean nothing to a shell, wherever they stand.
_HARMLESS = re.compile(r"[\w./:@%+=,-]*", re.ASCII)
_SHELL_FLAGS = frozenset({"-c", "-ec", "-e", "-lc", "-xc", "-exc"})
# What only people with write access, or the forge, choose.
_CHOSEN_HERE = frozenset(
    {"repo_owner", "repo_name", "repo_url", "target_url", "revision", "head_revision", "base_revision", "target_branch",
     "event", "event_type", "pull_request_number", "git_auth_secret", "git_tag"}
)  # fmt: skip


class UntrustedError(Exception):
    """A text from outside would become part of a script; the message says which, where, and what to write instead."""


def values(occasion: Occasion) -> dict[str, str]:
    """The variables of an occasion by name."""
    found = {
        "repo_owner": occasion.owner, "repo_name": occasion.name, "repo_url": occasion.url,
        "target_url": occasion.url, "source_url": occasion.source_url or occasion.url,
        "revision": occasion.revision, "head_revision": occasion.head, "base_revision": occasion.base,
        "sender": occasion.sender, "source_branch": occasion.source_branch or occasion.target_branch,
        "target_branch": occasion.target_branch, "event": occasion.event, "event_type": occasion.event,
        "event_title": occasion.title, "trigger_comment": occasion.comment, "git_tag": occasion.tag,
        "git_auth_secret": f"pac-gitauth-{occasion.name}",
    }  # fmt: skip
    if occasion.number:
        found |= {
            "pull_request_number": str(occasion.number),
            "pull_request_labels": "\n".join(sorted(occasion.labels)),
        }
    return found


def replaced(tree: Any, occasion: Occasion) -> tuple[Any, frozenset[str]]:
    """A copy of an object with its variables replaced, and the values from outside that are now in it.

    Only those are named that could do harm in a script. Raises `UntrustedError`, `CelError`.
    """
    work = _Replacing(occasion)
    return work.tree(tree, "", code=False), frozenset(work.foreign)


def harmless(text: str) -> bool:
    """Whether a text means nothing but itself to a shell."""
    return bool(_HARMLESS.fullmatch(text))


class _Replacing:
    """Walks one object; `foreign` gathers the values from outside."""

    def __init__(self, occasion: Occasion) -> None:
        self._occasion, self._known = occasion, values(occasion)
        self.foreign: set[str] = set()

    def tree(self, tree: Any, path: str, *, code: bool) -> Any:
        """A copy of a part of the object; `code` says that its texts are run."""
        if isinstance(tree, str):
            return self._text(tree, path, code=code) if "{{" in tree else tree
        if isinstance(tree, dict):
            shell = _is_shell(tree)
            return {
                key: self.tree(inner, f"{path}.{key}" if path else str(key),
                               code=code or key == "script" or (shell and key in ("command", "args")))
                for key, inner in tree.items()
            }  # fmt: skip
        if isinstance(tree, list):
            return [self.tree(inner, f"{path}[{index}]", code=code) for index, inner in enumerate(tree)]
        return tree

    def _text(self, text: str, path: str, *, code: bool) -> str:
        def one(found: re.Match[str]) -> str:
            value = _value(found[1], self._known, self._occasion)
            if value is None:
                return found[0]
            if found[1] not in _CHOSEN_HERE and not harmless(value):
                if code:
                    raise UntrustedError(
                        f"{path}: {found[0]} is {_short(value)}, which somebody outside chose and a script would run; "
                        f'hand it over as a variable, env: [{{name: VALUE, value: "{found[0]}"}}], and write "$VALUE" '
                        "in the script"
                    )
                self.foreign.add(value)
            return value

        return _FORM.sub(one, text)


def _is_shell(step: dict[str, Any]) -> bool:
    """Whether a step's words are handed to an interpreter."""
    words = [word for field in ("command", "args") if isinstance(step.get(field), list) for word in step[field]]
    return any(str(word) in _SHELL_FLAGS for word in words)


def _value(name: str, known: dict[str, str], occasion: Occasion) -> str | None:
    """A variable's value, or None where there is no such thing: the text then stays as it is."""
    if name in known:
        return known[name]
    if name.startswith("cel:"):
        return _written(celling.evaluate(name.removeprefix("cel:").strip(), occasion))
    if header := _HEADER.fullmatch(name):
        return {key.lower(): value for key, value in occasion.headers.items()}.get(header[1].lower())
    if name.startswith("files."):
        paths = getattr(occasion.files, name.removeprefix("files."), None)
        return json.dumps(list(paths)) if isinstance(paths, tuple) else None
    if name.startswith("body."):
        found: Any = dict(occasion.body)
        for part in name.split(".")[1:]:
            if not isinstance(found, dict) or part not in found:
                return None
            found = found[part]
        return _written(found)
    return None


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
