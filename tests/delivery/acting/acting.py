"""A process that acts until it is killed: `python -m tests.delivery.acting.acting DIRECTORY DATABASE`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.delivery.acting.room import Room

if __name__ == "__main__":
    room = Room(Path(sys.argv[1]), people=False, database=sys.argv[2])
    print("acts", flush=True)
    time.sleep(600)
