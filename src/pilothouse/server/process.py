"""The process from start to end: lock, store, recovery, ports, and the way back in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn

from pilothouse.control.claiming import Claim
from pilothouse.control.opening import open_database
from pilothouse.engine import open_engine, retention
from pilothouse.releases.rollout.driving import BUILT_IN, Driver
from pilothouse.releases.rollout.observing import Observer
from pilothouse.releases.store import ReleaseStore
from pilothouse.server.access.building import access_of, certificates_of, openid_of
from pilothouse.server.access.callers import DEFAULT_TENANT
from pilothouse.server.access.calls import QUESTIONS_V2, QUESTIONS_V3, Calls
from pilothouse.server.app import Rooms, inner_app, main_app, otlp_app, otlp_port
from pilothouse.server.backups.making import Backups, Source
from pilothouse.server.config import control_database
from pilothouse.server.delivery import LiveDelivery
from pilothouse.server.forge import LiveForge
from pilothouse.server.hazards import LiveHazards
from pilothouse.server.late import LateCalls
from pilothouse.server.leading import Leading
from pilothouse.server.locking import lock
from pilothouse.server.measuring import Measurements
from pilothouse.server.mesh import LiveMesh
from pilothouse.server.shipping import LiveShipping
from pilothouse.server.tenants import tenant_configs
from pilothouse.signals.flushing import FlushLimits, Intake
from pilothouse.signals.receive import other_grpc, otlp_grpc
from pilothouse.signals.receive.checking import TimeLimits
from pilothouse.signals.receive.loki_streams import LokiReceiver
from pilothouse.signals.receive.otlp import Receiver
from pilothouse.signals.receive.remote_write import RemoteWriteReceiver
from pilothouse.signals.spanmetrics import SpanMetrics
from pilothouse.signals.storing import storings
from pilothouse.signals.timerange import parse_duration

if TYPE_CHECKING:
    from pilothouse.delivery.pipelines.serving import PipelineServer
    from pilothouse.engine import Engine
    from pilothouse.releases.rollout.traffic import Shifters, TrafficShifter
    from pilothouse.server.access.admission import Access
    from pilothouse.server.access.certificates import Certificates
    from pilothouse.server.config import Config
    from pilothouse.signals.logs.retaining import Retention
    from pilothouse.signals.metrics.watching import Watching
    from pilothouse.signals.receive.lines_listening import Lines
    from pilothouse.signals.receive.pprof_scraping import ProfileScraper
    from pilothouse.signals.receive.statsd_listening import StatsD
    from pilothouse.signals.traces.thinning import Thinning

log = structlog.get_logger(__name__)

# Queries block a thread each; the engine's pool of handles is what really limits them.
_THREADS = 16
_RENEW_SECONDS = 60
_PROFILES = "/opentelemetry.proto.collector.profiles."
# The least that any system takes (unix(7): 108 on Linux, 104 on macOS).
_LONGEST_SOCKET_PATH = 100


class _Server(uvicorn.Server):
    """Signals are ours: two servers share a loop, and the journal must be written before the process ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Process:
    """Everything that runs. `start` opens it, `serve` blocks until a signal, `close` ends it in order.

    Each tenant has one more of these, without ports: engine, journal, control plane and all that goes on by itself are
    its own, so that there is nothing through which one could see another.
    """

    def __init__(self, config: Config, tenant: str = "", main: Process | None = None) -> None:
        """Opens store and journal and stores what an earlier process left."""
        self._config = config
        self._lock = lock(config.data)
        database = control_database(config, tenant or DEFAULT_TENANT)
        self._certificates = certificates_of(config)
        self._access_database = open_database(database)
        self._access: Access = main._access if main else access_of(config, self._access_database)
        self._engine = open_engine(config.store or config.data / "store", cache_bytes=config.cache_bytes, tenant=tenant)
        kept = parse_duration(config.retention)
        longest = max([kept, *map(parse_duration, config.span_retention.values())])
        self._kept = dict.fromkeys(retention.TABLES, kept) | {"spans": longest}
        self._retaining = self._retained(config, kept)
        limits = FlushLimits(parse_duration(config.flush_interval), waiting_bytes=config.journal_bytes)
        self._intake = Intake(self._engine, config.data / "journal", storings(), limits)
        past, future = parse_duration(config.max_age), parse_duration(config.max_future)
        times = TimeLimits(min(past, kept), future)
        self._receiver = Receiver(self._intake, times)
        self._remote_write = RemoteWriteReceiver(self._intake, times)
        self._span_metrics = SpanMetrics(self._engine, self._receiver, config.span_metrics)
        self._watching = self._watched(config.prometheus_config)
        self._profile_scraper = self._profiles_scraped(config.profiles_config)
        self._measurements: Measurements = main._measurements if main else Measurements()
        loki = LokiReceiver(self._intake, times)
        self._measurements.watch(self._intake, self._receiver, self._remote_write, loki)
        store = ReleaseStore(database)
        self._rollouts = Driver(store.rollouts, Observer(self._engine, store), _shifters(config))
        pipelines = self._piped(config, database)
        forge = None if tenant else LiveForge(config, database)
        delivery = LiveDelivery(config, database, forge, pipelines) if forge else None
        shipping = LiveShipping(
            config, database, store, self._engine, delivery, self._rollouts.shifters,
        )  # fmt: skip
        if delivery:
            delivery.listen(shipping.heard)
        self._rooms = Rooms(
            config,
            self._engine,
            self._intake,
            self._receiver,
            store,
            self._measurements,
            self._remote_write,
            loki,
            watching=self._watching,
            shifters=self._rollouts.shifters,
            pipelines=pipelines,
            access=self._access,
            hazards=LiveHazards(config, database, self._receiver, self._measurements),
            mesh=LiveMesh(config, self._engine),
            tenant=tenant,
            openid=None if tenant else openid_of(config),
            forge=forge,
            delivery=delivery,
            shipping=shipping,
        )
        self._source = Source(self._engine, self._intake, database, config.data / "forge")
        self._tenants = {name: Process(one, name, self) for name, one in tenant_configs(config)}
        if not tenant:
            sources = {name: house._source for name, house in self._houses().items()}
            backups = Backups(Path(config.backups) if config.backups else config.data / "backups", sources)
            self._rooms = replace(self._rooms, backups=backups)
        self._sockets: dict[str, socket.socket] = {}
        self._grpc: Any = None
        self._inner = ""
        self._acting = False
        # Only a database that was named can be another server's too.
        shared = bool(config.database) and not (tenant or config.read_only)
        claim = Claim(self._access_database, "leading") if shared else None
        self._leading = Leading(claim, self._act, _end_in_order) if claim else None

    def begin(self) -> None:
        """Store what an earlier process left."""
        if recovered := self._intake.start():
            log.info("stored what the journal held from before", requests=recovered)
        for tenant in self._tenants.values():
            tenant.begin()

    def _act(self) -> None:
        """Begin what goes on by itself, for all tenants: scraping, rules, rollouts, retention, looking for hazards."""
        for house in self._houses().values():
            house._begin_acting()
        self._begin_asking()

    def _begin_acting(self) -> None:
        self._acting = True
        retention.keep(self._engine, self._kept)
        if self._profile_scraper:
            self._profile_scraper.start()
        self._span_metrics.start()
        self._rollouts.start()
        for one in self._retaining:
            one.start()

    def start(self) -> dict[str, str]:
        """Recover, bind the ports, and return their addresses (`http`, `otlp_http`, `otlp_grpc`)."""
        self.begin()
        for name in ("http", "otlp_http"):
            self._sockets[name] = _bind(getattr(self._config, name))
        if self._config.aggregated_api:
            from pilothouse.server.aggregating import check_files

            check_files(Path(self._config.aggregated_api_tls))
            self._sockets["aggregated_api"] = _bind(self._config.aggregated_api)
        # Tried here first: gRPC says in words of its own, straight to stderr, that an address is taken.
        _bind(self._config.otlp_grpc).close()
        self._grpc, grpc_port = otlp_grpc.serve(
            [Calls({name: _calls(house) for name, house in self._houses().items()}, self._access)],
            self._config.otlp_grpc,
            self._config.max_body_bytes,
            credentials=self._certificates.credentials() if self._certificates else None,
        )
        if not self._config.read_only:
            self._begin_inner()
            if self._leading:
                self._leading.start()
            else:
                self._act()
        host = self._config.otlp_grpc.rpartition(":")[0]
        scheme = "https" if self._certificates else "http"
        if self._rooms.delivery and not self._config.read_only:
            otlp = f"http://{_name(self._sockets['otlp_http'])}"
            self._rooms.delivery.start(f"{scheme}://{_name(self._sockets['http'])}", otlp, self._inner)
        if self._rooms.forge:
            self._rooms.forge.start(f"{scheme}://{_name(self._sockets['http'])}")
        if self._rooms.shipping and not self._config.read_only:
            self._rooms.shipping.start()
        return {
            "http": f"{scheme}://{_name(self._sockets['http'])}",
            "otlp_http": f"{scheme}://{_name(self._sockets['otlp_http'])}",
            "otlp_grpc": f"{scheme}://{host}:{grpc_port}",
        }

    def _begin_inner(self) -> None:
        """What asks and tells over HTTP as others do; where that wants tokens or TLS, over a socket of our own."""
        if not self._access.open or self._certificates:
            self._sockets["inner"], self._inner = _bind_inner(self._config.data)
        if self._rooms.pipelines:
            # Whoever is asked for a run runs it; what is scheduled is the leader's.
            leads = (lambda: bool(self._leading and self._leading.leads)) if self._leading else None
            self._rooms.pipelines.start(f"http://{_name(self._sockets['otlp_http'])}", self._inner, leads)

    def _begin_asking(self) -> None:
        prometheus = f"http://{_name(self._sockets['http'])}/prometheus"
        if self._watching:
            self._watching.start(prometheus)
        if self._rooms.mesh:
            self._rooms.mesh.start()
        if self._rooms.hazards:
            self._rooms.hazards.start(prometheus, self._inner)

    def _houses(self) -> dict[str, Process]:
        return {DEFAULT_TENANT: self, **self._tenants}

    def serve(self, addresses: dict[str, str], on_ready: Callable[[], None]) -> None:
        """Serve until SIGINT or SIGTERM."""
        import uvloop

        uvloop.run(self._serve(addresses, on_ready))
        if self._leading and self._leading.reason:
            raise OSError(self._leading.reason)

    def close(self) -> None:
        """Take no more, store what was acknowledged, let go of the store."""
        if self._leading:
            self._leading.close()
        if self._grpc:
            self._grpc.stop(grace=5).wait()
        for tenant in self._tenants.values():
            tenant.close()
        if self._rooms.pipelines:
            self._rooms.pipelines.close()
        if self._rooms.shipping:
            self._rooms.shipping.close()
        if self._rooms.mesh:
            self._rooms.mesh.close()
        if self._rooms.hazards:
            self._rooms.hazards.close()
        if self._rooms.delivery:
            self._rooms.delivery.close()
        if self._rooms.forge:
            self._rooms.forge.close()
        if self._acting:
            self._end_acting()
        elif self._watching:
            self._watching.close()
        if self._leading:
            self._leading.let_go()
        self._intake.close()
        if not self._rooms.tenant:
            self._measurements.close()
        self._rooms.releases.close()
        self._access_database.dispose()
        self._engine.close()

    def _end_acting(self) -> None:
        self._span_metrics.close()
        for one in self._retaining:
            one.close()
        if self._watching:
            self._watching.close()
        if self._profile_scraper:
            self._profile_scraper.close()
        self._rollouts.stop()

    async def _serve(self, addresses: dict[str, str], on_ready: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="question"))
        rooms = {name: house._rooms for name, house in self._houses().items()}
        servers = {
            "http": _Server(_uvicorn_config(main_app(rooms, addresses), self._certificates)),
            "otlp_http": _Server(_uvicorn_config(otlp_app(rooms), self._certificates, otlp_port(rooms).protocol)),
        }
        if "aggregated_api" in self._sockets:
            from pilothouse.server.aggregating import aggregated_app, tls_config

            app = aggregated_app(self._rooms.mesh)
            servers["aggregated_api"] = _Server(tls_config(app, Path(self._config.aggregated_api_tls)))
        if "inner" in self._sockets:
            servers["inner"] = _Server(_uvicorn_config(inner_app(self._rooms, addresses)))

        def stop() -> None:
            for server in servers.values():
                # A second signal does not wait for open connections.
                server.force_exit = server.should_exit
                server.should_exit = True

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        running = [server.serve(sockets=[self._sockets[name]]) for name, server in servers.items()]
        listening = [] if self._config.read_only else await self._listen()
        loop.call_soon(on_ready)
        renewing = asyncio.ensure_future(self._renew())
        await asyncio.gather(*running)
        renewing.cancel()
        for lines in listening:
            await lines.close()

    async def _renew(self) -> None:
        """Certificates are renewed on disk, by cert-manager for one, while we run."""
        while self._certificates:
            await asyncio.sleep(_RENEW_SECONDS)
            try:
                if self._certificates.renew():
                    log.info("the certificate was renewed", file=self._config.tls_cert)
            except OSError as error:
                log.error("the renewed certificate cannot be used; the one before still is", reason=str(error))

    def _piped(self, config: Config, database: str) -> PipelineServer | None:
        """The pipelines of a directory; imported only where there is one."""
        if not config.pipelines:
            return None
        from pilothouse.delivery.pipelines.errors import PipelineError
        from pilothouse.delivery.pipelines.serving import PipelineServer

        try:
            return PipelineServer(Path(config.pipelines), config.data, database)
        except PipelineError as error:
            raise OSError(str(error)) from None

    def _retained(self, config: Config, kept: float) -> list[Retention | Thinning]:
        """What holds to the rules of retention; imported only where there are some."""
        made: list[Retention | Thinning] = []
        if config.span_retention:
            from pilothouse.signals.traces.thinning import Thinning, rule

            rules = [rule(query, parse_duration(kept_for)) for query, kept_for in config.span_retention.items()]
            made.append(Thinning(self._engine, rules, kept))
        if config.log_retention:
            from pilothouse.signals.logs.retaining import Retention, rules_of

            made.append(Retention(self._engine, rules_of(config.log_retention)))
        return made

    def _watched(self, file: str) -> Watching | None:
        """What a prometheus.yml asks for; it is imported only where there is one."""
        if not file:
            return None
        from pilothouse.signals.metrics.watching import Watching
        from pilothouse.signals.receive.remote_write_messages import Histogram

        return Watching(Path(file), self._engine, self._remote_write.take, Histogram)

    def _profiles_scraped(self, file: str) -> ProfileScraper | None:
        """What asks for profiles; it is imported only where there is something to ask."""
        if not file:
            return None
        from pilothouse.signals.receive.pprof_limits import ProfileLimits
        from pilothouse.signals.receive.pprof_receiving import ProfileReceiver
        from pilothouse.signals.receive.pprof_scraping import ProfileScraper

        largest = self._config.max_body_bytes
        limits = ProfileLimits.of_request(largest)
        return ProfileScraper(Path(file), ProfileReceiver(self._intake, limits))

    async def _listen(self) -> list[Lines | StatsD]:
        """Syslog and plain lines, where the configuration asks for them."""
        from pilothouse.signals.receive.lines_listening import Lines, add_line, add_syslog

        found: list[Lines | StatsD] = []
        for name, add, udp in (("syslog", add_syslog, True), ("lines", add_line, False)):
            if address := getattr(self._config, name):
                lines = Lines(self._receiver, add)
                host, _, port = address.rpartition(":")
                bound = await lines.listen(host.strip("[]") or "127.0.0.1", int(port), udp)
                log.info(f"listening for {name}", port=bound)
                found.append(lines)
        if self._config.statsd or self._config.statsd_socket:
            found.append(await self._statsd())
        return found

    async def _statsd(self) -> StatsD:
        from pilothouse.signals.receive.statsd_listening import StatsD

        statsd = StatsD(self._receiver, parse_duration(self._config.statsd_interval))
        if self._config.statsd:
            host, _, port = self._config.statsd.rpartition(":")
            log.info("listening for statsd", port=await statsd.listen(host.strip("[]") or "127.0.0.1", int(port)))
        if self._config.statsd_socket:
            statsd.listen_at(Path(self._config.statsd_socket))
        return statsd


def _shifters(config: Config) -> Shifters:
    """What may shift traffic here. Which files are changed is the configuration's to say, never a plan's."""
    if not config.mesh_config and not config.mesh:
        return BUILT_IN

    def smi(settings: Mapping[str, Any]) -> TrafficShifter:
        if config.mesh:
            from pilothouse.kube import Cluster
            from pilothouse.mesh.shifting_objects import SplitObjects

            return SplitObjects(lambda: Cluster.connect(config.kube_context), settings)
        from pilothouse.mesh.shifting import SplitFiles

        return SplitFiles({**settings, "config": config.mesh_config})

    return {**BUILT_IN, "smi": smi}


def _end_in_order() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _calls(house: Process) -> list[Any]:
    receiver = house._receiver

    def profiles() -> Any:
        from pilothouse.signals.receive import profiles_grpc

        return profiles_grpc.Handler(house._intake, house._config.max_body_bytes)

    asking = [
        LateCalls(QUESTIONS_V2, lambda: _asking("v2", house._engine)),
        LateCalls(QUESTIONS_V3, lambda: _asking("v3", house._engine)),
    ]
    return [otlp_grpc.Handler(receiver), other_grpc.Handler(receiver), LateCalls(_PROFILES, profiles), *asking]


def _asking(version: str, engine: Engine) -> Any:
    from pilothouse.server import jaeger_v2_calls, jaeger_v3_calls

    return (jaeger_v2_calls if version == "v2" else jaeger_v3_calls).questions(engine)


def _uvicorn_config(app: Any, certificates: Certificates | None = None, http: Any = "httptools") -> uvicorn.Config:
    return uvicorn.Config(
        app, http=http, ws="websockets-sansio", log_config=None, access_log=False, server_header=False,
        lifespan="off", timeout_graceful_shutdown=5, backlog=1024, proxy_headers=False,
        ssl_context_factory=(lambda config, default: certificates.context()) if certificates else None,
    )  # fmt: skip


def _bind_inner(data: Path) -> tuple[socket.socket, str]:
    """A socket for this process itself, and its path: who may open it may read the store beside it anyway."""
    path = data.resolve() / "inner.sock"
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        path = Path(tempfile.mkdtemp(prefix="pilothouse-")) / "inner.sock"
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(str(path))
        path.chmod(0o600)
        bound.listen(64)
    except OSError as error:
        bound.close()
        raise OSError(f"{path}: cannot listen there: {error.strerror or error}") from None
    return bound, str(path)


def _bind(address: str) -> socket.socket:
    """A bound socket; raises `OSError` that says which address is taken."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, int(port)))
        # From here on clients wait in the backlog instead of being refused.
        bound.listen(1024)
    except OSError as error:
        bound.close()
        advice = "; stop what listens there, or choose another address" if error.errno == errno.EADDRINUSE else ""
        raise OSError(f"{address}: cannot listen there: {error.strerror or error}{advice}") from None
    return bound


def _name(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
