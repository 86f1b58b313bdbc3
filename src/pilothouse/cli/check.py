"""`pilothouse check`: hazards in manifests, in a change, in a live cluster."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilothouse.hazards.model import Rule, Severity
    from pilothouse.hazards.reviewing import Review
    from pilothouse.kube import KubeObject

NONE, FOUND, BAD_INPUT = 0, 1, 2
_EPILOG = """Examples:

  pilothouse check deploy/                            manifests, charts and kustomizations below a directory

  helm template . | pilothouse check -                what comes on stdin

  pilothouse check deploy/ --against main             what a change brings (a revision of git, or a directory)

  pilothouse check --cluster --prometheus URL         a live cluster, with telemetry to say what hurts

  pilothouse check --explain DNS-001                  a rule: why, what to do, where it is from

Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 something could not be read."""

_PATHS = typer.Argument(metavar="PATH...", help="Files, directories, or - for stdin.")
_CLUSTER = typer.Option("--cluster", help="Check the live cluster of the kubeconfig.")
_CONTEXT = typer.Option("--context", help="Context of the kubeconfig.")
_NAMESPACE = typer.Option("--namespace", "-n", help="Only this namespace of the cluster.")
_KUBERNETES = typer.Option("--kubernetes-version", "-k", metavar="1.N", help="Target version.")
_KUBELETS = typer.Option("--kubelets", help="Read the kubelets' configuration too (wants nodes/proxy).")
_AGAINST = typer.Option("--against", metavar="REV|DIR", help="What was before: a git revision or a directory.")
_VALUES = typer.Option("--values", "-f", help="Value file for Helm charts.")
_PROMETHEUS = typer.Option("--prometheus", metavar="URL", help="Prometheus, or a Pilothouse with /prometheus.")
_RULES = typer.Option("--rules", metavar="FILE", help="Rules of your own.")
_ONLY = typer.Option("--only", metavar="RULE", help="Only these rules or families.")
_EXCEPTIONS = typer.Option("--exceptions", metavar="FILE", help="Exceptions, or popeye's spinach.yaml.")
_BASELINE = typer.Option("--baseline", metavar="FILE", help="Only what is not in this baseline.")
_WRITE_BASELINE = typer.Option("--write-baseline", metavar="FILE", help="Write what is found, and end.")
_FAIL_ON = typer.Option("--fail-on", help="critical, high, medium, low, info or never.")
_LEAST = typer.Option("--show", help="Least severity that is shown.")
_FIX = typer.Option("--fix", help="Apply the fixes that are safe, comments kept.")
_EXPLAIN = typer.Option("--explain", metavar="RULE", help="Explain a rule.")
_OUTPUT = typer.Option("--output", "-o", help="text, json, sarif, junit, github, markdown or html.")
_EVERY = typer.Option("--all", help="Every place, not three of each cause.")
_ROLE = typer.Option("--role", help="Print the ClusterRole that --cluster needs.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check", epilog=_EPILOG)(check)


def check(
    paths: Annotated[list[str] | None, _PATHS] = None,
    cluster: Annotated[bool, _CLUSTER] = False,
    context: Annotated[str, _CONTEXT] = "",
    namespace: Annotated[str, _NAMESPACE] = "",
    kubernetes: Annotated[str, _KUBERNETES] = "",
    kubelets: Annotated[bool, _KUBELETS] = False,
    against: Annotated[str, _AGAINST] = "",
    values: Annotated[list[Path] | None, _VALUES] = None,
    prometheus: Annotated[str, _PROMETHEUS] = "",
    rules: Annotated[list[Path] | None, _RULES] = None,
    only: Annotated[list[str] | None, _ONLY] = None,
    exceptions: Annotated[list[Path] | None, _EXCEPTIONS] = None,
    baseline: Annotated[Path | None, _BASELINE] = None,
    write_baseline: Annotated[Path | None, _WRITE_BASELINE] = None,
    fail_on: Annotated[str, _FAIL_ON] = "high",
    least: Annotated[str, _LEAST] = "low",
    fix: Annotated[bool, _FIX] = False,
    explain: Annotated[str, _EXPLAIN] = "",
    output: Annotated[str, _OUTPUT] = "text",
    every: Annotated[bool, _EVERY] = False,
    role: Annotated[bool, _ROLE] = False,
) -> None:
    """Find the known ways to get hurt: in manifests, in a change, in a live cluster, and in its telemetry."""
    from pilothouse.hazards.loading import RuleError, all_rules
    from pilothouse.hazards.outputs import FORMATS

    if role:
        from pilothouse.hazards.gathering import role as written

        typer.echo(written(), nl=False)
        return
    if output not in FORMATS:
        _fail(f"--output: {output!r} is not one of {', '.join(FORMATS)}")
    threshold, shown = _severity("--fail-on", fail_on), _severity("--show", least)
    try:
        known = all_rules(rules or ())
    except RuleError as error:
        _fail(str(error))
    if explain:
        _explain(explain, known)
        return
    chosen = _chosen(known, only or [])
    if not paths and not cluster:
        _fail("say what to check: files, directories, - for stdin, or --cluster; --help has examples")
    # A short process that keeps all it reads: looking for cycles costs a part of its time and finds nothing.
    gc.disable()
    review = _review(
        paths or [], cluster, context, namespace, kubelets, _version(kubernetes), against, values or [], chosen
    )
    _telemetry(review, chosen, prometheus)
    _settle(review, chosen, exceptions or [], baseline)
    if write_baseline:
        from pilothouse.hazards import baselines

        typer.echo(f"wrote {baselines.write(write_baseline, review.findings)} findings to {write_baseline}", err=True)
        return
    if fix:
        _fix(review)
    code = BAD_INPUT if review.problems else FOUND if threshold is not None and review.at_least(threshold) else NONE
    review.findings = review.at_least(shown) if shown is not None else []
    _write(review, output, every)
    raise typer.Exit(code)


def _review(
    paths: Sequence[str], cluster: bool, context: str, namespace: str, kubelets: bool, kubernetes: str, against: str,
    values: Sequence[Path], rules: Sequence[Rule],
) -> Review:  # fmt: skip
    from pilothouse.hazards.reviewing import review_files, review_objects

    with _Progress() as progress:
        if cluster:
            from pilothouse.hazards.gathering import gather
            from pilothouse.hazards.gathering import kubelets as configurations
            from pilothouse.kube import Cluster, KubeError

            try:
                with Cluster.connect(context) as found:
                    version = kubernetes or found.version()
                    objects, problems = gather(found, namespace, progress)
                    if kubelets:
                        more, refused = configurations(found, [one for one in objects if one.kind == "Node"])
                        objects, problems = objects + more, problems + refused
            except KubeError as error:
                _fail(str(error))
            review = review_objects(objects, rules, version, live=True, progress=progress)
            review.problems = problems
            return review
        before = _before(against, paths, values, kubernetes) if against else None
        return review_files(paths, rules, kubernetes, values, before, progress)


def _before(against: str, paths: Sequence[str], values: Sequence[Path], kubernetes: str) -> list[KubeObject]:
    """The objects as they were: of a directory, or of the same paths at a revision of git."""
    from pilothouse.hazards.revisions import RevisionError, at_revision
    from pilothouse.kube import read

    if Path(against).is_dir():
        return read([against], values, kubernetes).objects
    try:
        with at_revision(against, paths) as there:
            return read(there, values, kubernetes).objects
    except RevisionError as error:
        _fail(f"--against: {error}")


def _telemetry(review: Review, rules: Sequence[Rule], url: str) -> None:
    if not url:
        return
    from pilothouse.hazards.judging import judge
    from pilothouse.hazards.telemetry import Prometheus, TelemetryError

    source = Prometheus(url)
    try:
        with _Progress() as progress:
            judged = judge(review.findings, rules, source, progress)
    except TelemetryError as error:
        _fail(str(error))
    finally:
        source.close()
    review.findings += judged.findings
    review.notes += judged.notes


def _settle(review: Review, rules: Sequence[Rule], exceptions: Sequence[Path], baseline: Path | None) -> None:
    from pilothouse.hazards.reviewing import settle

    try:
        settle(review, rules, exceptions, baseline)
    except ValueError as error:
        _fail(str(error))


def _fix(review: Review) -> None:
    from pilothouse.hazards import fixing

    pairs = [(source, one) for one in review.findings if (source := review.source(one))]
    fixed = fixing.apply(pairs)
    for file, count in fixed.files.items():
        typer.echo(f"{file}: {count} fixed", err=True)
    for left in fixed.left:
        typer.echo(f"not fixed: {left}", err=True)
    if fixed.files:
        done = {id(one) for source, one in pairs if one.rule.safe and source.file in fixed.files}
        review.findings = [one for one in review.findings if id(one) not in done]


def _write(review: Review, output: str, every: bool) -> None:
    from pilothouse.hazards.outputs import writer

    if output == "text":
        from rich.console import Console

        from pilothouse.hazards.outputs.text import show

        show(review, Console(soft_wrap=True, highlight=False), every)
        return
    sys.stdout.write(writer(output)(review))
    sys.stdout.flush()


def _explain(name: str, rules: Sequence[Rule]) -> None:
    from rich.console import Console

    from pilothouse.hazards.outputs.explaining import explanation

    found = next((rule for rule in rules if rule.id.lower() == name.lower() or name in rule.aliases), None)
    if found is None:
        near = [rule.id for rule in rules if rule.id.startswith(name.upper()[:3])]
        _fail(f"there is no rule {name}" + (f"; there are {', '.join(near[:12])}" if near else ""))
    Console(soft_wrap=False, highlight=False).print(explanation(found))


def _chosen(rules: Sequence[Rule], only: Sequence[str]) -> list[Rule]:
    if not only:
        return list(rules)
    wanted = {part.strip() for text in only for part in text.split(",")}
    unknown = wanted - {rule.id for rule in rules} - {rule.family for rule in rules}
    if unknown:
        families = sorted({rule.family for rule in rules})
        _fail(f"--only: no rule or family {', '.join(sorted(unknown))}; families: {', '.join(families)}")
    return [rule for rule in rules if rule.id in wanted or rule.family in wanted]


def _severity(option: str, text: str) -> Severity | None:
    from pilothouse.hazards.model import Severity

    if text.lower() == "never":
        return None
    try:
        return Severity.of(text)
    except KeyError:
        _fail(f"{option}: {text!r} is not critical, high, medium, low, info or never")


def _version(text: str) -> str:
    from pilothouse.kube.schemas import versions

    if not text:
        return ""
    plain = ".".join(text.removeprefix("v").split(".")[:2])
    if plain not in versions():
        _fail(f"--kubernetes-version: {text} is not known; there are {versions()[0]} to {versions()[-1]}")
    return plain


def _fail(message: str) -> NoReturn:
    typer.echo(f"pilothouse: {message}", err=True)
    raise typer.Exit(BAD_INPUT)


class _Progress:
    """What is being done, on a terminal's last line; nothing elsewhere."""

    def __enter__(self) -> Callable[[str], None]:
        from rich.console import Console

        console = Console(stderr=True)
        self._status = console.status("starting") if console.is_terminal else None
        if self._status is None:
            return lambda _: None
        self._status.start()
        return self._status.update

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()
