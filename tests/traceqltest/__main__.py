"""`python -m tests.traceqltest FILE...`"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.traceqltest.running import run


def main(arguments: list[str]) -> int:
    """Run the files, say what failed, and end with the counts; 1 when anything failed."""
    passed = failed = 0
    for name in arguments:
        try:
            text = Path(name).read_text()
        except (OSError, UnicodeDecodeError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed += 1
            continue
        for result in run(text):
            if result.failure:
                failed += 1
                print(f"{name}: {result.query}\n    {result.failure}")
            else:
                passed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
