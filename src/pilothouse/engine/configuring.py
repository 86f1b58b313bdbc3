"""The configuration of the embedded ClickHouse: what it has no SQL for.

Parts are compressed by their size: what was just stored with LZ4, which costs a third of what ZSTD costs; what was
merged from it with ZSTD, once and for long. So a column names a codec only where it needs another than this one.
"""

from __future__ import annotations

from pathlib import Path

from pilothouse.engine.errors import EngineError

_MERGED_BYTES = 8_000_000
_LARGE_BYTES = 500_000_000
_CONFIG = f"""<clickhouse>
  <uncompressed_cache_size>{{cache_bytes}}</uncompressed_cache_size>
  <compression>
    <case>
      <min_part_size>{_LARGE_BYTES}</min_part_size><min_part_size_ratio>0</min_part_size_ratio>
      <method>zstd</method><level>3</level>
    </case>
    <case>
      <min_part_size>{_MERGED_BYTES}</min_part_size><min_part_size_ratio>0</min_part_size_ratio>
      <method>zstd</method><level>1</level>
    </case>
  </compression>
</clickhouse>
"""


def configured(directory: Path, cache_bytes: int = 0) -> str:
    """The address to connect to for the store in `directory`, whose configuration is written beside its data.

    `cache_bytes` of decompressed blocks stay in memory, for queries that ask for it.

    In an address, "?" begins options and "&" divides them, and neither can be escaped: a directory with the first in
    its name is refused with `EngineError`, one with the second does without the configuration.
    """
    if "?" in str(directory):
        raise EngineError(f'{directory}: a data directory cannot have "?" in its name; choose another --data')
    if "&" in str(directory.resolve()):
        return str(directory)
    file, config = directory.resolve() / "engine.xml", _CONFIG.format(cache_bytes=cache_bytes)
    if not file.exists() or file.read_text() != config:
        file.write_text(config)
    return f"{directory}?config-file={file}"
