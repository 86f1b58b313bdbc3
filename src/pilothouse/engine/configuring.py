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


def configured(directory: Path) -> str:
    """The address to connect to for the store in `directory`, whose configuration is written beside its data.

    In an address, "?" begins options and "&" divides them, and neither can be escaped: a directory with the first in
    its name is refused with `EngineError`, one with the second does without the configuration.
    """
    if "?" in str(directory):
        raise EngineError(f'{directory}: a data directory cannot have "?" in its name; choose another --data')
    if "&" in str(directory.resolve()):
        return str(directory)
    file = directory.resolve() / "engine.xml"
    if not file.exists() or file.read_text() != _CONFIG:
        file.write_text(_CONFIG)
    return f"{directory}?config-file={file}"
