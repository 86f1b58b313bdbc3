"""The hazards of a pull request's Kubernetes manifests: one comment that is kept up to date, and a status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import structlog

from pilothouse.delivery.forges import (
    ChangedFile,
    ConflictError,
    Event,
    Forge,
    InvalidError,
    LineComment,
    MissingError,
    PullRequest,
    Status,
    added_lines,
)

if TYPE_CHECKING:
    from pilothouse.delivery.environments.hazardous import Hazards
    from pilothouse.kube import KubeObject

log = structlog.get_logger(__name__)
CONTEXT = "hazards"
_KEY = "hazards"
_LOOKED_AT = ("opened", "synchronize", "reopened")
_MOST_FILES, _LARGEST = 300, 1_000_000
# Helm's templates are not YAML before they are rendered.
_NOT_MANIFESTS = ("/templates/", "/.tekton/", "/.github/", "/.pilothouse")


class ManifestCheck:
    """Looks at what a pull request changes, and only at that. Nothing of it is run or rendered."""

    def __init__(self, forges: Mapping[str, Forge]) -> None:
        self._forges = forges

    def heard(self, event: Event) -> None:
        """Check a pull request that was opened or got commits. Raises the forge's errors."""
        forge = self._forges.get(event.forge)
        if forge is None or event.kind != "pull_request" or event.action not in _LOOKED_AT:
            return
        pull = forge.pull_request(event.repository, event.number)
        files = forge.files(event.repository, event.number)
        paths = _manifests(file.path for file in files)
        if pull.state != "open" or not paths:
            return
        found = self._found(forge, event.repository, pull, paths)
        state: Status = Status("failure" if found.blocking() else "success", found.summary, CONTEXT)
        forge.set_status(event.repository, pull.head.sha, state)
        if found.new or self._spoke_before(forge, event):
            words = f"### Hazards of the manifests in this change\n\n{found.markdown()}\n"
            forge.add_comment(event.repository, event.number, words, key=_KEY)
            self._on_lines(forge, event, pull, found, files)

    def _on_lines(
        self, forge: Forge, event: Event, pull: PullRequest, found: Hazards, files: Iterable[ChangedFile]
    ) -> None:
        """What the rules find on lines that the change adds is said there too."""
        places = found.on_lines()
        named = {path for path, _, _ in places}
        added = {one.path: _added(forge, event.repository, pull, one) for one in files if one.path in named}
        said = [LineComment(path, line, words) for path, line, words in places if line in added.get(path, ())]
        try:
            forge.add_line_comments(event.repository, event.number, pull.head.sha, said)
        except (ConflictError, InvalidError) as error:
            # The head moved on meanwhile, or the forge does not show that line: the comment says it all the same.
            log.info("hazards are not said on their lines", pull=f"{event.repository}#{event.number}", why=str(error))

    def _found(self, forge: Forge, repository: str, pull: PullRequest, paths: list[str]) -> Hazards:
        from pilothouse.delivery.environments.hazardous import hazards_of
        from pilothouse.kube import parse

        def objects(ref: str) -> list[KubeObject]:
            return [one for path in paths for one in parse(_text(forge, repository, path, ref), path).objects]

        return hazards_of(objects(pull.base.sha), objects(pull.head.sha))

    def _spoke_before(self, forge: Forge, event: Event) -> bool:
        said = forge.comments(event.repository, event.number)
        return any(one.author == forge.me.login and "### Hazards of the manifests" in one.body for one in said)


def _added(forge: Forge, repository: str, pull: PullRequest, file: ChangedFile) -> frozenset[int]:
    """The lines that the change adds to a file. Forgejo and Gitea tell files without their hunks: they are compared."""
    if file.patch:
        return added_lines(file.patch)
    from difflib import unified_diff

    before, after = (_text(forge, repository, file.path, ref).splitlines() for ref in (pull.base.sha, pull.head.sha))
    return added_lines("\n".join(unified_diff(before, after, n=0, lineterm="")))


def _manifests(paths: Iterable[str]) -> list[str]:
    yaml = (path for path in paths if path.endswith((".yaml", ".yml")))
    return [path for path in yaml if not any(part in f"/{path}" for part in _NOT_MANIFESTS)][:_MOST_FILES]


def _text(forge: Forge, repository: str, path: str, ref: str) -> str:
    try:
        found = forge.read_file(repository, path, ref)
    except MissingError:
        return ""
    return found.decode(errors="replace") if len(found) <= _LARGEST else ""
