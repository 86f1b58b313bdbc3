"""The SETTINGS clauses: what a budget means, and how a segment is read."""

from pilothouse.engine.binding import quote
from pilothouse.engine.model import Budget, SegmentStatement

# One block a segment and table, so that storing it is atomic and a replay cuts it the same way.
_ONE_BLOCK = (
    "min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 4000000000, "
    "max_insert_threads = 1, max_threads = 1, max_partitions_per_insert_block = 0, "
    # Merges make them: what was just stored is little to read.
    "materialize_skip_indexes_on_insert = 0"
)


# ClickHouse counts rows, not bytes, to see whether the cache can hold them; a log line has about so many bytes.
_ROW_BYTES = 150


def query_settings(budget: Budget, cache_bytes: int = 0) -> str:
    """The clause that holds a query to its budget, to append to a statement; `cache_bytes` is the cache's size."""
    pairs = {
        "max_execution_time": f"{budget.seconds:g}",
        "max_memory_usage": str(budget.memory_bytes),
        "max_bytes_before_external_group_by": str(budget.memory_bytes // 2),
        "max_bytes_before_external_sort": str(budget.memory_bytes // 2),
        "max_threads": str(budget.threads),
        "max_bytes_to_read": str(budget.read_bytes),
        "log_comment": quote(budget.name),
        "enable_time_series_aggregate_functions": "1",
        # From a trace's id to its rows by the projection, however small the table is.
        "min_table_rows_to_use_projection_index": "0",
    }
    if budget.cached and cache_bytes:
        # A query over more than the cache holds would push everything out of it and find nothing in it.
        pairs |= {
            # What it puts there is counted as its own, though the cache bounds it and keeps it.
            "max_memory_usage": str(budget.memory_bytes + cache_bytes),
            "use_uncompressed_cache": "1",
            "merge_tree_max_rows_to_use_cache": str(cache_bytes // _ROW_BYTES),
            "merge_tree_max_bytes_to_use_cache": "0",
        }
    return " SETTINGS " + ", ".join(f"{name} = {value}" for name, value in pairs.items())


def storing_settings(token: str, schema: str = "") -> str:
    """The clause with which a segment is stored once for its token; `schema` says how to parse it, if it has to be."""
    clause = f"SETTINGS {_ONE_BLOCK}, insert_deduplication_token = {quote(token)}"
    return f"{clause}, {schema}" if schema else clause


def schema_in_file(path: str, message: str) -> str:
    """Read with a .proto file on this machine."""
    return f"format_schema_source = 'file', format_schema = {quote(f'{path}:{message}')}"


def schema_in_text(statement: SegmentStatement) -> str:
    """Read with the .proto text itself, for an engine that does not see our files."""
    return (
        f"format_schema_source = 'string', format_schema = {quote(statement.schema)}, "
        f"format_schema_message_name = {quote(statement.message)}"
    )
