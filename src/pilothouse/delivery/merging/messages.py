"""What the commit of a merge says: by the method, or by the repository's template.

Source: kubernetes-sigs/prow, `pkg/config/tide.go` (`TideMergeCommitTemplate`) and `pkg/tide/codereview.go`. Its
templates are Go's; what they are used for is to put fields of the pull request into a text: that is taken here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pilothouse.delivery.forges.model import MergeMethod, PullRequest

_FIELD = re.compile(r"\{\{-?\s*\.([A-Za-z]+(?:\.[A-Za-z]+)*)\s*-?\}\}")
_FIELDS = {
    "Number": "number", "Title": "title", "Body": "body", "AuthorLogin": "author", "Author.Login": "author",
    "HeadRefName": "head_ref", "HeadRefOID": "head", "BaseRefName": "base_ref", "BaseRef.Name": "base_ref",
    "Org": "owner", "Repo": "name", "Repository.Owner.Login": "owner", "Repository.Name": "name",
}  # fmt: skip


class TemplateError(ValueError):
    """A template that asks for more than fields of the pull request; the message says which there are."""


@dataclass(frozen=True, slots=True)
class CommitTemplate:
    """Texts with fields as `{{ .Title }}`; an empty one leaves what is usual."""

    title: str = ""
    body: str = ""

    def __post_init__(self) -> None:
        for text in (self.title, self.body):
            for name in _FIELD.findall(text):
                if name not in _FIELDS:
                    raise TemplateError(f"there is no field .{name}; there are .{', .'.join(_FIELDS)}")
            if rest := re.search(r"\{\{.{0,40}", _FIELD.sub("", text)):
                raise TemplateError(f"{rest[0]!r}: only fields can be asked for, as {{{{ .Title }}}}")

    def message(self, pull: PullRequest, method: MergeMethod) -> str:
        """What the commit says. The fields are put in once: a title that looks like a field stays what it is."""
        usual = f"{pull.title} (#{pull.number})" if method == "squash" else f"Merge #{pull.number}: {pull.title}"
        first = " ".join(_filled(self.title, pull).split()) if self.title else usual
        body = _filled(self.body, pull) if self.body else pull.body
        return "\n\n".join(part for part in (first, body.strip()) if part) + "\n"


def _filled(template: str, pull: PullRequest) -> str:
    owner, _, name = pull.repository.rpartition("/")
    values = {
        "number": str(pull.number), "title": pull.title, "body": pull.body, "author": pull.author,
        "head_ref": pull.head.ref, "head": pull.head.sha, "base_ref": pull.base.ref, "owner": owner, "name": name,
    }  # fmt: skip
    return _FIELD.sub(lambda found: values[_FIELDS[found[1]]], template)
