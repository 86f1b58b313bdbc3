"""chDB: ClickHouse in this process, on a directory.

Facts that shape this file (chDB 26.9): queries on one handle run one after another, on several in parallel; a
streaming query occupies its handle until it is read; one directory a process, one process a directory. The
clickhouse-connect backend shares a single handle for a path, so it cannot serve two queries at a time:
docs/adr/0002 says why this talks to chDB itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from pilothouse.engine.arrow import END
from pilothouse.engine.binding import bind, identifier, quote
from pilothouse.engine.caching import cache_size
from pilothouse.engine.clearing import Clearing
from pilothouse.engine.configuring import configured
from pilothouse.engine.errors import (
    BudgetExceededError,
    EngineBusyError,
    EngineError,
    EngineUnavailableError,
    from_clickhouse,
)
from pilothouse.engine.loading import load_chdb
from pilothouse.engine.mending import mended
from pilothouse.engine.model import Budget, Parameter, SegmentStatement
from pilothouse.engine.rows_file import RowsFile
from pilothouse.engine.settings import query_settings, schema_in_file, storing_settings
from pilothouse.engine.writing import Writes

if TYPE_CHECKING:
    import pyarrow as pa

log = structlog.get_logger(__name__)

# Within a process there is nothing to gain by compressing an answer.
_UNPACKED = ", output_format_arrow_compression_method = 'none'"


class EmbeddedEngine:
    """A pool of handles on one chDB directory."""

    def __init__(self, directory: Path, handles: int = 4, cache_bytes: int | None = None, database: str = "") -> None:
        """`cache_bytes` is for text that stays decompressed between queries; a share of memory when not said.

        `database` is where this engine's tables are, made when it is not there: several engines of one process on
        one directory are as far apart as their databases.
        """
        chdb = load_chdb()
        self.directory = directory
        self._cache_bytes = cache_size() if cache_bytes is None else cache_bytes
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except (FileExistsError, NotADirectoryError):
            raise EngineError(f"{directory} cannot be the store: it is not a directory") from None
        address = configured(directory, self._cache_bytes)
        # chdb and chdb-core both bring a package of this name, and which one's error is the public one depends on
        # the order of installation; both are raised as RuntimeError or as what the package names.
        self._error: tuple[type[Exception], ...] = (chdb.ChdbError, RuntimeError)
        self._schemas = directory.resolve() / "schemas"
        self._written: set[Path] = set()
        self._rows = RowsFile(directory)
        self._made: tuple[Path, str, int] | None = None
        self._writes = Writes()
        try:
            connect: Any = chdb.connect
            first = connect(address)
            if database:
                first.query(f"CREATE DATABASE IF NOT EXISTS {identifier(database)} ENGINE = Atomic", "CSV")
                first.query(f"USE {identifier(database)}", "CSV")

            def another() -> Any:
                handle = connect(address)
                if database:
                    handle.query(f"USE {identifier(database)}", "CSV")
                return handle

            self._another = another
            opened = [first, *(another() for _ in range(handles + 1))]
        except Exception as error:
            raise _opening_error(directory, error) from None
        # Storing and cancelling have handles of their own: queries must not be able to starve them.
        self._storing, self._control, *rest = opened
        self._storing_lock, self._control_lock = threading.Lock(), threading.Lock()
        self._clearing = Clearing(self.beside)
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()
        self._handles = len(rest)
        for handle in rest:
            self._idle.put(handle)

    def query(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, budget: Budget | None = None
    ) -> pa.Table:
        import numpy as np
        import pyarrow as pa

        # chDB's own "ArrowTable" imports pandas, which takes longer than opening the store.
        with self._handle() as handle:
            text = sql + self._settings(budget) + _UNPACKED
            answer = self._run(handle, text, parameters, "ArrowStream")
            view = answer.get_memview().view()
        if bytes(view[-len(END) :]) != END:
            raise EngineError("the store's answer broke off: ask again")
        # The answer owns the memory that the table lies in: large answers are not copied.
        address = np.frombuffer(view, np.uint8).ctypes.data
        return mended(pa.ipc.open_stream(pa.foreign_buffer(address, len(view), base=answer)).read_all())

    def stream(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, budget: Budget | None = None
    ) -> Iterator[pa.RecordBatch]:
        text = sql + self._settings(budget)
        with self._handle() as handle:
            try:
                with handle.send_query(text, "Arrow", params=bind(parameters)) as result:
                    yield from result.record_batch()
            except self._error as error:
                raise from_clickhouse(str(error)) from None

    def command(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        try:
            with self._handle() as handle:
                self._run(handle, sql, parameters, "CSV")
        finally:
            self._writes.commanded()

    def store_segment(self, statement: SegmentStatement, segment: Path, token: str) -> None:
        source = f"file({quote(str(segment))}, 'ProtobufSingle', {quote(statement.structure)})"
        sql = (
            f"INSERT INTO {statement.table} ({', '.join(statement.columns)}) "
            f"{statement.select.replace('{segment}', source)} {storing_settings(token, self._schema(statement))}"
        )
        with self._storing_lock:
            oldest = None
            try:
                oldest = self._store_block(statement, segment, token)
                if oldest is None:
                    self._run(self._storing, sql, None, "CSV")
            finally:
                self._writes.stored(statement.table, oldest)

    def _store_block(self, statement: SegmentStatement, segment: Path, token: str) -> int | None:
        """The least time of the segment's rows if they could be had as columns, and are stored now."""
        block = statement.block
        if block is None:
            return None
        try:
            if self._made is None or self._made[:2] != (segment, block.structure):
                self._made = None
                written = block.write(segment, self._rows.room)
                if written is None:
                    return None
                # Several tables may be filled from what was made once.
                self._made = segment, block.structure, written[1]
        except OSError as error:
            log.warning("no columns of a segment", segment=segment.name, reason=str(error))
            return None
        oldest = self._made[2]
        rows = f"file({self._rows.file}, 'Native', {quote(block.structure)})"
        sql = (
            f"INSERT INTO {statement.table} ({', '.join(block.into)}) "
            f"{block.select.replace('{rows}', rows)} {storing_settings(token)}"
        )
        try:
            self._run(self._storing, sql, None, "CSV")
        except (EngineUnavailableError, BudgetExceededError):
            raise
        except EngineError as error:
            log.warning("columns of a segment were refused", segment=segment.name, reason=str(error))
            return None
        return oldest

    def writes(self, table: str) -> int | None:
        return self._writes.number(table)

    def oldest_since(self, table: str, writes: int) -> int | None:
        return self._writes.oldest_since(table, writes)

    def cancel(self, name: str) -> None:
        self.beside("KILL QUERY WHERE Settings['log_comment'] = {name:String} ASYNC", {"name": name})

    def beside(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> str:
        """Run a short statement that waits for no query."""
        with self._control_lock:
            return str(self._run(self._control, sql, parameters, "TSV"))

    def _settings(self, budget: Budget | None) -> str:
        if budget and budget.cached and self._cache_bytes:
            self._clearing.asked()
        return query_settings(budget or Budget(), self._cache_bytes)

    def close(self) -> None:
        self._clearing.close()
        with self._storing_lock, self._control_lock:
            for handle in (self._storing, self._control, *(self._idle.get() for _ in range(self._handles))):
                handle.close()
            self._rows.close()

    @contextmanager
    def _handle(self) -> Iterator[Any]:
        handle = self._idle.get()
        try:
            yield handle
        except BaseException:
            handle = self._renewed(handle)
            raise
        finally:
            self._idle.put(handle)

    def _renewed(self, handle: Any) -> Any:
        """A handle in the place of one whose query failed, was cancelled, or was not read to its end.

        Such a handle may give the next query the answer to the one before (seen with chDB 26.9 after KILL QUERY).
        """
        try:
            fresh = self._another()
        except self._error:
            return handle
        with suppress(*self._error):
            handle.close()
        return fresh

    def _schema(self, statement: SegmentStatement) -> str:
        # A schema given as text is kept by chDB in the current directory, which is not ours to fill.
        name = hashlib.sha256(statement.schema.encode()).hexdigest()[:16]
        file = self._schemas / f"{statement.message}-{name}.proto"
        if file not in self._written:
            self._schemas.mkdir(exist_ok=True)
            file.write_text(statement.schema)
            self._written.add(file)
        return schema_in_file(str(file), statement.message)

    def _run(self, handle: Any, sql: str, parameters: Mapping[str, Parameter] | None, answer: str) -> Any:
        try:
            return handle.query(sql, answer, params=bind(parameters))
        except self._error as error:
            raise from_clickhouse(str(error)) from None


def _opening_error(directory: Path, error: Exception) -> EngineError:
    # chDB reports every failure to open in the same words; whether the lock is taken is for us to see.
    if _is_locked(directory / "status"):
        return EngineBusyError(f"another process is using {directory}: stop it, or choose another --data")
    found = from_clickhouse(str(error))
    remedy = "`pilothouse restore` puts a backup into a directory of its own"
    return type(found)(f"the store in {directory} cannot be opened: {found}; {remedy}", found.code)


def _is_locked(status: Path) -> bool:
    try:
        with status.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
