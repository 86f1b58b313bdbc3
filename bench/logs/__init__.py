"""Questions to millions of log lines, beside grep and ripgrep on the same text: `python -m bench.logs [LINES]`."""
