"""The `pilothouse` command: a file per group of verbs, no logic of its own.

Start-up must be quick, so that a module here imports nothing heavy at its head.
"""


def main() -> None:
    """Run the command line."""
    import os
    import sys

    if "utf" not in sys.stdout.encoding.lower():
        # What this terminal cannot show is written as \\u65e5, and is no reason to end.
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # httpx would import its own command line, with click and pygments: as much again as all of httpx.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    from pilothouse.cli.program import program

    # A shell that completes asks for any command.
    completing = "_PILOTHOUSE_COMPLETE" in os.environ
    program("" if completing else "".join(sys.argv[1:2]))()
