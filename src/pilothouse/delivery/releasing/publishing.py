"""What is to be seen of a release: its tag, the forge's page about it, the signed provenance, a mark."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from pilothouse.delivery.forges import ForgeError, Published
from pilothouse.delivery.projects import FILE, Project, ProjectError, read_project
from pilothouse.delivery.releasing.history import history
from pilothouse.delivery.releasing.release import Release, ReleaseError
from pilothouse.delivery.releasing.working_out import since_tag, worked_out
from pilothouse.delivery.versions import Version
from pilothouse.releases.mark import Mark

if TYPE_CHECKING:
    from pilothouse.delivery.forges import Forge
    from pilothouse.releases.store import MarkStore

log = structlog.get_logger(__name__)
Runs = Callable[[str], tuple[dict[str, Any], list[dict[str, Any]]] | None]
"""From a pipeline run's name to its object and its TaskRuns', or None."""
Tested = Callable[[Release], str]
"""From a release to the name of the pipeline run that tested its commit; empty when none did."""
_MOST_COMMENTS = _MOST_PULLS = 50


@dataclass(frozen=True, slots=True)
class Releasing:
    """Makes releases of repositories on a forge. `data` keeps the signing key and the provenance."""

    forge: Forge
    marks: MarkStore
    data: Path
    runs: Runs = lambda _: None
    tested: Tested = lambda _: ""

    def work_out(self, repository: str, commit: str = "", version: str = "") -> Release:
        """The release of a commit (default: the tip of the default branch), without making it.

        A commit that is released already gives the same release again; one that is a part of a later release is not
        released by itself unless `version` says as what. Raises `ReleaseError`, the forge's errors.
        """
        branch = self.forge.repository(repository).default_branch
        with history(self.forge.remote(repository), branch) as past:
            sha = past.commit(commit or f"refs/heads/{branch}")
            project = self.project(repository, sha)
            prefix = project.release.prefix
            here = [tag for tag in past.tagged(sha) if _version(tag, prefix)]
            tags = [tag for tag in past.tags(sha) if tag not in here]
            again = here[-1].removeprefix(prefix) if here else ""
            if not (again or version):
                _is_in_none(past.later(sha), prefix)
            since = past.between(since_tag(tags, prefix), sha)
            found = worked_out(repository, project.service, sha, tags, since, prefix, version or again)
        return replace(found, forge=self.forge.name)

    def publish(self, release: Release, run: str = "", by: str = "") -> Published:
        """Make it. May be repeated: tag, page and mark are the same again. Raises the forge's errors."""
        run = run or self.tested(release)
        title = f"{release.service} {release.version}"
        self.forge.create_tag(release.repository, release.tag, release.commit, f"{title}\n\n{release.changes}")
        told = Published(release.tag, title, release.changes, prerelease="-" in release.version)
        page = self.forge.publish(release.repository, told)
        self._attest(release, run)
        self.marks.keep(self._mark(release, page, run, by))
        self.tell(release, f"This is in {release.service} {release.version}.", key="released")
        return page

    def project(self, repository: str, ref: str = "") -> Project:
        """What the repository says about itself at a ref. Raises `ReleaseError` when that cannot be used."""
        from pilothouse.delivery.forges import MissingError

        try:
            text = self.forge.read_file(repository, FILE, ref).decode(errors="replace")
        except MissingError:
            text = ""
        try:
            return read_project(text, repository)
        except ProjectError as error:
            raise ReleaseError(f"{repository}: {FILE}: {error}") from None

    def provenance(self, repository: str, tag: str) -> Path:
        """Where the DSSE envelope of a release is kept."""
        return self.data / "provenance" / self.forge.name / repository / f"{tag.replace('/', '-')}.intoto.json"

    def _attest(self, release: Release, run: str) -> None:
        from pilothouse.delivery.pipelines.provenance import ProvenanceError, load_or_make
        from pilothouse.delivery.releasing.attesting import attestation, signed

        url = self.forge.remote(release.repository).url
        body, task_runs = (self.runs(run) if run else None) or (None, [])
        try:
            made = attestation(release, url, body, task_runs)
        except ProvenanceError as error:
            # The commit was green; that its run says too little of itself is no reason to release nothing.
            log.warning("provenance does not speak of the run", tag=release.tag, run=run, reason=str(error))
            made = attestation(release, url)
        path = self.provenance(release.repository, release.tag)
        path.parent.mkdir(parents=True, exist_ok=True)
        envelope = signed(made, load_or_make(self.data / "signing.pem"))
        path.write_text(json.dumps(envelope, indent=2) + "\n")

    def _mark(self, release: Release, page: Published, run: str, by: str) -> Mark:
        pulls = ", ".join(f"#{number}" for number in release.pulls[:_MOST_PULLS])
        words = [f"{release.repository} {release.tag}"]
        if pulls:
            words.append(f"pull requests {pulls}")
        if run:
            words.append(f"pipeline run {run}")
        url = page.url if page.url.startswith(("http://", "https://")) else ""
        asked = by or (f"pipeline {run}" if run else "release")
        known = [
            one for one in self.marks.all(release.service) if (one.version, one.environment) == (release.version, "")
        ]
        return Mark(
            release.service, release.version, known[0].at if known else time.time_ns(), by=asked, commit=release.commit,
            url=url, note="; ".join(words), forge=self.forge.name, repository=release.repository,
            pulls=release.pulls[:_MOST_PULLS], run=run, tag=release.tag,
        )  # fmt: skip

    def tell(self, release: Release, words: str, key: str) -> None:
        """Say something on each pull request of a release, once a key; what a forge refuses here stops nothing."""
        for number in release.pulls[-_MOST_COMMENTS:]:
            try:
                self.forge.add_comment(release.repository, number, words, key=key)
            except ForgeError:
                continue


def _is_in_none(later: list[str], prefix: str) -> None:
    released = next((tag for tag in later if _version(tag, prefix)), "")
    if released:
        raise ReleaseError(f"it is in {released} already; give a version to release it by itself")


def _version(tag: str, prefix: str) -> Version | None:
    return Version.parse(tag.removeprefix(prefix)) if tag.startswith(prefix) else None
