"""What runs on one machine: services with their endpoints, and the proxies beside them.

    trustDomain: cluster.local
    services:
    - {name: shop/checkout, port: 80, endpoints: ["127.0.0.1:8001"]}
    - {name: shop/checkout-v2, port: 80, endpoints: ["127.0.0.1:8443"], account: shop/checkout}
    - {name: shop/db, port: 5432, protocol: tcp, endpoints: ["127.0.0.1:5432"]}
    proxies:
    - name: web
      account: shop/web
      outbound: {shop/checkout: "127.0.0.1:9001"}
    - name: checkout-v2
      account: shop/checkout
      inbound: {listen: "127.0.0.1:8443", application: "127.0.0.1:8002", port: 80}

A service with an `account` is spoken to over mutual TLS: its endpoints are then the inbound listeners of proxies. A
proxy's `outbound` are the addresses at which its own application reaches services, its `inbound` is where others reach
the application.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pilothouse.mesh.model import Name, Service, ServicePort, Workload


class LocalMeshError(Exception):
    """The file cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host and port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("must be HOST:PORT")
    return text


def _name(text: str) -> str:
    if not all(text.partition("/")[::2]):
        raise ValueError("must be NAMESPACE/NAME")
    return text


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Service(_Part):
    name: str
    port: Annotated[int, Field(gt=0, lt=65536)] = 80
    protocol: Literal["http", "tcp"] = "http"
    endpoints: list[str] = []
    account: str = ""

    check_name = field_validator("name")(_name)
    check_account = field_validator("account")(_name)

    @field_validator("endpoints")
    @classmethod
    def check_endpoints(cls, value: list[str]) -> list[str]:
        return [_address(text) for text in value]


class _Inbound(_Part):
    listen: str
    application: str
    port: Annotated[int, Field(gt=0, lt=65536)] = 80
    protocol: Literal["http", "tcp"] = "http"

    check_addresses = field_validator("listen", "application")(_address)


class _Proxy(_Part):
    name: str
    account: str = ""
    outbound: dict[str, str] = {}
    inbound: _Inbound | None = None

    check_account = field_validator("account")(_name)

    @field_validator("outbound")
    @classmethod
    def check_outbound(cls, value: dict[str, str]) -> dict[str, str]:
        return {_name(service): _address(text) for service, text in value.items()}


class _File(_Part):
    trust_domain: str = Field("cluster.local", alias="trustDomain")
    services: list[_Service] = []
    proxies: list[_Proxy] = []


@dataclass(frozen=True, slots=True)
class LocalService:
    """A service; with an `account` its endpoints are asked for that identity over mutual TLS."""

    id: Name
    port: int
    protocol: str
    endpoints: tuple[Address, ...]
    account: Name | None


@dataclass(frozen=True, slots=True)
class Inbound:
    """Where a proxy lets others in, where the application is, and which port of the pod that stands for."""

    listen: Address
    application: Address
    port: int
    protocol: str


@dataclass(frozen=True, slots=True)
class LocalProxy:
    """One Envoy."""

    name: str
    account: Name | None
    outbound: tuple[tuple[Name, Address], ...] = ()
    inbound: Inbound | None = None


@dataclass(frozen=True, slots=True)
class LocalMesh:
    """Everything that runs."""

    trust_domain: str = "cluster.local"
    services: dict[Name, LocalService] = field(default_factory=dict)
    proxies: dict[str, LocalProxy] = field(default_factory=dict)


def read_local_mesh(path: Path) -> LocalMesh:
    """Read the file; raises `LocalMeshError`."""
    from pilothouse.kube import parse

    try:
        parsed = parse(path.read_text(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise LocalMeshError(f"{path}: {error}") from None
    if parsed.problems:
        raise LocalMeshError(str(parsed.problems[0]))
    return local_mesh(parsed.objects[0].content if parsed.objects else {}, str(path))


def local_mesh(content: Any, path: str) -> LocalMesh:
    """The mesh of a file's content."""
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise LocalMeshError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from None
    services = {}
    for service in file.services:
        account = _split(service.account) if service.account else None
        endpoints = tuple(map(_parsed, service.endpoints))
        services[_split(service.name)] = LocalService(
            _split(service.name), service.port, service.protocol, endpoints, account
        )
    proxies = {proxy.name: _proxy(proxy, services, path) for proxy in file.proxies}
    if len(proxies) < len(file.proxies):
        raise LocalMeshError(f"{path}: proxies: a name is there twice")
    return LocalMesh(file.trust_domain, services, proxies)


def kube_services(mesh: LocalMesh) -> dict[Name, Service]:
    """The services as Kubernetes would have them: with the account that answers for each."""
    return {
        id: Service(
            id,
            (ServicePort(one.port, one.port, one.protocol),),
            (),
            (one.account.name,) if one.account and one.account.namespace == id.namespace else (),
        )
        for id, one in mesh.services.items()
    }


def kube_workloads(mesh: LocalMesh) -> dict[Name, Workload]:
    """The proxies that have an account, as the pods that they stand beside."""
    return {
        (id := Name(proxy.account.namespace, name)): Workload(id, (), proxy.account.name)
        for name, proxy in mesh.proxies.items()
        if proxy.account
    }


def _proxy(proxy: _Proxy, services: dict[Name, LocalService], path: str) -> LocalProxy:
    for service in proxy.outbound:
        if _split(service) not in services:
            raise LocalMeshError(f"{path}: proxies.{proxy.name}.outbound: {service} is not among the services")
    if proxy.inbound and not proxy.account:
        raise LocalMeshError(f"{path}: proxies.{proxy.name}: who lets others in needs an account")
    inbound = None
    if given := proxy.inbound:
        inbound = Inbound(_parsed(given.listen), _parsed(given.application), given.port, given.protocol)
    outbound = tuple((_split(service), _parsed(text)) for service, text in proxy.outbound.items())
    return LocalProxy(proxy.name, _split(proxy.account) if proxy.account else None, outbound, inbound)


def _split(text: str) -> Name:
    namespace, _, name = text.partition("/")
    return Name(namespace, name)


def _parsed(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return Address(host.strip("[]"), int(port))
