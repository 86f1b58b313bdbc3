"""`python -m tests.logqltest FILE...`: ends with `N passed, N failed`, and with 1 if any failed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pilothouse.engine import open_engine
from tests.logqltest.reading import CaseError, read
from tests.logqltest.running import Runner

CASES = Path(__file__).parent / "cases"


def main(arguments: list[str]) -> int:
    """Run the files, or (given none) those that are here."""
    passed = failed = 0
    paths = [Path(name) for name in arguments] or sorted(CASES.glob("*.logqltest"))
    with tempfile.TemporaryDirectory() as directory:
        engine = open_engine(Path(directory) / "store")
        runner = Runner(engine)
        for path in paths:
            try:
                cases = read(path)
            except (CaseError, OSError, UnicodeDecodeError) as error:
                print(f"{error}")
                failed += 1
                continue
            for case in cases:
                outcome = runner.run(case)
                if outcome.reason:
                    failed += 1
                    print(f"{path}:{case.number}: {case.query}\n    {outcome.reason}")
                else:
                    passed += 1
        engine.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
