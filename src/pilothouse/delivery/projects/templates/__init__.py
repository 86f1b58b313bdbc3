"""The files that `pilothouse init` writes, with `{{NAME}}` where something is filled in."""
