"""Cases of LogQL as text: `python -m tests.logqltest FILE...`; docs/reference/loki.md has the format."""
