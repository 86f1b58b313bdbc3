"""The configuration: a TOML file, then the environment, then flags; each value knows where it came from."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from pilothouse.masking import masked
from pilothouse.server.access.callers import DEFAULT_TENANT
from pilothouse.server.access.settings import Roles, Tenants
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import parse_duration

PREFIX = "PILOTHOUSE_"
FILE = "pilothouse.toml"
_NO_SCHEME = re.compile(r"""((?:^|['"\s])[\w.+-]+):[^\s"'@*]+@""")


class ConfigError(Exception):
    """A value that cannot be used; the message names it and where it came from."""


def _duration(text: str) -> str:
    try:
        parse_duration(text, "duration")
    except BadRequestError as error:
        raise ValueError(str(error)) from None
    return text


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} is not HOST:PORT, for example 127.0.0.1:4000")
    return f"{host or '127.0.0.1'}:{port}"


def _directory(text: Path | str) -> Path | str:
    # An empty text would be the directory that the server happens to be started in: a variable that is not set, mostly.
    if not str(text).strip():
        raise ValueError("is empty; name a directory")
    return text


Duration = Annotated[str, AfterValidator(_duration)]
Address = Annotated[str, AfterValidator(_address)]
OptionalAddress = Annotated[str, AfterValidator(lambda text: _address(text) if text else text)]


def _by_query(given: object) -> object:
    """From the environment it comes as text."""
    if not isinstance(given, str):
        return given
    pairs = [part.rpartition("=") for part in given.split(";") if part.strip()]
    return {query.strip(): kept.strip() for query, _, kept in pairs}


def _log_rules(given: dict[str, str]) -> dict[str, str]:
    from pilothouse.signals.logs.retaining import rules_of

    try:
        rules_of(given)
    except BadRequestError as error:
        raise ValueError(str(error)) from None
    return given


LogRetention = Annotated[dict[str, str], BeforeValidator(_by_query), AfterValidator(_log_rules)]


def _span_rules(given: dict[str, str]) -> dict[str, str]:
    from pilothouse.signals.traces.thinning import rule
    from pilothouse.signals.traces.traceql import TraceqlError

    for query, kept in given.items():
        try:
            rule(query, parse_duration(_duration(kept)))
        except TraceqlError as error:
            raise ValueError(f"{query}: {error}") from None
    return given


SpanRetention = Annotated[dict[str, str], BeforeValidator(_by_query), AfterValidator(_span_rules)]


def default_data() -> Path:
    """Where data is kept when nobody says (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "pilothouse"


def _as_tables(given: object) -> object:
    """From the environment it comes as JSON."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given) if given.strip() else {}
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None


def _forges(given: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    if given:
        from pilothouse.delivery.forges.settings import read

        read(given)
    return given


Forges = Annotated[dict[str, dict[str, Any]], BeforeValidator(_as_tables), AfterValidator(_forges)]


class Config(BaseModel):
    """All settings; the descriptions are what `pilothouse config` and the reference show."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Absolute: git, steps of pipelines and previews run in directories of their own.
    data: Annotated[Path, BeforeValidator(_directory), AfterValidator(Path.absolute)] = Field(
        default_factory=default_data, description="directory for the journal and the store"
    )
    http: Address = Field("127.0.0.1:4000", description="page, API and all HTTP protocols")
    otlp_grpc: Address = Field("127.0.0.1:4317", description="OTLP over gRPC")
    otlp_http: Address = Field("127.0.0.1:4318", description="OTLP over HTTP")
    syslog: OptionalAddress = Field(
        "", description="HOST:PORT for syslog over TCP and UDP (RFC 5424, RFC 3164); empty: not taken"
    )
    lines: OptionalAddress = Field("", description="HOST:PORT for plain lines over TCP; empty: not taken")
    statsd: OptionalAddress = Field("", description="HOST:PORT for StatsD and DogStatsD over UDP; empty: not taken")
    statsd_socket: str = Field("", description="path of a Unix socket for DogStatsD; empty: not taken")
    statsd_interval: Duration = Field("10s", description="how often what StatsD counted is stored")
    prometheus_config: str = Field(
        "", description="a prometheus.yml: what to scrape, rules and Alertmanagers; empty: none"
    )
    mesh_config: str = Field(
        "",
        description="a file or directory of SMI resources: shown, measured, weights changed by rollouts; empty: none",
    )
    mesh_services: str = Field(
        "", description="the services file of `pilothouse mesh envoy`: what runs here, beside mesh_config; empty: none"
    )
    profiles_config: str = Field(
        "", description="scrape_configs of pprof endpoints, written as in a prometheus.yml; empty: none"
    )
    store: str = Field(
        "",
        description="clickhouse://HOST:PORT/DATABASE instead of the embedded store; `?cluster=NAME` for a cluster, "
        "`?storage_policy=NAME` for tables on disks of a policy, such as S3's",
    )
    database: str = Field(
        "",
        description="SQLAlchemy URL for verdicts and other control-plane state; empty: SQLite in the data directory",
    )
    max_body_bytes: int = Field(16_000_000, ge=1_000, description="largest request body, decompressed")
    max_age: Duration = Field("30d", description="older records are refused")
    max_future: Duration = Field("1h", description="records further in the future are refused")
    retention: Duration = Field("30d", description="how long telemetry is kept")
    span_retention: SpanRetention = Field(
        {},
        description="how long traces with a span that fits a TraceQL filter are kept instead, by filter; the longest "
        "of those that fit counts",
    )
    span_metrics: str = Field(
        "both",
        pattern="^(tempo|collector|both|off)$",
        description="under whose names each operation's calls and durations are written as metrics: "
        "tempo, collector, both, off",
    )
    log_retention: LogRetention = Field(
        {},
        description="shorter retention for some log lines: a selector (line filters may follow) and a duration each; "
        "in the environment `{...}=3d; {...}=7d`",
    )
    flush_interval: Duration = Field(
        "400ms", description="longest time between acknowledgement and storing at low load"
    )
    cache_bytes: int | None = Field(
        None,
        ge=0,
        description="most memory for log text that stays decompressed between questions; "
        "unset: an eighth of memory (or of the control group's limit), at most 4 GB",
    )
    journal_bytes: int = Field(
        2_000_000_000,
        ge=1_000_000,
        description="most bytes that may wait to be stored, per kind; then requests are refused with 503",
    )
    dashboards: str = Field(
        "", description="directory with dashboards as JSON files; empty: dashboards in the data directory"
    )
    pipelines: str = Field(
        "", description="directory of Tekton YAML whose pipelines, triggers and schedules this server runs; empty: none"
    )
    environments: str = Field(
        "",
        description="the environments file that versions are promoted through: a path, or [FORGE:]OWNER/NAME:PATH in a "
        "repository of a forge; empty: none",
    )
    forge: bool = Field(True, description="serve the built-in forge: git repositories and pull requests in `data`")
    strangers: str = Field(
        "sandbox",
        pattern="^(sandbox|network|process)$",
        description="where jobs run for changes of people who may not write to the repository: in a sandbox without a "
        "network, in one with it (network), or as this server's user (process)",
    )
    members: str = Field(
        "process",
        pattern="^(sandbox|network|process)$",
        description="where all other jobs run: sandbox, network or process, as for strangers",
    )
    forge_push_bytes: int = Field(1_000_000_000, ge=1_000, description="most bytes that one git push may bring")
    forges: Forges = Field(
        {},
        description="a table for each forge, `[forges.github]`, with `token`, `webhook_secret`, `repositories`, ... "
        "(docs/how-to/connect-github-gitlab-forgejo.md); in the environment as JSON",
    )
    previews: str = Field(
        "local",
        pattern="^(local|kubernetes|off)$",
        description="where pull requests are previewed: local (sandboxes of this machine), kubernetes (namespaces of "
        "the cluster of `kube_context`), off",
    )
    preview_domain: str = Field(
        "", description="domain below which previews on Kubernetes get an Ingress each; empty: none"
    )
    log_level: str = Field(
        "info",
        pattern="^(debug|info|warning|error)$",
        description="least severe own log line that is written",
    )
    kube: bool = Field(
        False, description="watch the cluster of the kubeconfig, or the one around this pod, for hazards"
    )
    kube_context: str = Field("", description="context of the kubeconfig that is watched; empty: the current one")
    mesh: str = Field(
        "",
        pattern="^(istio|linkerd|consul|gateway-api|)$",
        description="compile the watched cluster's SMI resources to this mesh: istio, linkerd, consul, gateway-api; "
        "empty: to none",
    )
    trust_domain: str = Field("cluster.local", description="the mesh's trust domain, in the names of its certificates")
    aggregated_api: OptionalAddress = Field(
        "", description="HOST:PORT where Kubernetes' API server asks for TrafficMetrics, over TLS; empty: not served"
    )
    aggregated_api_tls: str = Field(
        "",
        description="directory with tls.crt, tls.key and ca.crt, the authority of the API server's front proxy: who "
        "has no certificate of it may not ask",
    )
    hazard_rules: str = Field(
        "", description="files with rules of your own for the watched cluster, separated by commas"
    )
    allowed_hosts: str = Field(
        "", description="further names by which a browser may call the HTTP port, separated by commas"
    )
    backups: str = Field("", description="directory for backups; empty: backups in the data directory")
    require_tokens: bool = Field(False, description="every request needs a token; always so beyond loopback")
    tokens_file: str = Field(
        "", description="file with further tokens, a line each: NAME SCOPE[,SCOPE] TOKEN [TENANT]; empty: none"
    )
    insecure: bool = Field(
        False, description="no token is needed beyond loopback: whoever reaches the ports may do everything"
    )
    read_only: bool = Field(False, description="answer questions; take nothing in, act on nothing, drop nothing")
    tls_cert: str = Field("", description="PEM file with the certificate chain of all ports; empty: no TLS")
    tls_key: str = Field("", description="PEM file with its key; empty: it is in tls_cert")
    client_ca: str = Field("", description="PEM file: only clients with a certificate of this authority may connect")
    tenants: Tenants = Field(
        {}, description="who else has telemetry here, each in a database of its own; in the environment `shop; bank`"
    )
    requests_per_second: float = Field(0, ge=0, description="most requests a second of one caller; 0: no limit")
    bytes_per_second: float = Field(0, ge=0, description="most bytes a second that one caller may send; 0: no limit")
    external_url: str = Field("", description="the page's address as browsers know it; empty: the one they used")
    oidc_issuer: str = Field("", description="OpenID Connect provider that signs people in on the page; empty: none")
    oidc_client_id: str = Field("", description="what the provider calls this server")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="what proves that; empty: PKCE alone")
    oidc_scope: str = Field(
        "read",
        pattern="^(|ingest|read|act|admin)$",
        description="what everybody may do who can sign in; empty: nothing without a role",
    )
    oidc_roles: Roles = Field(
        {}, description="scopes by CLAIM:VALUE; in the environment `groups:sre=act; email:ana@example.org=admin`"
    )
    oidc_tenant_claim: str = Field("", description="the claim with a person's tenant; empty: they may choose")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The configuration in force, and for each setting where its value came from."""

    config: Config
    sources: Mapping[str, str]


def load(flags: Mapping[str, Any], file: Path | None = None, environment: Mapping[str, str] = os.environ) -> Loaded:
    """Put the layers together. `flags` are what the command line gave (None: not given).

    Raises `ConfigError` that names the setting and its source.
    """
    named = environment.get(f"{PREFIX}CONFIG")
    path = file or (Path(named) if named else Path(FILE) if Path(FILE).is_file() else None)
    layers: list[tuple[str, dict[str, Any]]] = []
    if path:
        layers.append((str(path), _from_file(path)))
    layers.append(("environment", _from_environment(environment)))
    layers.append(("flag", {name: value for name, value in flags.items() if value is not None}))
    values: dict[str, Any] = {}
    sources = dict.fromkeys(Config.model_fields, "default")
    for source, layer in layers:
        for name, value in layer.items():
            if name not in Config.model_fields:
                raise ConfigError(f"{source}: no such setting: {name}")
            values[name] = value
            sources[name] = f"{PREFIX}{name.upper()}" if source == "environment" else source
    try:
        return Loaded(_together(Config(**values)), sources)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        said = shown(first["msg"].removeprefix("Value error, "))
        raise ConfigError(f"{name} (from {sources[name]}): {said}") from None


def _together(config: Config) -> Config:
    """What no single setting can say of itself."""
    if (config.tls_key or config.client_ca) and not config.tls_cert:
        raise ConfigError(f"{'tls_key' if config.tls_key else 'client_ca'}: does nothing without tls_cert")
    if config.oidc_issuer and not config.oidc_client_id:
        raise ConfigError("oidc_issuer: the provider has to be told who asks: set oidc_client_id too")
    if config.tenants and config.database and "{tenant}" not in config.database:
        raise ConfigError(
            "tenants: each needs a database of its own: in `database`, put {tenant} where its name belongs"
        )
    return config


def control_database(config: Config, tenant: str = DEFAULT_TENANT) -> str:
    """The SQLAlchemy URL of a tenant's control plane."""
    return (config.database or f"sqlite:///{config.data / 'control.db'}").replace("{tenant}", tenant)


def shown(value: object) -> str:
    """A setting's value for people: without secrets, in an address without its scheme too."""
    return _NO_SCHEME.sub(r"\1:***@", masked(str(value)))


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    # PILOTHOUSE_SERVER is the command line's, PILOTHOUSE_CONFIG names the file.
    named = {key.removeprefix(PREFIX).lower(): value for key, value in environment.items() if key.startswith(PREFIX)}
    return {name: value for name, value in named.items() if name in Config.model_fields}
