"""A ClickHouse server or cluster over HTTP, by clickhouse-connect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from pilothouse.engine.arrow import END
from pilothouse.engine.binding import identifier, quote
from pilothouse.engine.errors import EngineError, EngineUnavailableError, from_clickhouse
from pilothouse.engine.mending import mended
from pilothouse.engine.migrating import Layout
from pilothouse.engine.model import Budget, Parameter, SegmentStatement
from pilothouse.engine.settings import query_settings, schema_in_text, storing_settings
from pilothouse.masking import masked

if TYPE_CHECKING:
    import pyarrow as pa

# What an address may say after its "?".
_KNOWN = ("cluster", "storage_policy")
_TEXT_AS_STRINGS = {"output_format_arrow_string_as_string": 1}


class ServerEngine:
    """One HTTP client with its own connection pool; sessions are off, so queries run in parallel."""

    def __init__(self, address: str, tenant: str = "") -> None:
        """A `tenant` has its tables in a database of its own, named after the address' and made when not there."""
        import clickhouse_connect
        from clickhouse_connect.driver.exceptions import ClickHouseError

        try:
            parts, port = urlsplit(address), urlsplit(address).port
        except ValueError:
            # What was taken for the port may be a password with a character in it that has to be quoted.
            raise EngineError(
                "store: the address cannot be read: the port must be a number, and #, ? and / of a password quoted "
                "(%23, %3F, %2F)"
            ) from None
        asked = parse_qs(parts.query)
        if unknown := sorted(asked.keys() - _KNOWN):
            raise EngineError(f"store: the address knows no {unknown[0]}: only {', '.join(_KNOWN)}")
        self.layout = Layout(*(asked.get(name, [""])[0] for name in _KNOWN))
        self._error: type[Exception] = ClickHouseError
        secure = parts.scheme == "clickhouses"
        database = parts.path.strip("/") or "default"
        given: dict[str, Any] = {
            "host": parts.hostname or "localhost",
            "port": port or (8443 if secure else 8123),
            "username": unquote(parts.username or "default"),
            "password": unquote(parts.password or ""),
            "secure": secure,
            "autogenerate_session_id": False,
        }
        try:
            if tenant:
                first: Any = clickhouse_connect.get_client(**given, database=database)
                database = f"{database}_{tenant}"
                everywhere = f" ON CLUSTER {quote(self.layout.cluster)}" if self.layout.cluster else ""
                first.command(f"CREATE DATABASE IF NOT EXISTS {identifier(database)}{everywhere}")
                first.close()
            self._client: Any = clickhouse_connect.get_client(**given, database=database)
        except ClickHouseError as error:
            where = f"{parts.hostname}:{given['port']}"
            raise EngineUnavailableError(f"no ClickHouse answers at {where}: {masked(str(error))}") from None

    def query(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, budget: Budget | None = None
    ) -> pa.Table:
        text = sql + query_settings(budget or Budget())
        try:
            # Not as an Arrow file, which may not have a dictionary for each block of the answer.
            raw = self._client.raw_query(text, dict(parameters or {}), _TEXT_AS_STRINGS, fmt="ArrowStream")
        except self._error as error:
            raise from_clickhouse(str(error)) from None
        return mended(_whole(raw))

    def stream(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, budget: Budget | None = None
    ) -> Iterator[pa.RecordBatch]:
        text = sql + query_settings(budget or Budget())
        try:
            with self._client.query_arrow_stream(text, parameters=dict(parameters or {}), use_strings=True) as batches:
                yield from batches
        except self._error as error:
            raise from_clickhouse(str(error)) from None

    def command(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        try:
            self._client.command(sql, parameters=dict(parameters or {}))
        except self._error as error:
            raise from_clickhouse(str(error)) from None

    def store_segment(self, statement: SegmentStatement, segment: Path, token: str) -> None:
        try:
            data = segment.read_bytes()
        except OSError as error:
            raise EngineError(f"{segment}: {error.strerror}") from None
        if not data:
            # Nobody speaks in an empty message; a statement that waits for data and gets none is refused.
            return
        select = statement.select.replace("{segment}", f"input({quote(statement.structure)})")
        sql = (
            f"INSERT INTO {statement.table} ({', '.join(statement.columns)}) {select} "
            f"{storing_settings(token, schema_in_text(statement))} FORMAT ProtobufSingle"
        )
        try:
            self._client.command(sql, data=data)
        except self._error as error:
            raise from_clickhouse(str(error)) from None

    def oldest_since(self, table: str, writes: int) -> int | None:
        return None

    def writes(self, table: str) -> int | None:
        return None

    def cancel(self, name: str) -> None:
        self.command("KILL QUERY WHERE Settings['log_comment'] = {name:String} ASYNC", {"name": name})

    def close(self) -> None:
        self._client.close()


def _whole(stream: bytes) -> pa.Table:
    """The table of an answer; raises what went wrong after its first part was sent."""
    import pyarrow as pa

    if not stream.endswith(END):
        _, found, reason = stream.rpartition(b"Code: ")
        if found:
            raise from_clickhouse((found + reason).decode(errors="replace"))
        raise EngineUnavailableError("the store's answer broke off: ask again")
    return pa.ipc.open_stream(stream).read_all()
