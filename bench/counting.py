"""What is in a store: `python -m bench.counting DIRECTORY`, while no server has it open, prints rows and bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Table:
    """A table's rows, its bytes on disk in parts that are in use, and how many parts these are."""

    rows: int
    bytes: int
    parts: int


def tables(store: Path) -> dict[str, Table]:
    """All tables of a store, and `logs.body` alone, counted in a process of its own."""
    ran = subprocess.run([sys.executable, "-m", "bench.counting", str(store)], capture_output=True, check=True)
    return {name: Table(*row) for name, row in json.loads(ran.stdout).items()}


def main() -> None:
    """Count and print as JSON."""
    from pilothouse.engine import open_engine

    engine = open_engine(Path(sys.argv[1]))
    parts = engine.query(
        "SELECT table, sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts WHERE active GROUP BY table"
    ).to_pylist()
    counted = {}
    for row in parts:
        rows = engine.query(f"SELECT count() FROM {row['table']}").column(0)[0].as_py()
        counted[row["table"]] = (rows, row["bytes"], row["parts"])
    if "logs" in counted:
        body = engine.query(
            "SELECT sum(column_data_compressed_bytes) FROM system.parts_columns "
            "WHERE active AND table = 'logs' AND column = 'body'"
        )
        counted["logs.body"] = (counted["logs"][0], body.column(0)[0].as_py(), counted["logs"][2])
    print(json.dumps(counted))
    engine.close()


if __name__ == "__main__":
    main()
