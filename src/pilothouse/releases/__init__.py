"""What changed between two releases of a service, and is the new one worse.

A release is a service and a version, found from the signals themselves (`discovering`). `comparing` sets up a trial
of a candidate against a baseline (`trial`, `siding`), lets each signal's room test what it knows (`metrics`,
`traces`, `logs`, `profiles`: each reads, judges and explains), and holds all tests to one false discovery rate
(`deciding`). `statistics` is the arithmetic; `store` keeps the verdicts; `report` says them to people.
"""
