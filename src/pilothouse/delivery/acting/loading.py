"""A pull request as it is now, with the rules that hold for it: from the forge, from git and from what is kept here.

OWNERS and the repository's settings are always those of the base branch. What defines jobs is that of the merge when
the author works here, else that of the base branch: a stranger's change is not tested by rules that it brings along.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pilothouse.delivery import chat, forges
from pilothouse.delivery.acting import settings as rules
from pilothouse.delivery.acting.depending import waits_for
from pilothouse.delivery.acting.mirror import Mirror, Mirrors
from pilothouse.delivery.acting.remembering import Remembered
from pilothouse.delivery.acting.settings import Settings, SettingsError, read_settings
from pilothouse.delivery.acting.store import DeliveryStore
from pilothouse.delivery.chat import model
from pilothouse.delivery.chat.generated import ATTRIBUTES, LISTED, Generated, generated, named_lists
from pilothouse.delivery.forges import Forge, MergeError
from pilothouse.delivery.owners import OwnersTree
from pilothouse.delivery.triggering import Config, Files, Occasion, is_configuration, read
from pilothouse.delivery.triggering.celling import CelError

_KEPT = 1_000
_PASSING_SECONDS = 20.0
_MOST_OWNERS = 100


@dataclass(frozen=True, slots=True)
class Rules:
    """What a commit's files say: owners, settings, jobs, and which files are generated."""

    owners: OwnersTree
    settings: Settings
    config: Config
    generated: Generated = field(default_factory=Generated)


@dataclass(frozen=True, slots=True)
class Loaded:
    """`revision` is the merge of the head onto the base branch's tip `base`; empty when it conflicts.

    `config` is where jobs are defined for it, `from_base` whether that is the base branch's.
    """

    raw: forges.PullRequest
    pull: chat.PullRequest
    policy: chat.Policy
    settings: Settings
    config: Config
    from_base: bool
    occasion: Occasion
    base: str
    revision: str
    conflict: str = ""


class Loading:
    """Reads pull requests of one forge."""

    def __init__(self, forge: Forge, mirrors: Mirrors, store: DeliveryStore) -> None:
        self.forge, self._mirrors, self._store = forge, mirrors, store
        self._lasting = Remembered(_KEPT)
        # What can be chosen from; who may do what is asked each time.
        self._passing = Remembered(_KEPT, _PASSING_SECONDS)

    def mirror(self, repository: str) -> Mirror:
        """The repository's git here."""
        return self._mirrors.of(self.forge.name, repository, self.forge.me)

    def branch(self, repository: str, branch: str) -> str:
        """The tip of a branch, fetched."""
        mirror = self.mirror(repository)
        mirror.fetch(self.forge.remote(repository), {f"refs/heads/{branch}": f"heads/{branch}"})
        return mirror.fetched(f"heads/{branch}")

    def rules(self, repository: str, commit: str) -> Rules:
        """What the files of a commit say. The commit has to be here."""
        return self._lasting.ask((repository, commit), lambda: self._rules(repository, commit))

    def _rules(self, repository: str, commit: str) -> Rules:
        mirror = self.mirror(repository)
        blobs = mirror.blobs(commit, is_rule)
        if LISTED in blobs:
            blobs |= mirror.blobs(commit, named_lists(mirror.contents({LISTED: blobs[LISTED]})).__contains__)
        # Nearly all commits say what the one before said: reading it again is most of the work on an event.
        return self._lasting.ask(
            (repository, "rules", tuple(blobs.items())), lambda: rules_of(mirror.contents(blobs), repository)
        )

    def load(self, repository: str, number: int, sender: str = "") -> Loaded:
        """One pull request; `sender` is whoever did something to it. Raises `ForgeError`."""
        with self.forge.at_once():
            return self._load(repository, number, sender)

    def _load(self, repository: str, number: int, sender: str) -> Loaded:
        forge, mirror = self.forge, self.mirror(repository)
        raw = forge.pull_request(repository, number)
        base, head = self._fetched(mirror, raw)
        revision, conflict = "", ""
        if raw.state == "open" and base:
            try:
                revision = mirror.merged(base, head)
            except MergeError as error:
                conflict = str(error)
        of_base = self.rules(repository, base or head)
        policy = self._policy(raw, of_base, {sender, raw.author})
        from_base = not policy.is_trusted(raw.author)
        config = of_base.config if from_base or not revision else self.rules(repository, revision).config
        # Between two commits lies the same each time, and a base that moves on changes nothing of it.
        since = (mirror.fork_point(base, head) if revision else "") or raw.base.sha
        files = self._lasting.ask((repository, number, since, head), lambda: forge.files(repository, number))
        occasion = occasion_of(raw, forge.repository(repository), files, base, revision)
        pull = self._pull(raw, files, mirror, base, head, conflict)
        if policy.store_tree_hash:
            pull = replace(pull, tree=mirror.files_of(head))
        if revision and any(is_owners(one.path) for one in files):
            pull = replace(pull, owners_problems=self._owners_problems(raw, files, of_base.owners, revision, policy))
        policy = replace(policy, jobs=tuple(jobs_of(config, occasion)))
        settings = self._protected(raw, of_base.settings)
        return Loaded(raw, pull, policy, settings, config, from_base, occasion, base, revision, conflict)

    def _protected(self, raw: forges.PullRequest, settings: Settings) -> Settings:
        """The settings, with the contexts that the forge's protected branch requires where they ask for these."""
        contexts = settings.merge.contexts
        if not contexts.from_protection or raw.state != "open":
            return settings
        repository, branch = raw.repository, raw.base.ref
        protected = self._passing.ask(
            (repository, "protected", branch), lambda: self.forge.required_contexts(repository, branch)
        )
        contexts = replace(contexts, required=contexts.required | protected)
        return replace(settings, merge=replace(settings.merge, contexts=contexts))

    def _fetched(self, mirror: Mirror, raw: forges.PullRequest) -> tuple[str, str]:
        """The tips of base and head, which are here afterwards."""
        base, head = raw.base.sha, raw.head.sha
        if raw.state == "open" or not (mirror.has(base) and mirror.has(head)):
            wanted = {self.forge.pull_ref(raw.number): f"pull/{raw.number}"} if not mirror.has(head) else {}
            if not mirror.has(base):
                wanted |= {f"refs/heads/{raw.base.ref}": f"heads/{raw.base.ref}"}
            mirror.fetch(self.forge.remote(raw.repository), wanted)
        return (base if mirror.has(base) else mirror.fetched(f"heads/{raw.base.ref}")), head

    def _policy(self, raw: forges.PullRequest, found: Rules, people: set[str]) -> chat.Policy:
        forge, repository = self.forge, raw.repository
        may = forge.collaborators(repository)
        owner = repository.rpartition("/")[0]
        return replace(
            chat.Policy(**found.settings.chat),
            bot=forge.me.login,
            collaborators=frozenset(login for login, permission in may.items() if permission in ("write", "admin")),
            admins=frozenset(login for login, permission in may.items() if permission == "admin"),
            members=frozenset(login for login in people if login and forge.is_member(owner, login)),
            labels=self._passing.ask((repository, "labels"), lambda: forge.labels(repository)),
            milestones=self._passing.ask((repository, "milestones"), lambda: forge.milestones(repository)),
            branches=self._passing.ask((repository, "branches"), lambda: frozenset(forge.branches(repository))),
            owners=found.owners,
            generated=found.generated,
        )  # fmt: skip

    def _pull(
        self, raw: forges.PullRequest, files: Iterable[forges.ChangedFile], mirror: Mirror, base: str, head: str,
        conflict: str,
    ) -> chat.PullRequest:  # fmt: skip
        forge, repository, number = self.forge, raw.repository, raw.number
        kept = self._store.pull(forge.name, repository, number)
        return chat.PullRequest(
            number, raw.author, raw.title, raw.body, raw.base.ref, head, raw.draft, raw.state, raw.labels,
            raw.assignees, raw.requested_reviewers, tuple(files), forge.statuses(repository, head),
            tuple(forge.comments(repository, number)), tuple(forge.reviews(repository, number)), bool(conflict),
            mirror.messages(base, head) if base else (), kept.trusted_head if kept else "",
            bool(base and mirror.merges(base, head)), base,
            waits_for(forge, raw) if raw.state == "open" and raw.body else (), "", kept.base if kept else "",
            milestone=raw.milestone,
        )  # fmt: skip

    def _owners_problems(
        self, raw: forges.PullRequest, files: Iterable[forges.ChangedFile], before: OwnersTree, revision: str,
        policy: chat.Policy,
    ) -> tuple[tuple[str, str], ...]:  # fmt: skip
        """What is wrong with the files of owners that it changes: they cannot be read, or name somebody anew who does
        not work here (kubernetes-sigs/prow, `pkg/plugins/verify-owners`).
        """
        changed = [one.path for one in files if is_owners(one.path) and one.change != "removed"]
        after = self.rules(raw.repository, revision).owners
        found = [(path, reason) for path, reason in after.broken if path in changed]
        if policy.skip_collaborators:
            return tuple(found)
        owner = raw.repository.rpartition("/")[0]
        for path in changed:
            new = sorted(after.named(path) - before.named(path))[:_MOST_OWNERS]
            strange = [one for one in new if not policy.is_trusted(one) and not self.forge.is_member(owner, one)]
            if strange:
                found.append((path, f"names {', '.join(strange)}, who does not work here"))
        return tuple(found)


def occasion_of(
    raw: forges.PullRequest,
    repository: forges.Repository,
    files: Iterable[forges.ChangedFile],
    base: str,
    revision: str,
) -> Occasion:
    """A pull request as triggers see it."""
    return Occasion(
        "pull_request", raw.repository, repository.url, revision or raw.head.sha, raw.head.sha, base, raw.base.ref,
        raw.head.ref, default_branch=repository.default_branch, sender=raw.author, title=raw.title, number=raw.number,
        labels=raw.labels, files=files_of(files),
    )  # fmt: skip


def files_of(files: Iterable[forges.ChangedFile]) -> Files:
    """Changed files by what happened to them."""
    by: dict[str, list[str]] = {"added": [], "modified": [], "removed": [], "renamed": []}
    for one in files:
        by[one.change].append(one.path)
    return Files(*(tuple(by[change]) for change in ("added", "modified", "removed", "renamed")))


def jobs_of(config: Config, occasion: Occasion) -> Iterable[model.Job]:
    """The presubmits as chat sees them for a pull request."""
    for definition in config.of("presubmit"):
        try:
            yield definition.job_for(occasion)
        except CelError:
            # It is said in the records why it does not run; it must not be forgotten that it should.
            yield replace(definition.job, always_run=True)


def rules_of(texts: Mapping[str, str], repository: str) -> Rules:
    """What files say, by path: those for which `is_rule` holds."""
    config = read({path: text for path, text in texts.items() if is_configuration(path)}, repository)
    try:
        settings = read_settings(texts.get(rules.PATH, ""))
    except SettingsError as error:
        settings = Settings(broken=str(error))
    owners = OwnersTree.read({path: text for path, text in texts.items() if is_owners(path)})
    return Rules(owners, settings, config, generated(texts))


def is_owners(path: str) -> bool:
    """Whether it is a file of owners, or of their aliases."""
    return path == "OWNERS_ALIASES" or path == "OWNERS" or path.endswith("/OWNERS")


def is_rule(path: str) -> bool:
    """Whether a file of a repository says something here."""
    return is_owners(path) or path in (rules.PATH, LISTED, ATTRIBUTES) or is_configuration(path)
