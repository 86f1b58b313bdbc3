"""Backups: everything that a data directory holds, taken while the server works, and put into an empty directory.

A backup is a directory:

    manifest.json                    what it is of, written last
    TENANT/tables/TABLE/PART/...     the store's parts
    TENANT/journal/*.segment         what was acknowledged and not stored yet
    TENANT/control.db                tokens, releases, rollouts, verdicts, runs
"""
