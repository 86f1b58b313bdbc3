"""The aggregated discovery service (xDS, version 3): state of the world and delta, to any number of Envoys.

Order is make before break, as Envoy asks for: clusters, then listeners, then routes, and only when these are accepted
the clusters that nothing names any more go: routes that an Envoy keeps must not lose where they lead. What an Envoy
refuses (NACK) it goes on without, with what it had: the refusal is kept and shown, since a refused change is otherwise
a silent old one.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
import structlog
from google.protobuf import json_format

from pilothouse.mesh.envoy.messages import discovery, packed
from pilothouse.mesh.envoy.resources import CLUSTER, LISTENER, ROUTES

log = structlog.get_logger(__name__)

TYPES = (CLUSTER, LISTENER, ROUTES)
_SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_STREAMS = 128


@dataclass(slots=True)
class ProxyState:
    """What is known of one proxy: per type the version that was last accepted, and what was refused and why."""

    accepted: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    connected: int = 0


@dataclass(frozen=True, slots=True)
class _Version:
    """The resources of one type, packed, each with its own version, and the version of all."""

    name: str
    packed: dict[str, tuple[str, Any]]


class DiscoveryServer:
    """Serves each proxy, by its node id, what was last `put` for it."""

    def __init__(self, address: str = "127.0.0.1:0") -> None:
        self._lock = threading.RLock()
        # For who waits until something is accepted; each stream waits by itself, so that a change for one proxy does
        # not wake the threads of all others.
        self._changed = threading.Condition(self._lock)
        self._streams: dict[str, set[threading.Condition]] = {}
        self._wanted: dict[str, dict[str, _Version]] = {}
        self._later: dict[str, dict[str, tuple[str, Any]]] = {}
        self._states: dict[str, ProxyState] = {}
        self._number = 0
        self._stopping = False
        self.on_refused: Callable[[str, str, str], None] = lambda proxy, kind, reason: None
        self._server = grpc.server(ThreadPoolExecutor(_STREAMS, thread_name_prefix="xds"))
        self._server.add_generic_rpc_handlers((self._handlers(),))
        host = address.rpartition(":")[0]
        self.address = f"{host}:{self._server.add_insecure_port(address)}"
        self._server.start()

    def put(self, wanted: Mapping[str, dict[str, dict[str, dict[str, Any]]]]) -> None:
        """What proxies are to have from now on, by type and name; raises `ValueError`, and changes nothing for any of
        them, when one's is not of Envoy's API.
        """
        # All is made before anything is sent: who sends would only wait for the interpreter meanwhile.
        made = {
            proxy: {
                kind: {name: _one(kind, content) for name, content in resources.get(kind, {}).items()} for kind in TYPES
            }
            for proxy, resources in wanted.items()
        }
        with self._changed:
            for proxy, found in made.items():
                self._put(proxy, found)
            for proxy in made:
                self._wake(proxy)

    def _put(self, proxy: str, made: dict[str, dict[str, tuple[str, Any]]]) -> None:
        before = self._wanted.get(proxy, {})
        if CLUSTER in before and (gone := before[CLUSTER].packed.keys() - made[CLUSTER].keys()):
            self._later[proxy] = made[CLUSTER]
            made[CLUSTER] = {name: before[CLUSTER].packed[name] for name in gone} | made[CLUSTER]
        else:
            self._later.pop(proxy, None)
        self._wanted[proxy] = {kind: self._version(before.get(kind), found) for kind, found in made.items()}

    def state(self, proxy: str) -> ProxyState:
        """What is known of a proxy."""
        with self._changed:
            return self._states.setdefault(proxy, ProxyState())

    def wait_until_accepted(self, proxy: str, seconds: float = 10.0) -> bool:
        """Whether the proxy accepted everything that it is to have within this time."""

        def settled() -> bool:
            state, wanted = self._states.get(proxy, ProxyState()), self._wanted.get(proxy, {})
            return bool(state.refused) or all(
                state.accepted.get(kind) == version.name for kind, version in wanted.items() if version.packed
            )

        with self._changed:
            return self._changed.wait_for(settled, seconds) and not self._states.get(proxy, ProxyState()).refused

    def close(self) -> None:
        """End all streams; Envoys keep what they have."""
        with self._changed:
            self._stopping = True
            for proxy in self._streams:
                self._wake(proxy)
        self._server.stop(grace=0.5).wait()

    def _version(self, before: _Version | None, found: dict[str, tuple[str, Any]]) -> _Version:
        if before and {n: v for n, (v, _) in before.packed.items()} == {n: v for n, (v, _) in found.items()}:
            return before
        self._number += 1
        return _Version(str(self._number), found)

    def _handlers(self) -> grpc.GenericRpcHandler:
        def handler(serve: Callable[..., Iterator[Any]], request: Any, response: Any) -> grpc.RpcMethodHandler:
            return grpc.stream_stream_rpc_method_handler(
                serve, request_deserializer=request.FromString, response_serializer=response.SerializeToString
            )

        whole = handler(self._serve_whole, discovery("DiscoveryRequest"), discovery("DiscoveryResponse"))
        delta = handler(self._serve_delta, discovery("DeltaDiscoveryRequest"), discovery("DeltaDiscoveryResponse"))
        return grpc.method_handlers_generic_handler(
            _SERVICE, {"StreamAggregatedResources": whole, "DeltaAggregatedResources": delta}
        )

    def _serve_whole(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        return _Stream(self, requests, context).whole()

    def _serve_delta(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        return _Stream(self, requests, context).delta()

    def next_version(self, proxy: str, sent: dict[str, str], asked: set[str]) -> tuple[str, _Version] | None:
        """The next type, in order, whose version is not what was sent; the caller holds the lock."""
        for kind in TYPES:
            version = self._wanted.get(proxy, {}).get(kind)
            if kind in asked and version and sent.get(kind) != version.name:
                return kind, version
        return None

    def noted(self, proxy: str, kind: str, version: str, reason: str) -> None:
        """An Envoy's answer to what it was sent; the caller holds the lock."""
        state = self._states.setdefault(proxy, ProxyState())
        if reason:
            state.refused[kind] = reason
            log.error("an Envoy refused its configuration and keeps the last", proxy=proxy, kind=kind, reason=reason)
            self.on_refused(proxy, kind, reason)
        else:
            state.refused.pop(kind, None)
            state.accepted[kind] = version
            self._let_go(proxy, state)
        self._changed.notify_all()

    def _let_go(self, proxy: str, state: ProxyState) -> None:
        """Take away the clusters that are of no use any more, once everything else is accepted."""
        wanted = self._wanted.get(proxy, {})
        if proxy in self._later and all(
            state.accepted.get(kind) == version.name for kind, version in wanted.items() if version.packed
        ):
            wanted[CLUSTER] = self._version(None, self._later.pop(proxy))
            self._wake(proxy)

    def opened(self, proxy: str, wake: threading.Condition) -> None:
        """A stream of a proxy opened; `wake` is to be notified when there is something to send."""
        with self._lock:
            self._streams.setdefault(proxy, set()).add(wake)
            self._states.setdefault(proxy, ProxyState()).connected += 1

    def closed(self, proxy: str, wake: threading.Condition) -> None:
        """It closed again."""
        with self._lock:
            self._streams.get(proxy, set()).discard(wake)
            self._states.setdefault(proxy, ProxyState()).connected -= 1

    def _wake(self, proxy: str) -> None:
        for wake in self._streams.get(proxy, ()):
            wake.notify_all()

    @property
    def lock(self) -> threading.RLock:
        """Held while streams look at what there is to send."""
        return self._lock

    @property
    def stopping(self) -> bool:
        """Whether streams are to end."""
        return self._stopping


class _Stream:
    """One stream of one proxy: a thread reads what it says, the generator sends what it is to have."""

    def __init__(self, server: DiscoveryServer, requests: Iterator[Any], context: grpc.ServicerContext) -> None:
        self._server, self._requests, self._context = server, requests, context
        self._proxy = ""
        self._asked: set[str] = set()
        self._sent: dict[str, str] = {}
        self._nonces: dict[str, tuple[str, str]] = {}
        self._known: dict[str, dict[str, str]] = {}
        self._over = False
        self._number = 0
        self._wake = threading.Condition(server.lock)

    def whole(self) -> Iterator[Any]:
        """State of the world: all resources of a type whenever one changes."""
        for kind, version in self._changes():
            yield discovery("DiscoveryResponse")(
                version_info=version.name, type_url=kind, nonce=self._nonce(kind, version.name),
                resources=[found for _, found in version.packed.values()],
            )  # fmt: skip

    def delta(self) -> Iterator[Any]:
        """Only what changed, and the names of what is gone."""
        for kind, version in self._changes():
            known = self._known.get(kind, {})
            now = {name: own for name, (own, _) in version.packed.items()}
            changed = [
                discovery("Resource")(name=name, version=own, resource=found)
                for name, (own, found) in version.packed.items()
                if known.get(name) != own
            ]
            self._known[kind] = now
            yield discovery("DeltaDiscoveryResponse")(
                system_version_info=version.name, type_url=kind, nonce=self._nonce(kind, version.name),
                resources=changed, removed_resources=[name for name in known if name not in now],
            )  # fmt: skip

    def _changes(self) -> Iterator[tuple[str, _Version]]:
        threading.Thread(target=self._listen, daemon=True, name="xds-requests").start()
        self._context.add_callback(self._end)
        try:
            while True:
                with self._wake:
                    found = None
                    while not self._over and not self._server.stopping:
                        if found := self._server.next_version(self._proxy, self._sent, self._asked):
                            break
                        self._wake.wait()
                    if found is None:
                        return
                    self._sent[found[0]] = found[1].name
                yield found
        finally:
            if self._proxy:
                self._server.closed(self._proxy, self._wake)

    def _listen(self) -> None:
        try:
            for request in self._requests:
                if not self._proxy:
                    self._proxy = request.node.id
                    self._server.opened(self._proxy, self._wake)
                self._take(request)
        except grpc.RpcError:
            pass
        finally:
            self._end()

    def _take(self, request: Any) -> None:
        with self._wake:
            if request.response_nonce in self._nonces:
                kind, version = self._nonces.pop(request.response_nonce)
                self._server.noted(self._proxy, kind, version, request.error_detail.message)
            if request.type_url not in self._asked and hasattr(request, "initial_resource_versions"):
                # What an Envoy has from an earlier stream: only so can it be told what is gone since.
                had = {entry.key: entry.value for entry in request.initial_resource_versions}
                self._known[request.type_url] = had
            self._asked.add(request.type_url)
            self._wake.notify_all()

    def _nonce(self, kind: str, version: str) -> str:
        self._number += 1
        nonce = f"{version}-{self._number}"
        self._nonces[nonce] = (kind, version)
        return nonce

    def _end(self) -> None:
        with self._wake:
            self._over = True
            self._wake.notify_all()


def _one(kind: str, content: dict[str, Any]) -> tuple[str, Any]:
    """A resource with its version: the hash of its content."""
    try:
        return _packed(kind, json.dumps(content, sort_keys=True))
    except json_format.ParseError as error:
        raise ValueError(f"{content.get('name')}: {error}") from None


@functools.lru_cache(4096)
def _packed(kind: str, text: str) -> tuple[str, Any]:
    """Made and checked once, however many proxies get it, and however often it stays as it is."""
    return hashlib.sha256(text.encode()).hexdigest()[:16], packed({"@type": kind} | json.loads(text))
