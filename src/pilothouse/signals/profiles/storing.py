"""From segments of profiles to the tables `resources`, `profiles`, `profile_samples`, `profile_minutes` and
`profile_stacks`."""

from pilothouse.engine import SegmentStatement
from pilothouse.signals.anyvalue import ATTRIBUTES, RESOURCE, map_sql
from pilothouse.signals.identity import RESOURCE_COLUMNS, identity_sql, resources_sql
from pilothouse.signals.profiles.segment import SCHEMA

_PROTO = f'syntax = "proto3";\n{SCHEMA}'
_MILLISECONDS = "fromUnixTimestamp64Milli(toInt64(intDiv(p.time_unix_nano, 1000000)), 'UTC')"
_TYPE = (
    "Tuple(type String, unit String, period Int64, period_type String, period_unit String, samples UInt32, total Int64)"
)
_SAMPLES = f"Tuple(type String, attributes {ATTRIBUTES}, stacks Array(UInt64), values Array(Int64))"
_STACK = (
    "Tuple(stack UInt64, month UInt32, functions Array(String), files Array(String), lines Array(UInt32), "
    "mappings Array(String), inlined Array(Bool), service String)"
)


def _profiles(*members: str) -> str:
    return f"profiles Array(Tuple(resource {RESOURCE}, time_unix_nano UInt64{''.join(', ' + one for one in members)}))"


RESOURCES = SegmentStatement(
    table="resources",
    columns=RESOURCE_COLUMNS,
    select=resources_sql(
        "profiles", "{segment} ARRAY JOIN profiles AS p", "p.resource.attributes", "[p.time_unix_nano]"
    ),
    structure=_profiles(),
    schema=_PROTO,
    message="Profiles",
)

PROFILES = SegmentStatement(
    table="profiles",
    columns=(
        "identity", "type", "unit", "time", "duration", "period", "period_type", "period_unit", "samples", "total",
        "attributes",
    ),
    select=f"""SELECT identity, t.type, t.unit, time, duration, t.period, t.period_type, t.period_unit, t.samples,
    t.total, attributes
FROM (
    SELECT {identity_sql("p.resource.attributes")} AS identity, {_MILLISECONDS} AS time, p.duration_nano AS duration,
           {map_sql("p.attributes")} AS attributes, p.types AS types
    FROM {{segment}} ARRAY JOIN profiles AS p
) ARRAY JOIN types AS t""",
    structure=_profiles("duration_nano UInt64", f"attributes {ATTRIBUTES}", f"types Array({_TYPE})"),
    schema=_PROTO,
    message="Profiles",
)  # fmt: skip

SAMPLES = SegmentStatement(
    table="profile_samples",
    columns=("identity", "type", "time", "stack", "value", "attributes"),
    select=f"""SELECT identity, type, time, stack, value, attributes
FROM (
    SELECT identity, time, s.type AS type, s.stacks AS stacks, s.values AS values,
           {map_sql("s.attributes")} AS attributes
    FROM (
        SELECT {identity_sql("p.resource.attributes")} AS identity, {_MILLISECONDS} AS time, p.samples AS samples
        FROM {{segment}} ARRAY JOIN profiles AS p
    ) ARRAY JOIN samples AS s
) ARRAY JOIN stacks AS stack, values AS value""",
    structure=_profiles(f"samples Array({_SAMPLES})"),
    schema=_PROTO,
    message="Profiles",
)

MINUTES = SegmentStatement(
    table="profile_minutes",
    columns=("cohort", "type", "time", "stack", "value"),
    select=f"""SELECT cohort, type, minute, stack, sum(value)
FROM (
    SELECT cohort, toStartOfMinute(time) AS minute, s.type AS type, s.stacks AS stacks, s.values AS values
    FROM (
        SELECT p.cohort AS cohort, {_MILLISECONDS} AS time, p.samples AS samples
        FROM {{segment}} ARRAY JOIN profiles AS p
    ) ARRAY JOIN samples AS s
) ARRAY JOIN stacks AS stack, values AS value
GROUP BY cohort, type, minute, stack""",
    structure=_profiles(f"samples Array({_SAMPLES})", "cohort UInt64"),
    schema=_PROTO,
    message="Profiles",
)

STACKS = SegmentStatement(
    table="profile_stacks",
    columns=("service", "stack", "month", "functions", "files", "lines", "mappings", "inlined"),
    select="""SELECT s.service, s.stack, toDate(s.month), s.functions, s.files, s.lines, s.mappings, s.inlined
FROM {segment} ARRAY JOIN stacks AS s""",
    structure=f"stacks Array({_STACK})",
    schema=_PROTO,
    message="Profiles",
)

STATEMENTS: tuple[SegmentStatement, ...] = (RESOURCES, STACKS, SAMPLES, MINUTES, PROFILES)
"""A profile's own row comes last: who finds it finds all that belongs to it."""

SAMPLES_MARK = "samples"
STACKS_MARK = "stacks"
MARKED: tuple[tuple[str, SegmentStatement], ...] = tuple(
    (STACKS_MARK if statement is STACKS else SAMPLES_MARK, statement) for statement in STATEMENTS
)
"""The same with the marks that the door gives to a request, so that a segment without new stacks stores none."""
