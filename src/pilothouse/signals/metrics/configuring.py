"""Prometheus' own configuration file: what of it says what to scrape, which rules to evaluate, whom to alert.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pilothouse.signals.metrics.errors import ConfigurationError
from pilothouse.signals.metrics.promql.durations import parse_duration
from pilothouse.signals.metrics.scraping.relabelling import Relabelling

SERVICE_DISCOVERIES = ("static", "file", "dns", "http", "kubernetes", "consul")
_UNITS = {"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40, "KiB": 1 << 10, "MiB": 1 << 20,
          "GiB": 1 << 30, "TiB": 1 << 40}  # fmt: skip
PROTOCOLS = {
    "PrometheusProto": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    "PrometheusText0.0.4": "text/plain;version=0.0.4",
    "PrometheusText1.0.0": "text/plain;version=1.0.0",
    "OpenMetricsText0.0.1": "application/openmetrics-text;version=0.0.1",
    "OpenMetricsText1.0.0": "application/openmetrics-text;version=1.0.0",
}
Model = TypeVar("Model", bound=BaseModel)
_TEXT_FIRST = ("OpenMetricsText1.0.0", "OpenMetricsText0.0.1", "PrometheusText1.0.0", "PrometheusText0.0.4")


def _milliseconds(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value == 0 else parse_duration(str(value))
    return parse_duration(str(value))


def _bytes(value: Any) -> int:
    text = str(value).strip()
    digits = text.rstrip("BKMGTi")
    unit = text[len(digits) :]
    if unit not in _UNITS or not digits.replace(".", "", 1).isdigit():
        raise ValueError(f"{text!r} is not a size, for example 10MB")
    return math.floor(float(digits) * _UNITS[unit])


Milliseconds = Annotated[int, BeforeValidator(_milliseconds)]
Bytes = Annotated[int, BeforeValidator(_bytes)]


class _Strict(BaseModel):
    # What is secret is not in a model's own words: `repr=False`.
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class BasicAuth(_Strict):
    """User and password, or the files that hold them."""

    username: str = ""
    username_file: str = ""
    password: str = Field("", repr=False)
    password_file: str = ""


class Authorization(_Strict):
    """The `Authorization` header."""

    type: str = "Bearer"
    credentials: str = Field("", repr=False)
    credentials_file: str = ""


class Tls(_Strict):
    """Whom to trust and how to show who we are."""

    ca: str = ""
    ca_file: str = ""
    cert: str = ""
    cert_file: str = ""
    key: str = Field("", repr=False)
    key_file: str = ""
    server_name: str = ""
    insecure_skip_verify: bool = False
    min_version: str = ""
    max_version: str = ""


class HttpClient(_Strict):
    """How requests are made: what all parts of the file that name an HTTP server share."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    bearer_token: str = Field("", repr=False)
    bearer_token_file: str = ""
    tls_config: Tls = Tls()
    proxy_url: str = ""
    no_proxy: str = ""
    proxy_from_environment: bool = False
    follow_redirects: bool = True
    enable_http2: bool = True
    http_headers: dict[str, dict[str, list[str]]] = Field(default_factory=dict, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, values: Any) -> Any:
        if isinstance(values, dict) and "oauth2" in values:
            raise ValueError("oauth2 is not supported; use authorization with credentials_file")
        return values


class StaticGroup(_Strict):
    """Targets with labels."""

    targets: list[str] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)


class FileDiscovery(_Strict):
    """Files of target groups, as JSON or YAML; the last part of a path may hold `*`."""

    files: list[str]
    refresh_interval: Milliseconds = 300_000


class DnsDiscovery(_Strict):
    """Names that DNS resolves."""

    names: list[str]
    type: str = Field("SRV", pattern="^(SRV|A|AAAA|MX|NS)$")
    port: int = 0
    refresh_interval: Milliseconds = 30_000


class HttpDiscovery(HttpClient):
    """A URL that answers target groups."""

    url: str
    refresh_interval: Milliseconds = 60_000


class KubeNamespaces(_Strict):
    """Where to look."""

    own_namespace: bool = False
    names: list[str] = Field(default_factory=list)


class KubeSelector(_Strict):
    """Which objects of a role."""

    role: str
    label: str = ""
    field: str = ""


class KubeAttach(_Strict):
    """What to add from elsewhere."""

    node: bool = False
    namespace: bool = False


class KubernetesDiscovery(HttpClient):
    """Objects of a cluster. Without `api_server` or `kubeconfig_file` the one we run in, or the current context."""

    role: str = Field(pattern="^(node|service|pod|endpoints|endpointslice|ingress)$")
    api_server: str = ""
    kubeconfig_file: str = ""
    namespaces: KubeNamespaces = KubeNamespaces()
    selectors: list[KubeSelector] = Field(default_factory=list)
    attach_metadata: KubeAttach = KubeAttach()


class ConsulDiscovery(HttpClient):
    """The catalogue of a Consul agent; without `services` and `tags` all of it."""

    server: str = "localhost:8500"
    path_prefix: str = ""
    token: str = Field("", repr=False)
    datacenter: str = ""
    namespace: str = ""
    partition: str = ""
    tag_separator: str = ","
    scheme: str = Field("http", pattern="^https?$")
    username: str = ""
    password: str = Field("", repr=False)
    allow_stale: bool = True
    services: list[str] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    node_meta: dict[str, str] = Field(default_factory=dict)
    filter: str = ""
    health_filter: str = ""
    refresh_interval: Milliseconds = 30_000

    @model_validator(mode="before")
    @classmethod
    def _as_basic_auth(cls, values: Any) -> Any:
        """`username` and `password` are an older way to say `basic_auth`."""
        if isinstance(values, dict) and values.get("username") and not values.get("basic_auth"):
            auth = {"username": values["username"], "password": values.get("password", "")}
            return {**values, "basic_auth": auth}
        return values


class _Discovering(HttpClient):
    static_configs: list[StaticGroup] = Field(default_factory=list)
    file_sd_configs: list[FileDiscovery] = Field(default_factory=list)
    dns_sd_configs: list[DnsDiscovery] = Field(default_factory=list)
    http_sd_configs: list[HttpDiscovery] = Field(default_factory=list)
    kubernetes_sd_configs: list[KubernetesDiscovery] = Field(default_factory=list)
    consul_sd_configs: list[ConsulDiscovery] = Field(default_factory=list)
    relabel_configs: list[Relabelling] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _discoveries(cls, values: Any) -> Any:
        for name in values if isinstance(values, dict) else ():
            kind, found, _ = str(name).partition("_sd_configs")
            if found and kind not in SERVICE_DISCOVERIES:
                raise ValueError(
                    f"{name} is not supported: {', '.join(SERVICE_DISCOVERIES)} are; "
                    "a program that writes its targets to a file (file_sd_configs) or answers them over HTTP "
                    "(http_sd_configs) can stand in"
                )
        return values


class ScrapeConfig(_Discovering):
    """What to scrape and how. Zero means the global value or no limit."""

    job_name: str = Field(min_length=1)
    scrape_interval: Milliseconds = 0
    scrape_timeout: Milliseconds = 0
    scrape_protocols: list[str] = Field(default_factory=list)
    fallback_scrape_protocol: str = ""
    scrape_native_histograms: bool = False
    always_scrape_classic_histograms: bool = False
    metrics_path: str = "/metrics"
    honor_labels: bool = False
    honor_timestamps: bool = True
    track_timestamps_staleness: bool = False
    scheme: str = Field("http", pattern="^https?$")
    params: dict[str, list[str]] = Field(default_factory=dict)
    enable_compression: bool = True
    metric_relabel_configs: list[Relabelling] = Field(default_factory=list)
    body_size_limit: Bytes = 0
    sample_limit: int = 0
    label_limit: int = 0
    label_name_length_limit: int = 0
    label_value_length_limit: int = 0
    target_limit: int = 0
    keep_dropped_targets: int = 0
    metric_name_validation_scheme: str = ""
    metric_name_escaping_scheme: str = ""
    extra_scrape_metrics: bool = False

    @property
    def protocols(self) -> tuple[str, ...]:
        """In which formats to ask for, best first."""
        if self.scrape_protocols:
            return tuple(self.scrape_protocols)
        return ("PrometheusProto", *_TEXT_FIRST) if self.scrape_native_histograms else _TEXT_FIRST

    @model_validator(mode="after")
    def _protocols_known(self) -> ScrapeConfig:
        named = [*self.scrape_protocols, *filter(None, [self.fallback_scrape_protocol])]
        for name in named:
            if name not in PROTOCOLS:
                raise ValueError(f"unknown scrape protocol {name!r}: {', '.join(PROTOCOLS)} are known")
        if self.scrape_interval and self.scrape_timeout > self.scrape_interval:
            raise ValueError(f"scrape timeout greater than scrape interval for scrape config with job name "
                             f'"{self.job_name}"')  # fmt: skip
        return self


class AlertmanagerConfig(_Discovering):
    """Alertmanagers and how to reach them."""

    scheme: str = Field("http", pattern="^https?$")
    path_prefix: str = ""
    timeout: Milliseconds = 10_000
    api_version: str = Field("v2", pattern="^v2$")
    alert_relabel_configs: list[Relabelling] = Field(default_factory=list)


class Alerting(_Strict):
    """Where alerts go."""

    alert_relabel_configs: list[Relabelling] = Field(default_factory=list)
    alertmanagers: list[AlertmanagerConfig] = Field(default_factory=list)


class Global(BaseModel):
    """What holds where nothing else is said."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)
    scrape_interval: Milliseconds = 60_000
    scrape_timeout: Milliseconds = 10_000
    evaluation_interval: Milliseconds = 60_000
    rule_query_offset: Milliseconds = 0
    query_log_file: str = ""
    external_labels: dict[str, str] = Field(default_factory=dict)
    scrape_protocols: list[str] = Field(default_factory=list)
    scrape_native_histograms: bool = False
    body_size_limit: Bytes = 0
    sample_limit: int = 0
    label_limit: int = 0
    label_name_length_limit: int = 0
    label_value_length_limit: int = 0
    target_limit: int = 0
    keep_dropped_targets: int = 0


_INHERITED = (
    "scrape_interval", "scrape_protocols", "scrape_native_histograms", "body_size_limit", "sample_limit", "label_limit",
    "label_name_length_limit", "label_value_length_limit", "target_limit", "keep_dropped_targets",
)  # fmt: skip


class PrometheusConfig(_Strict):
    """The whole file. Sections about Prometheus' own storage and its way out mean nothing here and are let through."""

    global_: Global = Field(default_factory=Global, alias="global")
    scrape_configs: list[ScrapeConfig] = Field(default_factory=list)
    scrape_config_files: list[str] = Field(default_factory=list)
    rule_files: list[str] = Field(default_factory=list)
    alerting: Alerting = Alerting()
    remote_write: Any = None
    remote_read: Any = None
    storage: Any = None
    tracing: Any = None
    otlp: Any = None
    runtime: Any = None

    @model_validator(mode="after")
    def _jobs_differ(self) -> PrometheusConfig:
        names = [one.job_name for one in self.scrape_configs]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'found multiple scrape configs with job name "{name}"')
        return self


def read_configuration(path: Path) -> PrometheusConfig:
    """The file with the global values filled in where a job says nothing. Raises `ConfigurationError`."""
    content = read_yaml(path)
    config = checked(PrometheusConfig, content, path)
    jobs = list(config.scrape_configs)
    for pattern in config.scrape_config_files:
        for file in matching(path.parent, pattern):
            jobs += checked(PrometheusConfig, read_yaml(file), file).scrape_configs
    filled = [_filled(job, config.global_) for job in jobs]
    return config.model_copy(update={"scrape_configs": filled})


def _filled(job: ScrapeConfig, shared: Global) -> ScrapeConfig:
    update: dict[str, Any] = {name: getattr(shared, name) for name in _INHERITED if not getattr(job, name)}
    interval = update.get("scrape_interval", job.scrape_interval)
    if not job.scrape_timeout:
        update["scrape_timeout"] = min(shared.scrape_timeout, interval)
    return job.model_copy(update=update)


def read_yaml(path: Path) -> Any:
    """What a YAML file says. Raises `ConfigurationError`."""
    try:
        content = yaml.load(path.read_text(), yaml.CSafeLoader)
        return {} if content is None else content
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {' '.join(str(error).split())}") from None


def checked(model: type[Model], content: Any, path: Path) -> Model:
    """The content of a file as a model. Raises `ConfigurationError` that names the place of the first fault."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        known = "there is no such setting" if first["type"] == "extra_forbidden" else said
        raise ConfigurationError(f"{path}: {f'{place}: ' if place else ''}{known}") from None


def matching(directory: Path, pattern: str) -> list[Path]:
    """The files that a path with wildcards names, relative to the file that names them."""
    path = Path(pattern)
    parent = path.parent if path.is_absolute() else directory / path.parent
    return sorted(parent.glob(path.name))
