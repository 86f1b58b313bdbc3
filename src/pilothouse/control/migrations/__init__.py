"""The forms that the control plane's database has had, each a step from the one before.

A change of a table is a new module here, `to_NNNN`, with `upgrade(connection)`, and `NEWEST` is its number. A step is
never changed once it was released: databases have taken it. It works on SQLite and on PostgreSQL, and on a database
with data: a new column that is not null says what older rows hold (`server_default`).
"""

NEWEST = 3
