"""What all tests share: an embedded engine, and a real server process on free ports."""

from __future__ import annotations

import functools
import gc
import hashlib
import os
import signal
import ssl
import warnings
import weakref
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from pilothouse.engine import Engine, open_engine
from pilothouse.engine.arrow import do_without_pandas
from tests.forking import fork
from tests.one_store import EmptyStore, one_store
from tests.running import RunningServer, Starting, start_server
from tests.scheduling import pytest_collection_modifyitems, pytest_xdist_make_scheduler
from tests.thorough import THOROUGH

__all__ = ["pytest_collection_modifyitems", "pytest_xdist_make_scheduler"]


# What is not said otherwise waits five seconds for an answer: too few on a machine that does other things.
_PATIENT: httpx.Timeout = httpx._config.DEFAULT_TIMEOUT_CONFIG
_PATIENT.connect = _PATIENT.read = _PATIENT.write = _PATIENT.pool = 60.0

# The certificates of all the world, read once: each client and each `httpx.get` would read them for 50 ms of CPU, the
# most of what a question to a server costs here. What gives its own certificates is not touched.
_READ_ANEW = httpx.create_ssl_context


@functools.cache
def _world(file: str | None, directory: str | None) -> ssl.SSLContext:
    return _READ_ANEW()


def _certificates(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
    if verify is not True or cert or not trust_env:
        return _READ_ANEW(verify, cert, trust_env)
    return _world(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


httpx._transports.default.create_ssl_context = _certificates

Starting.way = fork

# Tests make tables of their own before they open an engine.
do_without_pandas()

# Started in the background, as some CI does, this process ignores Ctrl-C, and so would all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A run fails for what was changed, not for what chance came upon: PILOTHOUSE_THOROUGH=1 looks for that.
# No deadline for an example: what takes 200 ms here takes two seconds on a machine that does other things.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("thorough", print_blob=True, deadline=None)
settings.load_profile("thorough" if THOROUGH else "fixed")
if not THOROUGH:
    # Hypothesis mixes in what constants it reads in the modules that happen to be imported by then: with those,
    # examples are others in each order of the tests, and the reading takes each process three CPU-seconds.
    providers._get_local_constants = Constants


# What was opened on a server, see `chosen_control`.
_OPENED: weakref.WeakSet[Any] = weakref.WeakSet()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Thousands of tests and all that they import are never garbage: looking through them again and again while they
    are collected is two fifths of that CPU, in each process, and a tenth of the tests' own.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
        gc.set_threshold(50_000, 20, 20)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--engine server`: what opens an embedded store gets a database of a ClickHouse server instead."""
    parser.addoption("--engine", choices=["embedded", "server"], default="embedded", help="which engine tests run on")
    parser.addoption(
        "--control", choices=["sqlite", "postgresql"], default="sqlite", help="which control plane stores are tested on"
    )


def pytest_configure(config: pytest.Config) -> None:
    """What `no_idle_connections` takes from a thread that still asks is closed when nothing holds it any more."""
    if config.getoption("--control") == "postgresql":
        ours = "ignore:Exception ignored in.*socket:pytest.PytestUnraisableExceptionWarning"
        config.addinivalue_line("filterwarnings", ours)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The same for what is only found when all tests are over, which would fail a run that passed."""
    if config.getoption("--control") == "postgresql":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            for _ in range(5):  # what is held by what is found in one pass is found in the next
                gc.collect()


@pytest.fixture(scope="session", autouse=True)
def chosen_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where tests ask for an embedded engine in this process, what `--engine` says."""
    if request.config.getoption("--engine") == "embedded":
        yield
        return
    from pilothouse.engine import embedded
    from pilothouse.engine.server import ServerEngine
    from tests.engine.clickhouse_front import clickhouse

    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as address, pytest.MonkeyPatch.context() as patched:

        def opened(directory: Path, *_: object, **__: object) -> ServerEngine:
            # A directory is a tenant: opened again, it has what it had.
            return ServerEngine(address, hashlib.sha256(str(directory).encode()).hexdigest()[:16])

        patched.setattr(embedded, "EmbeddedEngine", opened)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server, started once; `tests.control.postgres.new_database` makes databases on it."""
    from tests.control.postgres import postgresql

    with postgresql() as address:
        yield address


@pytest.fixture(scope="session", autouse=True)
def chosen_control(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where tests open a control plane's file in this process, what `--control` says."""
    if request.config.getoption("--control") == "sqlite":
        yield
        return
    from sqlalchemy import create_engine

    from pilothouse.control import opening
    from tests.control.postgres import WITHOUT_TLS, new_database

    server, address = request.getfixturevalue("postgres"), opening.address
    newest = new_database(server, "newest")
    opening.open_database(newest).dispose()
    template = newest.rpartition("/")[2]

    with pytest.MonkeyPatch.context() as patched:
        # A file is a database: opened again, it has what it had.
        patched.setattr(
            opening,
            "address",
            lambda url: address(new_database(server, url, template) if url.startswith("sqlite:///") else url),
        )

        def opened(*arguments: Any, **named: Any) -> Any:
            made = create_engine(*arguments, **{**named, "connect_args": WITHOUT_TLS | named.get("connect_args", {})})
            _OPENED.add(made)
            return made

        patched.setattr(opening, "create_engine", opened)
        yield


@pytest.fixture(autouse=True)
def no_idle_connections() -> Iterator[None]:
    """A store that a test leaves open keeps no connection: a server has two hundred, for thousands of tests."""
    yield
    for one in list(_OPENED):
        one.dispose()


@pytest.fixture(scope="session", autouse=True)
def kept_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, chosen_engine: None
) -> Iterator[EmptyStore]:
    """`with kept_store() as engine`: all tables and nothing in them, for a test or for all of a file."""
    directory = tmp_path_factory.mktemp("one-store")
    if request.config.getoption("--engine") == "server":
        numbers = count()
        yield lambda: closing(open_engine(directory / str(next(numbers))))
        return
    with one_store(directory) as store:
        yield store.empty


@pytest.fixture
def engine(kept_store: EmptyStore) -> Iterator[Engine]:
    """An engine with all tables and nothing in them."""
    with kept_store() as found:
        yield found


@pytest.fixture(scope="module")
def files_engine(kept_store: EmptyStore) -> Iterator[Engine]:
    """The same for all tests of a file."""
    with kept_store() as found:
        yield found


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """`pilothouse up` in a process of its own; shared by all tests of a worker, which tell it names of their own."""
    running = start_server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server for one module, whose tests ask for everything there is, or tell it what others must not see."""
    running = start_server(tmp_path_factory.mktemp("new-server"))
    yield running
    running.stop()
