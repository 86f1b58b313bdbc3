"""A mesh of real Envoys on loopback, with mutual TLS, answers as the reference evaluator says."""

from __future__ import annotations

import http.client
import http.server
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pilothouse.mesh.envoy.binary import EnvoyMissingError, find
from pilothouse.mesh.envoy.discovery import DiscoveryServer
from pilothouse.mesh.envoy.local import LocalMesh, LocalMeshError, local_mesh
from pilothouse.mesh.envoy.resources import CLUSTER, ROUTES, prepare, snapshot
from pilothouse.mesh.envoy.running import RunningMesh
from pilothouse.mesh.evaluating import Call, HttpRequest, Identity, access, route
from pilothouse.mesh.model import (
    Backend,
    Configuration,
    HttpMatch,
    HTTPRouteGroup,
    IdentityRef,
    Name,
    PortRoute,
    Rule,
    TrafficSplit,
    TrafficTarget,
)
from tests.ports import free_port

SHOP = "shop"
WEB, ADMIN, CHECKOUT = Name(SHOP, "web"), Name(SHOP, "admin"), Name(SHOP, "checkout")


class Backends:
    """HTTP servers that answer with their own name."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.ports: dict[str, int] = {}
        self._servers = []
        for name in names:

            class Handler(http.server.BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"
                wbufsize = 65536
                answer = name.encode()

                def do_any(self) -> None:
                    self.send_response(200)
                    self.send_header("content-length", str(len(self.answer)))
                    self.end_headers()
                    self.wfile.write(self.answer)

                do_GET = do_POST = do_DELETE = do_any  # noqa: N815

                def log_message(self, *_: object) -> None:
                    """Tests read answers, not logs."""

            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.ports[name] = server.server_port
            self._servers.append(server)

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


@pytest.fixture(scope="module")
def envoy() -> Path:
    """The program; where it cannot be had, these tests say so."""
    try:
        return find()
    except EnvoyMissingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def backends() -> Iterator[Backends]:
    made = Backends(("v1", "v2", "own"))
    yield made
    made.close()


def _mesh(backends: Backends, secure: bool) -> tuple[LocalMesh, dict[str, str]]:
    """Clients web and admin with a proxy each; with `secure` the backends stand behind proxies of their own."""
    inbound = {name: free_port() for name in ("v1", "v2")}
    listen = {name: free_port() for name in ("web", "admin")}
    endpoints = {name: f"127.0.0.1:{inbound[name] if secure else backends.ports[name]}" for name in inbound}
    account = {"account": "shop/checkout"} if secure else {}
    services = [{"name": f"shop/{name}", "endpoints": [endpoint], **account} for name, endpoint in endpoints.items()]
    services.append({"name": "shop/checkout", "endpoints": [f"127.0.0.1:{backends.ports['own']}"]})
    proxies: list[dict[str, object]] = [
        {"name": name, "account": f"shop/{name}", "outbound": {"shop/checkout": f"127.0.0.1:{port}"}}
        for name, port in listen.items()
    ]
    if secure:
        for name, port in inbound.items():
            doors = {"listen": f"127.0.0.1:{port}", "application": f"127.0.0.1:{backends.ports[name]}", "port": 80}
            proxies.append({"name": name, "account": "shop/checkout", "inbound": doors})
    urls = {name: f"http://127.0.0.1:{port}" for name, port in listen.items()}
    return local_mesh({"services": services, "proxies": proxies}, "test"), urls


def _split(first: int, second: int, matches: tuple[str, ...] = ()) -> TrafficSplit:
    return TrafficSplit(Name(SHOP, "s"), "checkout", (Backend("v1", first), Backend("v2", second)), matches)


def _settled(running: RunningMesh, mesh: LocalMesh) -> None:
    for name in mesh.proxies:
        assert running.discovery.wait_until_accepted(name, 60), running.discovery.state(name)


def _status(url: str, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """The raw path goes out as it is: clients would normalise it."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


GROUPS = (
    HTTPRouteGroup(Name(SHOP, "api"), (HttpMatch("cart", "/api/cart", ("GET", "POST")), HttpMatch("x", "/x[0-9]+$"))),
    HTTPRouteGroup(Name(SHOP, "beta"), (HttpMatch("lane", "", (), (("x-lane", "beta-.*"),)),)),
    HTTPRouteGroup(Name(SHOP, "metrics"), (HttpMatch("m", "/metrics"),)),
)
PATHS = ("/", "/api/cart", "/api/cart/7", "/api/cartoon", "/x7", "/x7a", "/metrics", "/api", "/api/cart?x=/metrics")


def _random(chosen: random.Random) -> Configuration:
    made = Configuration()
    for group in GROUPS:
        made.add(group)
    made.add(PortRoute(Name(SHOP, "p80"), "TCPRoute", (80,)))
    made.add(PortRoute(Name(SHOP, "p81"), "TCPRoute", (81,)))
    for number in range(chosen.randrange(1, 4)):
        sources = chosen.sample((WEB, ADMIN, Name(SHOP, "nobody")), chosen.randrange(1, 3))
        kinds = chosen.sample(("api", "beta", "metrics", "p80", "p81", "gone"), chosen.randrange(1, 4))
        rules = tuple(Rule("TCPRoute" if name.startswith("p") else "HTTPRouteGroup", name) for name in kinds)
        refs = tuple(IdentityRef("ServiceAccount", source) for source in sources)
        destination = IdentityRef("ServiceAccount", CHECKOUT)
        made.add(TrafficTarget(Name(SHOP, f"t{number}"), destination, refs, rules))
    # One backend gets all, so that the answer tells where a request was routed.
    made.add(_split(1, 0) if chosen.random() < 0.5 else _split(0, 1))
    return made


def test_random_configurations_answer_as_the_evaluator_says(envoy: Path, backends: Backends) -> None:
    mesh, urls = _mesh(backends, secure=True)
    chosen, seen = random.Random(7), Counter[int]()
    with RunningMesh(mesh, envoy) as running:
        running.apply(_random(chosen))
        running.start()
        for _ in range(12):
            configuration = _random(chosen)
            running.apply(configuration)
            _settled(running, mesh)
            time.sleep(0.1)
            for _ in range(25):
                who = chosen.choice(("web", "admin"))
                method, path = chosen.choice(("GET", "POST", "DELETE")), chosen.choice(PATHS)
                headers = {"X-Lane": chosen.choice(("beta-1", "stable"))} if chosen.random() < 0.4 else {}
                request = HttpRequest(method, path, headers)
                [(backend, _)] = route(configuration, CHECKOUT, request).backends
                call = Call(Identity(Name(SHOP, who)), Identity(CHECKOUT), 80, request)
                expected = (200, backend.name) if access(configuration, call).allowed else (403, "RBAC: access denied")
                assert _status(urls[who], method, path, headers) == expected, (configuration, call)
                seen[expected[0]] += 1
    assert min(seen[200], seen[403]) > 30


@pytest.mark.parametrize("path", ["/api/cart/../../metrics", "/api/cart/%2e%2e/%2e%2e/metrics", "//metrics"])
def test_a_path_is_normalised_before_it_is_compared(envoy: Path, backends: Backends, path: str) -> None:
    mesh, urls = _mesh(backends, secure=True)
    made = Configuration()
    for group in GROUPS:
        made.add(group)
    web = (IdentityRef("ServiceAccount", WEB),)
    made.add(
        TrafficTarget(Name(SHOP, "t"), IdentityRef("ServiceAccount", CHECKOUT), web, (Rule("HTTPRouteGroup", "api"),))
    )
    made.add(_split(1, 0))
    with RunningMesh(mesh, envoy) as running:
        running.apply(made)
        running.start()
        _settled(running, mesh)
        assert _status(urls["web"], "GET", "/api/cart", {}) == (200, "v1")
        assert _status(urls["web"], "GET", path, {})[0] == 403
        assert _status(urls["admin"], "GET", "/api/cart", {})[0] == 403


def test_weights_hold_and_what_no_match_takes_goes_to_the_service_itself(envoy: Path, backends: Backends) -> None:
    mesh, urls = _mesh(backends, secure=False)
    made = Configuration()
    made.add(GROUPS[0])
    made.add(_split(3, 1, ("api",)))
    with RunningMesh(mesh, envoy) as running, httpx.Client(base_url=urls["web"]) as client:
        running.apply(made)
        running.start()
        _settled(running, mesh)
        assert client.get("/other").text == "own"
        count = 2000
        share = Counter(client.get("/api/cart").text for _ in range(count))["v1"]
    # Four standard deviations: one false alarm in 15,000 runs.
    assert abs(share - 0.75 * count) <= 4 * (0.75 * 0.25 * count) ** 0.5


def test_a_shift_loses_no_request_and_outlives_the_control_plane(envoy: Path, backends: Backends) -> None:
    mesh, urls = _mesh(backends, secure=False)
    answers: Counter[str] = Counter()
    over = threading.Event()

    def load() -> None:
        with httpx.Client(base_url=urls["web"]) as client:
            while not over.is_set():
                answer = client.get("/")
                answers[answer.text if answer.status_code == 200 else str(answer.status_code)] += 1

    def configured(first: int, second: int) -> Configuration:
        made = Configuration()
        made.add(_split(first, second))
        return made

    running = RunningMesh(mesh, envoy)
    try:
        running.apply(configured(100, 0))
        running.start()
        _settled(running, mesh)
        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        _answered(answers, "v1", 21)
        for first in (75, 25, 0):
            running.apply(configured(first, 100 - first))
            _settled(running, mesh)
            _answered(answers, "v2", answers["v2"] + 10)
        with httpx.Client(base_url=urls["web"]) as client:
            assert {client.get("/").text for _ in range(20)} == {"v2"}
            running.discovery.close()
            assert {client.get("/").text for _ in range(20)} == {"v2"}
        over.set()
        for thread in threads:
            thread.join()
    finally:
        over.set()
        running.close()
    assert set(answers) == {"v1", "v2"}
    assert min(answers.values()) > 20


def test_a_shift_changes_routes_alone(backends: Backends) -> None:
    """A new cluster is the dear part of an update: those of backends that get nothing are there before."""
    mesh, _ = _mesh(backends, secure=False)

    def made(first: int, second: int) -> dict[str, dict[str, dict[str, Any]]]:
        configuration = Configuration()
        configuration.add(_split(first, second))
        return snapshot(prepare(configuration, mesh), mesh, mesh.proxies["web"], Path()).resources

    before, after = made(1, 0), made(0, 1)
    assert {"shop/v1", "shop/v2"} <= before[CLUSTER].keys()
    assert {kind for kind in before if before[kind] != after[kind]} == {ROUTES}


def _answered(answers: Counter[str], version: str, least: int) -> None:
    """Waits until a version has answered so often."""
    deadline = time.monotonic() + 60
    while answers[version] < least:
        assert time.monotonic() < deadline, answers
        time.sleep(0.01)


def test_delta_tells_what_changed_and_after_a_restart_what_is_gone(envoy: Path, backends: Backends) -> None:
    mesh, urls = _mesh(backends, secure=False)

    def configured(*names: str) -> Configuration:
        made = Configuration()
        made.add(TrafficSplit(Name(SHOP, "s"), "checkout", tuple(Backend(name, 1) for name in names)))
        return made

    with RunningMesh(mesh, envoy, delta=True) as running, httpx.Client(base_url=urls["web"]) as client:
        running.apply(configured("v1", "v2"))
        running.start()
        _settled(running, mesh)
        assert {client.get("/").text for _ in range(60)} == {"v1", "v2"}
        admin = f"http://{running.admin('web')}"
        # The control plane goes, and comes back on the same port with another configuration.
        address = running.discovery.address
        running.discovery.close()
        assert {client.get("/").text for _ in range(60)} == {"v1", "v2"}
        running.discovery = DiscoveryServer(address)
        running.apply(configured("v2"))
        _settled(running, mesh)
        assert {client.get("/").text for _ in range(20)} == {"v2"}
        deadline = time.monotonic() + 60
        while "shop/v1::" in (known := httpx.get(f"{admin}/clusters").text):
            assert time.monotonic() < deadline, known
            time.sleep(0.05)
        assert "shop/v2::" in known


def test_what_envoy_refuses_is_told_and_the_last_stays(envoy: Path, backends: Backends) -> None:
    mesh, urls = _mesh(backends, secure=False)
    made = Configuration()
    made.add(_split(1, 0))
    with RunningMesh(mesh, envoy) as running:
        refused: list[tuple[str, str, str]] = []
        running.discovery.on_refused = lambda *said: refused.append(said)
        running.apply(made)
        running.start()
        _settled(running, mesh)
        # Nothing that is read can be this wrong; the evaluator's configuration is made by hand here.
        made.add(TrafficSplit(Name(SHOP, "s"), "checkout", (Backend("v2", 1),), ("broken",)))
        made.add(HTTPRouteGroup(Name(SHOP, "broken"), (HttpMatch("m", "/(?!x)"),)))
        running.apply(made)
        assert not running.discovery.wait_until_accepted("web", 10)
        assert refused[0][0] in mesh.proxies
        assert "perl operator" in refused[0][2]
        assert _status(urls["web"], "GET", "/", {}) == (200, "v1")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"services": [{"name": "checkout"}]}, "services.0.name: must be NAMESPACE/NAME"),
        ({"services": [{"name": "a/b", "endpoints": ["here"]}]}, "services.0.endpoints: must be HOST:PORT"),
        ({"services": [{"name": "a/b", "wieght": 1}]}, "services.0.wieght: Extra inputs are not permitted"),
        ({"proxies": [{"name": "p", "outbound": {"a/b": "h:1"}}]}, "a/b is not among the services"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(content: object, said: str) -> None:
    with pytest.raises(LocalMeshError, match=r"services\.yaml: ") as raised:
        local_mesh(content, "services.yaml")
    assert said in str(raised.value)
