"""`python -m bench.hazards [COUNT]`: writes so many manifests (10,000) and checks them with all rules."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.hazards.manifests import write


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory(prefix="pilothouse-manifests-") as name:
        size = write(Path(name), count)
        command = [sys.executable, "-m", "pilothouse", "check", name, "--fail-on", "never", "-o", "json"]
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, check=True)
        seconds = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = json.loads(done.stdout)
    print(f"{count} manifests, {size / 1e6:.1f} MB, {len(found['findings'])} findings")
    print(f"{seconds:.1f} s, {used.ru_utime + used.ru_stime:.1f} CPU-seconds, load {os.getloadavg()[0]:.1f}")
    print(f"largest process {used.ru_maxrss / 1000:.0f} MB")


if __name__ == "__main__":
    main()
