"""The `pilothouse` command: a file per group of verbs, no logic of its own.

Start-up must be quick, so that a module here imports nothing heavy at its head.
"""


def main() -> None:
    """Run the command line."""
    from pilothouse.cli.program import program

    program()()
