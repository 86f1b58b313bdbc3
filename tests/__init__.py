"""All tests."""

import os

# As `pilothouse up` does, and for the same reason: tests serve in their own processes, too.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
