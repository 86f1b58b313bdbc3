"""`pilothouse up` and `pilothouse config`: the server and what it runs with."""

from __future__ import annotations

import gc
import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pilothouse.server.config import Loaded

_DATA = typer.Option(
    "--data", help="Directory for the journal and the store.", show_default="~/.local/share/pilothouse"
)
_HTTP = typer.Option("--http", metavar="HOST:PORT", help="Page and API.", show_default="127.0.0.1:4000")
_GRPC = typer.Option("--otlp-grpc", metavar="HOST:PORT", help="OTLP over gRPC.", show_default="127.0.0.1:4317")
_OTLP = typer.Option("--otlp-http", metavar="HOST:PORT", help="OTLP over HTTP.", show_default="127.0.0.1:4318")
_PROMETHEUS = typer.Option(
    "--prometheus-config", metavar="FILE", help="A prometheus.yml: what to scrape, rules, Alertmanagers."
)
_PROFILES = typer.Option(
    "--profiles-config", metavar="FILE", help="scrape_configs of pprof endpoints, written as in a prometheus.yml."
)
_STORE = typer.Option("--store", metavar="URL", help="A ClickHouse server instead of the embedded store.")
_CONFIG = typer.Option("--config", metavar="FILE", help="TOML file.", show_default="pilothouse.toml, if there")
_KUBE = typer.Option("--kube", help="Watch the kubeconfig's cluster, or the one around this pod, for hazards.")
_CONTEXT = typer.Option("--kube-context", help="Context of the kubeconfig.", show_default="the current one")
_MESH = typer.Option(
    "--mesh",
    metavar="MESH",
    help="With --kube: keep SMI resources compiled to istio, linkerd, consul, gateway-api.",
)
_CERT = typer.Option("--tls-cert", metavar="FILE", help="PEM: certificate chain; all ports then speak TLS.")
_KEY = typer.Option("--tls-key", metavar="FILE", help="PEM: the certificate's key.")
_CLIENT_CA = typer.Option("--client-ca", metavar="FILE", help="PEM: only clients with its certificates may connect.")
_READ_ONLY = typer.Option("--read-only", help="Answer questions; take nothing in, act on nothing, drop nothing.")
_INSECURE = typer.Option("--insecure", help="No tokens beyond loopback: whoever reaches the ports may do everything.")
_LEVEL = typer.Option("--log-level", help="debug, info, warning or error.", show_default="info")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("up", epilog="Example: pilothouse up --data ./data --http 127.0.0.1:4000")(up)
    app.command("config", epilog="Example: PILOTHOUSE_RETENTION=7d pilothouse config --http :8080 --output json")(
        _with_the_flags_of_up(config)
    )


def _with_the_flags_of_up(command: Callable[..., None]) -> Callable[..., None]:
    """A command that takes what `up` takes, to its own options: what a server would run with can be seen beforehand."""
    own, flags = inspect.signature(command, eval_str=True), inspect.signature(up, eval_str=True)
    listed = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
    more = [one for one in flags.parameters.values() if one.name not in own.parameters]
    command.__signature__ = own.replace(parameters=[*listed, *more])  # type: ignore[attr-defined]
    return command


def up(
    data: Annotated[Path | None, _DATA] = None,
    http: Annotated[str | None, _HTTP] = None,
    otlp_grpc: Annotated[str | None, _GRPC] = None,
    otlp_http: Annotated[str | None, _OTLP] = None,
    store: Annotated[str | None, _STORE] = None,
    prometheus_config: Annotated[str | None, _PROMETHEUS] = None,
    profiles_config: Annotated[str | None, _PROFILES] = None,
    kube: Annotated[bool, _KUBE] = False,
    kube_context: Annotated[str | None, _CONTEXT] = None,
    mesh: Annotated[str | None, _MESH] = None,
    config: Annotated[Path | None, _CONFIG] = None,
    tls_cert: Annotated[str | None, _CERT] = None,
    tls_key: Annotated[str | None, _KEY] = None,
    client_ca: Annotated[str | None, _CLIENT_CA] = None,
    read_only: Annotated[bool, _READ_ONLY] = False,
    insecure: Annotated[bool, _INSECURE] = False,
    log_level: Annotated[str | None, _LEVEL] = None,
) -> None:
    """Start the server, and serve until Ctrl-C or SIGTERM."""
    # Nothing of what is imported and built for the start becomes garbage: it is not looked through, now or later.
    gc.disable()
    loaded = _load(
        config, data=data, http=http, otlp_grpc=otlp_grpc, otlp_http=otlp_http, store=store,
        prometheus_config=prometheus_config, profiles_config=profiles_config, kube=kube, kube_context=kube_context,
        mesh=mesh, tls_cert=tls_cert, tls_key=tls_key, client_ca=client_ca, read_only=read_only, insecure=insecure,
        log_level=log_level,
    )  # fmt: skip
    _import_structlog()
    # gRPC would prepare each child process for a fork that calls it, which none does, and say so on stderr.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    # numpy's OpenBLAS ends its threads before each fork, and was seen to wait for ever for one of them, with the whole
    # server. Nothing here has matrices for which they would be worth it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from sqlalchemy.exc import SQLAlchemyError

    from pilothouse.control.opening import reason
    from pilothouse.engine import EngineError
    from pilothouse.server import logging
    from pilothouse.server.allocating import keep_freed_memory
    from pilothouse.server.locking import DataDirectoryError
    from pilothouse.server.process import Process
    from pilothouse.signals.metrics.errors import ConfigurationError

    keep_freed_memory()
    logging.configure(loaded.config.log_level)
    process = None
    try:
        process = Process(loaded.config)
        addresses = process.start()
        gc.freeze()
        gc.enable()
        process.serve(addresses, lambda: _banner(addresses, loaded))
    except (DataDirectoryError, EngineError, ConfigurationError, OSError) as error:
        typer.echo(f"pilothouse: {error}", err=True)
        raise typer.Exit(3) from None
    except SQLAlchemyError as error:
        typer.echo(f"pilothouse: the control plane's database: {reason(error)}", err=True)
        raise typer.Exit(3) from None
    finally:
        gc.enable()
        if process:
            process.close()


def _import_structlog() -> None:
    """Without rich, which takes as long to import as the rest of it: tracebacks are text before they are drawn here."""
    hidden = "rich" not in sys.modules
    if hidden:
        sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("structlog")
    finally:
        if hidden:
            del sys.modules["rich"]


def config(
    config: Annotated[Path | None, _CONFIG] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="table or json.")] = "table",
    **flags: Any,
) -> None:
    """Print the settings in force, and where each value came from (file, environment, flag); takes what `up` takes."""
    from pilothouse.server.config import shown

    loaded = _load(config, **flags)
    rows = {
        name: {"value": shown(getattr(loaded.config, name)), "source": source}
        for name, source in loaded.sources.items()
    }
    if output == "json":
        typer.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("setting", "value", "from", "meaning", box=None)
    for name, row in rows.items():
        meaning = type(loaded.config).model_fields[name].description
        table.add_row(*map(Text, (name, row["value"], row["source"], meaning or "")))
    Console().print(table)


def _load(file: Path | None, **flags: Any) -> Loaded:
    """The settings with `up`'s flags, of which a switch that was not set says nothing."""
    from pilothouse.server.config import ConfigError, load

    flags["kube"] = flags["kube"] or flags["kube_context"]
    switches = {name: True if flags[name] else None for name in ("kube", "read_only", "insecure")}
    try:
        return load(flags | switches, file)
    except ConfigError as error:
        typer.echo(f"pilothouse: {error}", err=True)
        raise typer.Exit(3) from None


def _banner(addresses: dict[str, str], loaded: Loaded) -> None:
    lines = (
        f"Pilothouse is ready: {addresses['http']}",
        f"  OTLP over gRPC   {addresses['otlp_grpc']}",
        f"  OTLP over HTTP   {addresses['otlp_http']}",
        f"  pprof, Pyroscope {addresses['http']}/pyroscope",
        f"  data             {loaded.config.data}",
        f"Point an SDK here:  export OTEL_EXPORTER_OTLP_ENDPOINT={addresses['otlp_http']}",
    )
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()
