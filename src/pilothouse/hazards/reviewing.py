"""A review: what to look at, the rules over it, exceptions, baseline, telemetry; the whole of `pilothouse check`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse.hazards import baselines, excepting
from pilothouse.hazards.changing import check_change
from pilothouse.hazards.checking import Compiled, check_world
from pilothouse.hazards.embedded import corefile_object, unfold
from pilothouse.hazards.facts.world import World
from pilothouse.hazards.model import Finding, Rule, Severity
from pilothouse.hazards.spreading import check_spread, read_spread
from pilothouse.kube.objects import KubeObject
from pilothouse.kube.parsing import Problem
from pilothouse.kube.sources import Manifests

Progress = Callable[[str], None]


@dataclass(slots=True)
class Review:
    """All findings (excepted and known ones marked apart), what could not be read, and notes for the reader."""

    findings: list[Finding] = field(default_factory=list)
    excepted: list[Finding] = field(default_factory=list)
    known: list[Finding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    objects: list[KubeObject] = field(default_factory=list)
    files: int = 0
    kubernetes: str = ""
    live: bool = False
    seconds: float = 0.0

    def at_least(self, severity: Severity) -> list[Finding]:
        """The findings that are as severe or more."""
        return [finding for finding in self.findings if finding.severity >= severity]

    def source(self, finding: Finding) -> KubeObject | None:
        """The object that a finding is about, when it is one of those reviewed."""
        return self.objects[finding.source] if 0 <= finding.source < len(self.objects) else None


def review_files(
    paths: Sequence[str],
    rules: Sequence[Rule],
    kubernetes: str = "",
    values: Sequence[Path] = (),
    against: Sequence[KubeObject] | None = None,
    progress: Progress = lambda _: None,
) -> Review:
    """Review manifests; with `against`, also what changes from those objects to these."""
    started = time.monotonic()
    progress("reading manifests")
    corefiles = [path for path in paths if Path(path).name == "Corefile" and Path(path).is_file()]
    manifests = read_spread([path for path in paths if path not in corefiles], values, kubernetes)
    for path in corefiles:
        _add_corefile(manifests, Path(path))
    review = review_objects(manifests.objects, rules, kubernetes, False, against, progress)
    review.problems = manifests.problems + review.problems
    review.files = manifests.files
    review.seconds = time.monotonic() - started
    return review


def _add_corefile(manifests: Manifests, path: Path) -> None:
    try:
        manifests.objects.append(corefile_object(path))
        manifests.files += 1
    except (OSError, UnicodeDecodeError) as error:
        manifests.problems.append(Problem(str(path), 0, 0, str(error)))


def review_objects(
    objects: Sequence[KubeObject],
    rules: Sequence[Rule],
    kubernetes: str = "",
    live: bool = False,
    against: Sequence[KubeObject] | None = None,
    progress: Progress = lambda _: None,
) -> Review:
    """Review objects that are already here."""
    minor = float(kubernetes.partition(".")[2] or 0) if kubernetes else 0.0
    everything = [*objects, *unfold(objects)]
    compiled = Compiled(rules)
    world = World(everything, minor, live)
    progress(f"checking {len(everything)} objects with {len(rules)} rules")
    findings = check_spread(everything, compiled, world) + check_world(compiled, world)
    if against is not None:
        findings += check_change(against, everything, compiled, world)
    review = Review(findings, objects=everything, kubernetes=kubernetes, live=live)
    review.notes = [f"rule {name} could not be asked: {why}" for name, why in sorted(compiled.errors.items())]
    return review


def settle(review: Review, rules: Sequence[Rule], files: Sequence[Path] = (), baseline: Path | None = None) -> Review:
    """Take out what is excepted or known, order the rest; raises `ValueError` for files that cannot be used."""
    exceptions = [one for path in files for one in excepting.from_file(path, rules)]
    for one in review.objects:
        exceptions += excepting.of_object(one, rules)
    review.notes += excepting.decide(review.findings, exceptions, asked={rule.id for rule in rules})
    known = baselines.read(baseline) if baseline else set()
    review.excepted = [one for one in review.findings if one.excepted]
    review.known = [one for one in review.findings if not one.excepted and known and one.fingerprint in known]
    rest = [one for one in review.findings if not one.excepted and not (known and one.fingerprint in known)]
    review.findings = sorted(
        rest, key=lambda one: (-one.severity, one.rule.id, one.place.file, one.place.line, str(one.subject))
    )
    return review
