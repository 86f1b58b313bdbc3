"""`pilothouse pipeline`: tkn's words for runs on this machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from pilothouse.cli.client import fail, print_lines, wants_json
from pilothouse.cli.run import Data, Database, Executor, Images, Params, Workspaces, perform, show_plan

if TYPE_CHECKING:
    from pilothouse.delivery.pipelines.state.store import RunStore

Answer = TypeVar("Answer")
app = typer.Typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
Run = Annotated[str, typer.Argument(help="A run's name or UID; the last one when left out.", show_default=False)]
Format = Annotated[str | None, typer.Option("--output", "-o", metavar="FORMAT", help="table or json; json when piped.")]


@app.command("start", epilog="Example: pilothouse pipeline start build -p version=1.2 -w name=source,path=. --showlog")
def start(
    name: Annotated[str, typer.Argument(help="The Pipeline.", show_default=False)],
    param: Params = None,
    workspace: Workspaces = None,
    filename: Annotated[
        list[Path] | None, typer.Option("--filename", "-f", help="Where it is.", show_default=".tekton, tekton")
    ] = None,
    showlog: Annotated[
        bool, typer.Option("--showlog", help="Show the output, and end with the run's exit code.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run.")] = False,
    prefix_name: Annotated[str, typer.Option("--prefix-name", help="How the run's name begins.")] = "",
    label: Annotated[
        list[str] | None, typer.Option("--labels", "-l", metavar="KEY=VALUE", help="A label for the run.")
    ] = None,
    run_name: Annotated[
        str, typer.Option("--name", help="The run's name.", show_default="NAME-run- and five letters")
    ] = "",
    timeout: Annotated[str, typer.Option("--pipeline-timeout", metavar="DURATION", help="For the whole run.")] = "",
    executor: Executor = "process",
    image: Images = None,
    data: Data = None,
    database: Database = "",
) -> None:
    """Start a Pipeline. Without --showlog it goes on by itself; see `pilothouse pipeline logs -f`."""
    from pilothouse.delivery.pipelines.asking import Ask, data_directory
    from pilothouse.delivery.pipelines.local import Where
    from pilothouse.delivery.pipelines.naming import generated

    run_name = run_name or generated(f"{prefix_name or name + '-run'}-")
    ask = Ask(filename or [], f"Pipeline/{name}", param or [], workspace or [], label or [], timeout, run_name)
    if dry_run:
        show_plan(ask, "text")
        return
    where = Where(data_directory(data), database, executor, image or [])
    if showlog:
        perform(ask, where, quiet=False, output="text")
    from pilothouse.delivery.pipelines.detaching import detach
    from pilothouse.delivery.pipelines.errors import PipelineError

    try:
        detach(ask, where)
    except PipelineError as error:
        fail(str(error))
    typer.echo(f"PipelineRun started: {run_name}\n\nFollow it with: pilothouse pipeline logs {run_name} -f")


@app.command("list", epilog="Example: pilothouse pipeline list --limit 10")
def list_runs(
    pipeline: Annotated[str, typer.Argument(help="Only runs of this pipeline.", show_default=False)] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 20,
    output: Format = None,
    data: Data = None,
    database: Database = "",
) -> None:
    """The runs, newest first."""
    from pilothouse.delivery.pipelines import listing

    as_json = wants_json(output)
    rows = _asked(data, database, lambda store: listing.rows(store, pipeline, limit))
    if as_json:
        print_lines(rows)
    else:
        sys.stdout.write(listing.table(rows) + "\n")


@app.command("logs", epilog="Example: pilothouse pipeline logs build-run-x7k2p -f --task test")
def logs(
    run: Run = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until the run ends.")] = False,
    task: Annotated[str, typer.Option("--task", "-t", help="Only this task.")] = "",
    step: Annotated[str, typer.Option("--step", "-s", help="Only this step.")] = "",
    data: Data = None,
    database: Database = "",
) -> None:
    """The output of a run's steps."""
    from pilothouse.delivery.pipelines import listing
    from pilothouse.delivery.pipelines.asking import data_directory

    def show(store: RunStore) -> None:
        for line in listing.log_lines(store, data_directory(data) / "pipelines", run, task, step, follow=follow):
            sys.stdout.write(line)
            sys.stdout.flush()

    try:
        _asked(data, database, show)
    except (BrokenPipeError, KeyboardInterrupt):
        raise typer.Exit(0) from None


@app.command("describe", epilog="Example: pilothouse pipeline describe build-run-x7k2p --output yaml")
def describe(
    run: Run = "",
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="text, json or yaml.")] = "text",
    data: Data = None,
    database: Database = "",
) -> None:
    """A run with its tasks, results and times; as YAML it is what `kubectl get -o yaml` would show."""
    from pilothouse.delivery.pipelines import listing

    body, task_runs = _asked(data, database, lambda store: listing.described(store, run))
    if output == "json":
        sys.stdout.write(json.dumps({**body, "taskRuns": task_runs}, ensure_ascii=False) + "\n")
    elif output == "yaml":
        import yaml

        sys.stdout.write(yaml.safe_dump_all([body, *task_runs], sort_keys=False, allow_unicode=True))
    else:
        from pilothouse.delivery.pipelines.terminal import Terminal

        sys.stdout.write(Terminal().tree(body, task_runs) + "\n")


@app.command("cancel", epilog="Example: pilothouse pipeline cancel build-run-x7k2p --grace CancelledRunFinally")
def cancel(
    run: Run = "",
    grace: Annotated[
        str, typer.Option("--grace", help="CancelledRunFinally or StoppedRunFinally: with its finally tasks.")
    ] = "Cancelled",
    data: Data = None,
    database: Database = "",
) -> None:
    """End a run that is going on."""
    from pilothouse.delivery.pipelines import listing

    name = _asked(data, database, lambda store: listing.cancel(store, run, grace))
    typer.echo(f"PipelineRun cancelled: {name}")


@app.command("resume", epilog="Example: pilothouse pipeline resume build-run-x7k2p")
def resume(
    run: Run = "", executor: Executor = "process", image: Images = None, data: Data = None, database: Database = ""
) -> None:
    """Run again what failed; what succeeded keeps its results."""
    from pilothouse.delivery.pipelines.asking import data_directory
    from pilothouse.delivery.pipelines.errors import PipelineError
    from pilothouse.delivery.pipelines.local import Where, objects, resume_run
    from pilothouse.delivery.pipelines.terminal import Terminal

    terminal = Terminal()
    where = Where(data_directory(data), database, executor, image or [], listeners=[terminal])
    try:
        found = resume_run(run, where)
    except PipelineError as error:
        fail(str(error))
    sys.stdout.write(terminal.tree(found.to_object(), objects(found)) + "\n")
    raise typer.Exit(0 if found.condition.succeeded else 1)


@app.command("recover", epilog="Example: pilothouse pipeline recover --executor sandbox")
def recover(executor: Executor = "process", data: Data = None, database: Database = "") -> None:
    """Take up runs whose process was killed: what had ended is kept, what ran is marked."""
    from pilothouse.delivery.pipelines.asking import data_directory
    from pilothouse.delivery.pipelines.errors import PipelineError
    from pilothouse.delivery.pipelines.local import Where, recover_runs

    try:
        found = recover_runs(Where(data_directory(data), database, executor))
    except PipelineError as error:
        fail(str(error))
    for name, reason in found:
        typer.echo(f"{name}: {reason}")


@app.command("lint", epilog="Example: pilothouse pipeline lint .tekton --output json")
def lint(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files or directories.", show_default=".tekton, tekton")
    ] = None,
    output: Format = None,
) -> None:
    """Errors as Tekton's admission finds them, texts of strangers in scripts, and what a cluster would refuse.

    Exit code: 0 nothing worse than a warning, 1 errors, 3 cannot be read.
    """
    from pilothouse.delivery.pipelines import asking, checking
    from pilothouse.delivery.pipelines.errors import PipelineError
    from pilothouse.delivery.pipelines.linting import Finding
    from pilothouse.delivery.pipelines.linting import lint as findings

    try:
        documents = asking.documents(files or [])
    except PipelineError as error:
        fail(str(error))
    found = [
        Finding("admission", "error", one.title, ", ".join(error.paths), error.message, error.details)
        for one in documents
        for error in checking.check(one)
    ]
    found += findings(documents)
    if wants_json(output):
        print_lines([one.to_json() for one in found])
    for one in found if not wants_json(output) else ():
        sys.stdout.write(f"{one.severity}: {one.document}: {one.path}: {one.message} [{one.rule}]\n")
        sys.stdout.write(f"    {one.advice}\n" if one.advice else "")
    raise typer.Exit(1 if any(one.severity == "error" for one in found) else 0)


@app.command("flaky", epilog="Example: pilothouse pipeline flaky build")
def flaky(
    pipeline: Annotated[str, typer.Argument(help="Only this pipeline.", show_default=False)] = "",
    output: Format = None,
    data: Data = None,
    database: Database = "",
) -> None:
    """Tasks that fail and succeed without a reason, from the history of runs."""
    from pilothouse.delivery.pipelines import flakiness

    as_json = wants_json(output)
    found = _asked(data, database, lambda store: flakiness.flaky(store.history(pipeline)))
    if as_json:
        print_lines([one.to_json() for one in found])
        return
    for one in found:
        typer.echo(f"{one.task}: {one.rate:.0%} of {one.runs} runs ({one.certain} certain, {one.hints} hints)")
    if not found:
        typer.echo("No task looks flaky.")


@app.command(
    "provenance", epilog="Example: pilothouse pipeline provenance build-run-x7k2p --key ci.key > build.intoto.json"
)
def provenance(
    run: Run = "",
    key: Annotated[
        Path | None,
        typer.Option("--key", help="ed25519 key (PEM); made when not there.", show_default="in the data directory"),
    ] = None,
    data: Data = None,
    database: Database = "",
) -> None:
    """The signed SLSA provenance of a run that succeeded, as a DSSE envelope."""
    from pilothouse.delivery.pipelines import listing
    from pilothouse.delivery.pipelines import provenance as slsa
    from pilothouse.delivery.pipelines.asking import data_directory
    from pilothouse.delivery.pipelines.errors import PipelineError

    body, task_runs = _asked(data, database, lambda store: listing.described(store, run))
    try:
        envelope = slsa.sign(
            slsa.statement(body, task_runs), slsa.load_or_make(key or data_directory(data) / "provenance.key")
        )
    except PipelineError as error:
        fail(str(error))
    sys.stdout.write(json.dumps(envelope) + "\n")


@app.command("verify", epilog="Example: pilothouse pipeline verify build.intoto.json --key ci.pub --digest sha256:...")
def verify(
    file: Annotated[Path, typer.Argument(help="The envelope.", show_default=False)],
    key: Annotated[Path, typer.Option("--key", help="The public key (PEM).", show_default=False)],
    digest: Annotated[
        str, typer.Option("--digest", metavar="sha256:HEX", help="An artifact that it must speak of.")
    ] = "",
) -> None:
    """Whether a provenance was signed with a key, is unchanged, and speaks of an artifact. Exit code 1 when not."""
    from pilothouse.delivery.pipelines import provenance as slsa

    try:
        statement = slsa.verify(json.loads(file.read_bytes()), slsa.load_public(key))
    except (OSError, ValueError) as error:
        fail(f"{file}: {error}")
    except slsa.ProvenanceError as error:
        typer.echo(f"not verified: {error}", err=True)
        raise typer.Exit(1) from None
    if digest and not slsa.covers(statement, digest):
        typer.echo(f"not verified: signed, but it does not speak of {digest}", err=True)
        raise typer.Exit(1)
    run = statement["predicate"]["runDetails"]["metadata"]["invocationId"]
    typer.echo(f"verified: run {run}, {len(statement['subject'])} artifacts")


def _asked(data: Path | None, database: str, question: Callable[[RunStore], Answer]) -> Answer:
    from pilothouse.delivery.pipelines.asking import data_directory
    from pilothouse.delivery.pipelines.errors import PipelineError
    from pilothouse.delivery.pipelines.state.store import open_store

    try:
        store = open_store(data_directory(data), database)
        try:
            return question(store)
        finally:
            store.close()
    except PipelineError as error:
        fail(str(error))
