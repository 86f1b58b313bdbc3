"""The hazards of a pull request's Kubernetes manifests: one comment that is kept up to date, and a status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import structlog

from pilothouse.delivery.forges import Event, Forge, MissingError, PullRequest, Status

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
        paths = _manifests(file.path for file in forge.files(event.repository, event.number))
        if pull.state != "open" or not paths:
            return
        found = self._found(forge, event.repository, pull, paths)
        state: Status = Status("failure" if found.blocking() else "success", found.summary, CONTEXT)
        forge.set_status(event.repository, pull.head.sha, state)
        if found.new or self._spoke_before(forge, event):
            words = f"### Hazards of the manifests in this change\n\n{found.markdown()}\n"
            forge.add_comment(event.repository, event.number, words, key=_KEY)

    def _found(self, forge: Forge, repository: str, pull: PullRequest, paths: list[str]) -> Hazards:
        from pilothouse.delivery.environments.hazardous import hazards_of
        from pilothouse.kube import parse

        def objects(ref: str) -> list[KubeObject]:
            return [one for path in paths for one in parse(_text(forge, repository, path, ref), path).objects]

        return hazards_of(objects(pull.base.sha), objects(pull.head.sha))

    def _spoke_before(self, forge: Forge, event: Event) -> bool:
        said = forge.comments(event.repository, event.number)
        return any(one.author == forge.me.login and "### Hazards of the manifests" in one.body for one in said)


def _manifests(paths: Iterable[str]) -> list[str]:
    yaml = (path for path in paths if path.endswith((".yaml", ".yml")))
    return [path for path in yaml if not any(part in f"/{path}" for part in _NOT_MANIFESTS)][:_MOST_FILES]


def _text(forge: Forge, repository: str, path: str, ref: str) -> str:
    try:
        found = forge.read_file(repository, path, ref)
    except MissingError:
        return ""
    return found.decode(errors="replace") if len(found) <= _LARGEST else ""
